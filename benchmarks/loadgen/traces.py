"""Made-up traces: whole call trees of the shop, cut into requests the way twelve exporting services would."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadgen.shop import (
    CALLS,
    EXCEPTIONS,
    SCOPES,
    SERVICES,
    exception_message,
    put_attributes,
    put_exception,
    put_resource,
    stable_hash,
)

if TYPE_CHECKING:
    import random

    from loadgen.shop import Operation, Scalar

#: Times in a prepared body are this plus a local offset; the sender moves them to where they are wanted.
BASE_TIME_NS = 1_700_000_000_000_000_000
SPANS_PER_BODY = 500
#: Bodies that share traces: 2,000 spans of whole traces are cut by service into four requests.
BODIES_PER_GROUP = 4
#: The search with a known answer: what `queries.py` asks and how often it must be found.
PROBE = {
    "service": "checkout",
    "operation": "POST /v1/checkout",
    "attr": ["app.tenant.id", "tenant-0007"],
    "min_ms": 150,
}

_SERVER, _CLIENT, _INTERNAL = 2, 3, 1
_TABLES = ["orders", "order_items", "products", "users", "sessions", "stock", "shipments", "charges"]
_USER_AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.5 Mobile/15E148 Safari/604.1"
    ),
    "okhttp/4.12.0",
    "python-httpx/0.28.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
]
_SQL = {
    "SELECT": "SELECT id, created_at, status, total FROM {t} WHERE tenant_id = $1 AND id = $2 "
    "ORDER BY created_at DESC LIMIT $3",
    "INSERT": "INSERT INTO {t} (tenant_id, user_id, payload, created_at) VALUES ($1, $2, $3, now()) RETURNING id",
    "UPDATE": "UPDATE {t} SET status = $1, updated_at = now() WHERE tenant_id = $2 AND id = $3",
}
_FUNCTIONS = ["render_template", "validate_request", "serialize_response", "compute_price", "apply_discounts"]


class MadeSpan(NamedTuple):
    """One span before it is encoded; times count from ``BASE_TIME_NS``."""

    trace_id: bytes
    service: str
    instance: int
    span_id: bytes
    parent_id: bytes
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: tuple[tuple[str, Scalar], ...]
    failed: bool


class TraceMaker:
    """Makes whole traces of an exact size from one source of random numbers.

    The order of draws is fixed: the same seed gives the same bytes, so known answers stay known. ``failing`` is how
    many times as often as usual spans fail, of which one request in 25 does.
    """

    def __init__(self, rng: random.Random, failing: float = 1.0) -> None:
        self.rng, self.failing = rng, failing
        self.spans: list[MadeSpan] = []

    def trace(self, size: int) -> list[MadeSpan]:
        """One trace of ``size`` spans (5 to 30)."""
        rng = self.rng
        self.spans, self.left = [], size
        self.trace_id = rng.randbytes(16)
        self.tenant = f"tenant-{min(int(rng.expovariate(1 / 60)), 199):04d}"
        self.user = f"u-{rng.randrange(50000):06d}"
        operation = rng.choice(SERVICES["web-gateway"].operations)
        self._server("web-gateway", operation, b"", rng.randrange(1, 1_500_000_000), 0)
        while self.left > 0:  # top up under the root, so that the size is exact
            root = self.spans[0]
            start_ns = root.start_ns + rng.randrange(1, max(2, root.end_ns - root.start_ns))
            self._leaf("web-gateway", 0, root.span_id, start_ns, rng.choice(["db", "cache", "internal"]))
        return self.spans

    def large_trace(self, size: int) -> list[MadeSpan]:
        """One trace of ``size`` spans, as a batch job makes it: under its root one request after the other."""
        rng = self.rng
        self.spans, self.left = [], size - 1
        self.trace_id, self.tenant, self.user = rng.randbytes(16), "tenant-0001", "u-000001"
        service, root_id, now_ns = "web-gateway", rng.randbytes(8), 0
        index = self._hold_place()
        while self.left > 0:
            operation = rng.choice(SERVICES[service].operations)
            now_ns = self._server(service, operation, root_id, now_ns + rng.randrange(1_000, 100_000), 0)
        attributes = (("app.job.name", "rebuild"), ("app.tenant.id", self.tenant))
        who, end_ns = (self.trace_id, service, 0, root_id, b"", "rebuild", _INTERNAL), now_ns + 1_000_000
        self.spans[index] = MadeSpan(*who, 0, end_ns, attributes, failed=False)
        return self.spans

    def _fails(self, share: float) -> bool:
        return self.rng.random() < share * self.failing

    def _duration_ns(self, base_ms: float) -> int:
        return max(50_000, int(base_ms * 1e6 * self.rng.lognormvariate(0, 0.55)))

    def _server(self, service: str, operation: Operation, parent: bytes, start_ns: int, depth: int) -> int:
        """Make a server span with everything under it; returns its end."""
        rng = self.rng
        self.left -= 1
        span_id, instance = rng.randbytes(8), rng.randrange(SERVICES[service].instances)
        duration_ns = self._duration_ns(operation.base_ms)
        failed = self._fails(0.04)
        good = [200, 201, 204, 302, 404]
        status = rng.choice([500, 500, 503, 504]) if failed else rng.choices(good, [85, 5, 3, 3, 4])[0]
        index = self._hold_place()
        now_ns = self._children(service, instance, span_id, start_ns + rng.randrange(20_000, 400_000), depth)
        end_ns = max(start_ns + duration_ns, now_ns + rng.randrange(10_000, 200_000))
        attributes = self._server_attributes(service, operation, status)
        self.spans[index] = MadeSpan(
            self.trace_id,
            service,
            instance,
            span_id,
            parent,
            operation.name,
            _SERVER,
            start_ns,
            end_ns,
            attributes,
            failed,
        )
        return end_ns

    def _hold_place(self) -> int:
        """Keep the next place in the list: a parent stands before its children but is known only after them."""
        self.spans.append(None)
        return len(self.spans) - 1

    def _children(self, service: str, instance: int, parent: bytes, now_ns: int, depth: int) -> int:
        rng = self.rng
        count = 0
        while self.left > 0 and count < 7 and (count < 2 or rng.random() < 0.75):
            draw = rng.random()
            if draw < 0.50 and service in CALLS and depth < 4 and self.left >= 2:
                now_ns = self._client(service, instance, rng.choice(CALLS[service]), parent, now_ns, depth)
            else:
                kind = "db" if draw < 0.80 else "cache" if draw < 0.92 else "internal"
                now_ns = self._leaf(service, instance, parent, now_ns, kind)
            count += 1
        return now_ns

    def _server_attributes(self, service: str, operation: Operation, status: int) -> tuple:
        rng = self.rng
        path = operation.route.replace("{id}", str(rng.randrange(1, 20000))).replace("{userId}", self.user)
        path = path.replace("{sku}", f"SKU-{rng.randrange(20000):05d}")
        return (
            ("http.request.method", operation.method),
            ("http.route", operation.route),
            ("url.path", path),
            ("url.scheme", "http"),
            ("http.response.status_code", status),
            ("server.address", service),
            ("server.port", 8080),
            ("client.address", f"10.{rng.randrange(4)}.{rng.randrange(256)}.{rng.randrange(256)}"),
            ("user_agent.original", rng.choice(_USER_AGENTS)),
            ("network.protocol.version", "1.1"),
            ("enduser.id", self.user),
            ("app.tenant.id", self.tenant),
            ("thread.id", rng.randrange(1, 64)),
        )

    def _client(self, service: str, instance: int, callee: str, parent: bytes, start_ns: int, depth: int) -> int:
        """Make a client span around the callee's server span; returns its end."""
        rng = self.rng
        self.left -= 1
        span_id, operation = rng.randbytes(8), rng.choice(SERVICES[callee].operations)
        index = self._hold_place()
        served_ns = self._server(callee, operation, span_id, start_ns + rng.randrange(100_000, 900_000), depth + 1)
        end_ns = served_ns + rng.randrange(50_000, 600_000)
        failed = self._fails(0.03)
        attributes = (
            ("http.request.method", operation.method),
            ("url.full", f"http://{callee}.shop-prod.svc:8080{operation.route}"),
            ("server.address", f"{callee}.shop-prod.svc"),
            ("server.port", 8080),
            ("http.response.status_code", 500 if failed else 200),
            ("network.protocol.version", "1.1"),
            ("network.peer.address", f"10.8.{rng.randrange(16)}.{rng.randrange(256)}"),
            ("network.peer.port", 8080),
            ("peer.service", callee),
            ("http.request.resend_count", rng.randrange(2)),
            ("app.tenant.id", self.tenant),
            ("thread.id", rng.randrange(1, 64)),
        )
        self.spans[index] = MadeSpan(
            self.trace_id,
            service,
            instance,
            span_id,
            parent,
            operation.method,
            _CLIENT,
            start_ns,
            end_ns,
            attributes,
            failed,
        )
        return end_ns

    def _leaf(self, service: str, instance: int, parent: bytes, start_ns: int, kind: str) -> int:
        """Make a span without children; returns when the next sibling may start."""
        rng = self.rng
        self.left -= 1
        span_id, failed = rng.randbytes(8), self._fails(0.055)
        name, base_ms, attributes = getattr(self, f"_{kind}_leaf")(service)
        end_ns = start_ns + self._duration_ns(base_ms)
        span_kind = _INTERNAL if kind == "internal" else _CLIENT
        self.spans.append(
            MadeSpan(
                self.trace_id, service, instance, span_id, parent, name, span_kind, start_ns, end_ns, attributes, failed
            )
        )
        return end_ns + rng.randrange(1_000, 100_000)

    def _db_leaf(self, _service: str) -> tuple[str, float, tuple]:
        rng = self.rng
        table = rng.choice(_TABLES)
        verb = rng.choice(["SELECT", "SELECT", "SELECT", "INSERT", "UPDATE"])
        return (
            f"{verb} {table}",
            3.5,
            (
                ("db.system.name", "postgresql"),
                ("db.namespace", "shop"),
                ("db.operation.name", verb),
                ("db.collection.name", table),
                ("db.query.text", _SQL[verb].format(t=table)),
                ("server.address", "pg-main.shop-prod.svc"),
                ("server.port", 5432),
                ("network.peer.address", f"10.9.0.{rng.randrange(4)}"),
                ("network.peer.port", 5432),
                ("db.response.returned_rows", rng.randrange(200)),
                ("app.tenant.id", self.tenant),
                ("thread.id", rng.randrange(1, 64)),
            ),
        )

    def _cache_leaf(self, _service: str) -> tuple[str, float, tuple]:
        rng = self.rng
        verb = rng.choice(["GET", "GET", "SET", "HGETALL", "EXPIRE"])
        return (
            verb,
            0.6,
            (
                ("db.system.name", "redis"),
                ("db.namespace", "0"),
                ("db.operation.name", verb),
                ("db.query.text", f"{verb} session:{self.user}:?"),
                ("server.address", "redis-0.shop-prod.svc"),
                ("server.port", 6379),
                ("network.peer.address", f"10.9.1.{rng.randrange(3)}"),
                ("network.peer.port", 6379),
                ("network.transport", "tcp"),
                ("app.cache.hit", rng.random() < 0.8),
                ("app.tenant.id", self.tenant),
                ("thread.id", rng.randrange(1, 64)),
            ),
        )

    def _internal_leaf(self, service: str) -> tuple[str, float, tuple]:
        rng = self.rng
        name = rng.choice(_FUNCTIONS)
        return (
            name,
            2.0,
            (
                ("code.function.name", f"app.{service.replace('-', '_')}.{name}"),
                ("code.file.path", f"/srv/{service}/app/core.py"),
                ("code.line.number", rng.randrange(20, 900)),
                ("thread.id", rng.randrange(1, 64)),
                ("thread.name", f"worker-{rng.randrange(16)}"),
                ("app.tenant.id", self.tenant),
                ("enduser.id", self.user),
                ("app.items.count", rng.randrange(1, 40)),
                ("app.amount", round(rng.random() * 500, 2)),
                ("feature_flag.key", rng.choice(["new-pricing", "fast-render", "none"])),
                ("app.region", rng.choice(["eu-west-1", "us-east-1", "ap-south-1"])),
                ("app.cache.hit", rng.random() < 0.5),
            ),
        )


