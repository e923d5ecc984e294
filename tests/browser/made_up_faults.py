"""The demo shop's telemetry, made up: some minutes for each fault switch, well at first and then broken.

Names and attributes are those that the demo sends; ``test_three_clicks`` holds them against the demo's own filters.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field

SECOND = 1_000_000_000
MS = 1_000_000
#: A fault's minutes: so long it is well, then broken; every three seconds there are three customers.
WELL_S, BROKEN_S, EVERY_S = 150, 27, 3
LENGTH_S = WELL_S + BROKEN_S
VERSIONS = {"web": "2.3.0", "catalog": "1.9.2", "checkout": "4.0.1", "payment": "1.0.7", "fulfilment": "0.8.3"}
PIDS = {name: 6400 + place for place, name in enumerate(VERSIONS)}
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
SELECT = "SELECT p.id, p.name, (SELECT round(avg(stars), 1) FROM reviews {}WHERE product_id = p.id) FROM products p"
ONE = "SELECT p.id, p.name, p.stock FROM products AS p WHERE p.id = ?"
PRODUCT = "SELECT id, name, weight FROM products WHERE id = ?"
STACK = 'Traceback (most recent call last):\n  File "/shop/{0}.py", line 12, in handle\n    work()\n{1}: {2}\n'


@dataclass
class Told:
    """What is sent: spans, log records and points of each service."""

    spans: dict[str, list] = field(default_factory=dict)
    logs: dict[str, list] = field(default_factory=dict)
    points: dict[str, list] = field(default_factory=dict)
    ids: itertools.count = field(default_factory=lambda: itertools.count(1))


@dataclass
class Call:
    """A span that is open: where the next one below it begins moves with the time that they take."""

    told: Told
    trace: int
    service: str
    now_ns: int
    span: dict

    def below(self, name, kind, ms=0.0, *, service="", **attributes):
        """Begin a span below, which takes so long unless it is closed later."""
        return begin(self.told, service or self.service, name, kind, self.now_ns, ms, self, **attributes)

    def leaf(self, name, kind, ms, **attributes):
        """Add a span below that has none of its own, and let its time pass."""
        made = self.below(name, kind, ms, **attributes)
        self.now_ns = made.now_ns + ms * MS
        return made

    def close(self, error="", kind="Error"):
        """End at the time that has come; an error is told with its exception."""
        self.span["endTimeUnixNano"] = str(int(self.now_ns))
        if error:
            self.span["status"] = {"code": 2}
            self.span["events"] = [{"timeUnixNano": str(int(self.now_ns)), "name": "exception",
                                    "attributes": listed(exception(self.service, kind, error))}]  # fmt: skip
        return self.now_ns


def exception(service, kind, text):
    """Attributes of an exception."""
    stack = STACK.format(service, kind, text)
    return {"exception.type": kind, "exception.message": text, "exception.stacktrace": stack}


def listed(attributes):
    """Attributes as OTLP/JSON has them."""
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return [{"key": key.replace("__", "."), "value": {kinds[type(value)]: value}} for key, value in attributes.items()]


def begin(told, service, name, kind, at_ns, ms=0.0, parent=None, **attributes):
    """Begin a span at a time, in the trace of its parent or in one of its own."""
    number = next(told.ids)
    trace = parent.trace if parent else number
    span = {
        "traceId": f"{trace:032x}", "spanId": f"{number:016x}", "name": name, "kind": kind,
        "parentSpanId": parent.span["spanId"] if parent else "",
        "startTimeUnixNano": str(int(at_ns)), "endTimeUnixNano": str(int(at_ns + ms * MS)),
        "attributes": listed(attributes),
    }  # fmt: skip
    told.spans.setdefault(service, []).append(span)
    return Call(told, trace, service, at_ns, span)


def served(parent, service, name, kind_of="GET", **attributes):
    """A call from a service to another: the client's span, and below it the server's, both open."""
    path = name.partition(" ")[2]
    url = f"http://127.0.0.1:8081{path}"
    client = parent.below(kind_of, CLIENT, http__request__method=kind_of, url__full=url)
    server = client.below(name, SERVER, service=service, http__request__method=kind_of, http__route=path, **attributes)
    server.now_ns += MS
    return client, server


def answered(parent, client, server, error="", kind="", failed=""):
    """Close both; ``error`` is what broke the server, ``failed`` what the caller makes of it."""
    client.now_ns = server.close(error, kind) + MS
    client.close(failed, "httpx.HTTPStatusError")
    parent.now_ns = client.now_ns


def search(told, at_ns, fault, number):
    """A customer searches: web, catalog, and one statement."""
    web = begin(told, "web", "GET /api/products", SERVER, at_ns, http__request__method="GET")
    client, catalog = served(web, "catalog", "GET /products")
    query = {"db__system__name": "sqlite"}
    if fault == "lock_contention":
        catalog.leaf("wait for the price lock", INTERNAL, 350 + number % 5 * 10)
        catalog.leaf("recalculate prices", INTERNAL, 120)
    if fault == "n_plus_one":
        catalog.leaf("SELECT", CLIENT, 1, db__query__text="SELECT id FROM products LIMIT ?", **query)
        for _ in range(20):
            catalog.leaf("SELECT", CLIENT, 2, db__query__text=ONE, **query)
    elif fault == "slow_query":
        catalog.leaf("SELECT", CLIENT, 2600 + number % 9 * 20, db__query__text=SELECT.format("NOT INDEXED "), **query)
    else:
        catalog.leaf("SELECT", CLIENT, 3, db__query__text=SELECT.format(""), **query)
    if fault == "log_errors":
        for _ in range(20):
            told.logs.setdefault("catalog", []).append(stock_feed(catalog))
    answered(web, client, catalog)
    web.close()


def stock_feed(catalog):
    """A log record of the broken stock feed."""
    error = exception("catalog", "json.decoder.JSONDecodeError", "Expecting value: line 1 column 9 (char 8)")
    return {"timeUnixNano": str(int(catalog.now_ns)), "severityNumber": 17, "severityText": "ERROR",
            "body": {"stringValue": "Stock feed is broken"}, "attributes": listed(error),
            "traceId": catalog.span["traceId"], "spanId": catalog.span["spanId"]}  # fmt: skip


def look(told, at_ns, fault, number):
    """A customer looks at a product."""
    product = f"p-{number % 8 + 10:02}"
    web = begin(told, "web", "GET /api/products/{product_id}", SERVER, at_ns, http__request__method="GET")
    client, catalog = served(web, "catalog", "GET /products/<product_id>", shop__product__id=product)
    catalog.leaf("SELECT", CLIENT, 2, db__query__text=PRODUCT, db__system__name="sqlite")
    broken = fault == "product_failure" and product == "p-13"
    failed = "Server error '500 INTERNAL SERVER ERROR'" if broken else ""
    answered(web, client, catalog, "weight 'n/a' is not in grams" if broken else "", "ValueError", failed)
    if fault == "sequential_calls":
        for part in ("reviews", "stock", "prices"):
            client, catalog = served(web, "catalog", f"GET /products/<product_id>/{part}")
            catalog.now_ns += (60 + number % 4) * MS
            answered(web, client, catalog)
    web.close("the shop is not well" if broken else "", "HTTPException")


def order(told, at_ns, fault, number):
    """A customer orders: web, checkout, catalog, payment; then the queue, and fulfilment."""
    tenant = ("acme", "birch", "cedar")[number % 3]
    release = "2.0" if fault == "tenant_release" and number // 3 % 2 else "1.8"
    web = begin(told, "web", "POST /api/orders", SERVER, at_ns, http__request__method="POST")
    told_of = {"shop__tenant": tenant, "shop__pricing__release": release, "shop__card__brand": "visa"}
    client, checkout = served(web, "checkout", "POST /orders", "POST", **told_of)
    checkout.leaf("price by contract", INTERNAL, 500 if (tenant, release) == ("acme", "2.0") else 0.1)
    quote, catalog = served(checkout, "catalog", "POST /quotes", "POST")
    catalog.leaf("SELECT", CLIENT, 1, db__query__text="SELECT id, price_cents FROM products", db__system__name="sqlite")
    answered(checkout, quote, catalog)
    error = charge(checkout, fault, number)
    if not error:
        send = checkout.leaf("send orders", PRODUCER, 2, messaging__system="sqlite",
                             messaging__destination__name="orders", messaging__operation__type="send")  # fmt: skip
        if fault != "queue_lag" or number % 2:
            ship(told, send, fault)
    answered(web, client, checkout, *error, failed="Server error '502 Bad Gateway'" if error else "")
    web.close("the shop is not well" if error else "", "HTTPException")


def charge(checkout, fault, number):
    """Charge the card; returns the exception that checkout ends with, or nothing."""
    if fault == "payment_down":
        call = checkout.leaf("POST", CLIENT, 1, http__request__method="POST", url__full="http://127.0.0.1:8083/charges",
                             server__address="127.0.0.1", server__port=8083)  # fmt: skip
        call.now_ns = checkout.now_ns
        call.close("All connection attempts failed", "httpx.ConnectError")
        return "All connection attempts failed", "httpx.ConnectError"
    for _ in range(3 if fault == "retry_storm" else 0):
        client, payment = served(checkout, "payment", "POST /charges", "POST", http__status_code=503)
        payment.now_ns += 8 * MS
        answered(checkout, client, payment, "busy", "ServiceUnavailable", "Server error '503 SERVICE UNAVAILABLE'")
    client, payment = served(checkout, "payment", "POST /charges", "POST")
    if fault == "payment_failure" and number % 2:
        payment.now_ns += 40 * MS
        timeout = "no answer from the visa gateway within 2000 ms"
        failed = "Server error '500 INTERNAL SERVER ERROR' for url 'http://127.0.0.1:8083/charges'"
        answered(checkout, client, payment, timeout, "shop.services.payment.ProviderTimeout", failed)
        return failed, "httpx.HTTPStatusError"
    if fault == "slow_external":
        payment.leaf("GET", CLIENT, 820 + number % 5, http__request__method="GET",
                     url__full="http://127.0.0.1:8099/scores", server__address="fraud.example")  # fmt: skip
    payment.now_ns += 6 * MS
    answered(checkout, client, payment)
    return ()


def ship(told, send, fault):
    """The worker takes the order, in a trace of its own that is linked to the sender's."""
    work = begin(told, "fulfilment", "process orders", CONSUMER, send.now_ns + 20 * MS, messaging__system="sqlite",
                 messaging__destination__name="orders", messaging__operation__type="process")  # fmt: skip
    work.span["links"] = [{"traceId": send.span["traceId"], "spanId": send.span["spanId"]}]
    work.leaf("pack", INTERNAL, 5000 if fault == "queue_lag" else 30)
    work.close()