def put_span(span: object, made: MadeSpan, rng: random.Random) -> str | None:
    """Encode one span; returns its exception's type if it failed."""
    span.trace_id, span.span_id = made.trace_id, made.span_id
    if made.parent_id:
        span.parent_span_id = made.parent_id
    span.flags = 257 if made.kind == _SERVER else 1
    span.name, span.kind = made.name, made.kind
    span.start_time_unix_nano = BASE_TIME_NS + made.start_ns
    span.end_time_unix_nano = BASE_TIME_NS + made.end_ns
    put_attributes(span.attributes, made.attributes)
    if not made.failed:
        return None
    variant = rng.randrange(3)
    kind, template = EXCEPTIONS[(stable_hash(made.service) + rng.randrange(4)) % len(EXCEPTIONS)]
    put_attributes(span.attributes, (("error.type", kind),))
    event = span.events.add()
    event.time_unix_nano, event.name = BASE_TIME_NS + made.end_ns - 1000, "exception"
    span.status.code, span.status.message = 2, exception_message(rng, template)
    put_exception(event.attributes, made.service, kind, span.status.message, variant)
    return kind


def group_of_spans(maker: TraceMaker) -> tuple[list[MadeSpan], list[tuple[str, int]]]:
    """Spans of whole traces for one group of bodies, sorted by who exports them; and about 1 % of the trace ids."""
    rng, spans, samples = maker.rng, [], []
    while room := SPANS_PER_BODY * BODIES_PER_GROUP - len(spans):
        size = rng.randint(5, 30)
        size = room if room - size < 5 else size
        trace = maker.trace(size)
        if rng.random() < 0.01:
            samples.append((maker.trace_id.hex(), len(trace)))
        spans += trace
    spans.sort(key=lambda span: (span.service, span.instance))
    return spans, samples


def encode_request(spans: list[MadeSpan], rng: random.Random) -> tuple[bytes, list[str]]:
    """One export request of these spans; and the exception types of those that failed."""
    request, current, failures = ExportTraceServiceRequest(), None, []
    for made in spans:
        if (made.service, made.instance) != current:
            current = (made.service, made.instance)
            resource_spans = request.resource_spans.add()
            put_resource(resource_spans.resource, *current)
            resource_spans.schema_url = "https://opentelemetry.io/schemas/1.36.0"
            scope_spans = resource_spans.scope_spans.add()
            scope_spans.scope.name = SCOPES[SERVICES[made.service].language]
            scope_spans.scope.version = "0.57.0"
        kind = put_span(scope_spans.spans.add(), made, rng)
        if kind:
            failures.append(kind)
    return request.SerializeToString(), failures