#: Faults that only some requests meet need more of them.
MORE = {"product_failure": (look,) * 3, "tenant_release": (order,) * 4}


def memory(told, at_ns, leaked):
    """The memory of each process, and the host that they are on."""
    for service in VERSIONS:
        used = 90_000_000 + (leaked << 20 if service == "web" else 0)
        told.points.setdefault(service, []).append((at_ns, used))


def minutes(told, start_ns, fault):
    """All that the shop sends within the minutes of one fault."""
    journeys = (search, look, order, *MORE.get(fault, ()))
    for step, offset_s in enumerate(range(0, LENGTH_S, EVERY_S)):
        now = fault if offset_s >= WELL_S else ""
        for place, journey in enumerate(journeys):
            journey(told, start_ns + offset_s * SECOND + place * 300 * MS, now, step * len(journeys) + place)
        if offset_s % 6 == 0:
            memory(told, start_ns + offset_s * SECOND, max(0, offset_s - WELL_S) if fault == "memory_leak" else 0)


def requests(told):
    """Return what was told as bodies of OTLP/JSON, by the name of their signal."""

    def grouped(outer, inner, records, by_service):
        return json.dumps({outer: [
            {"resource": {"attributes": listed(resource(service))}, inner: [{records: rows}]}
            for service, rows in by_service.items()
        ]}).encode()  # fmt: skip

    points = {service: metrics_of(rows) for service, rows in told.points.items()}
    return {
        "spans": grouped("resourceSpans", "scopeSpans", "spans", told.spans),
        "logs": grouped("resourceLogs", "scopeLogs", "logRecords", told.logs),
        "metrics": grouped("resourceMetrics", "scopeMetrics", "metrics", points),
    }


def resource(service):
    """Attributes of a service's resource."""
    return {"service.name": service, "service.version": VERSIONS[service], "service.instance.id": f"{service}-1",
            "host.name": "shop-1", "process.pid": PIDS[service], "process.executable.name": "python"}  # fmt: skip


def metrics_of(rows):
    """The metrics of a process, and of the host that it tells of: rows of a time and the process' bytes."""

    def point(at_ns, value, **attributes):
        return {"timeUnixNano": str(int(at_ns)), "asInt": str(value), "attributes": listed(attributes)}

    host = [point(at_ns, size, system__memory__state=state)
            for at_ns, _ in rows for state, size in (("used", 4 << 30), ("free", 12 << 30))]  # fmt: skip
    return [
        {"name": name, "unit": "By", "sum": {"aggregationTemporality": 2, "dataPoints": points}}
        for name, points in (
            ("process.memory.usage", [point(at_ns, used) for at_ns, used in rows]),
            ("system.memory.usage", host),
        )
    ]
