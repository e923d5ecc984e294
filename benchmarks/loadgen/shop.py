"""The made-up shop whose telemetry the benchmarks send: services, operations, who calls whom, and how they fail."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

#: What an attribute may hold here.
Scalar = str | bool | int | float


class Operation(NamedTuple):
    """One entry point of a service; ``base_ms`` is about the median duration."""

    name: str
    method: str
    route: str
    base_ms: float


class Service(NamedTuple):
    """A service: its runtime, how many instances run, and what it offers."""

    language: str
    version: str
    instances: int
    operations: tuple[Operation, ...]


def _service(language: str, version: str, instances: int, *operations: tuple[str, float]) -> Service:
    """Make a service whose operations are named ``METHOD /route``."""
    made = tuple(Operation(name, *name.split(" ", 1), base_ms) for name, base_ms in operations)
    return Service(language, version, instances, made)


SERVICES = {
    "web-gateway": _service(
        "nodejs",
        "22.16.0",
        4,
        ("GET /", 25),
        ("GET /products/{id}", 40),
        ("GET /search", 80),
        ("POST /cart", 35),
        ("POST /checkout", 220),
        ("GET /orders/{id}", 60),
        ("POST /login", 70),
    ),
    "auth": _service("go", "go1.24.4", 2, ("POST /v1/token", 18), ("GET /v1/session", 5)),
    "catalog": _service("java", "21.0.7", 3, ("GET /v1/products/{id}", 12), ("GET /v1/products", 30)),
    "cart": _service("dotnet", "8.0.16", 3, ("POST /v1/cart/items", 14), ("GET /v1/cart/{userId}", 8)),
    "checkout": _service("python", "3.11.7", 3, ("POST /v1/checkout", 140), ("GET /v1/orders/{id}", 20)),
    "payment": _service("java", "21.0.7", 2, ("POST /v1/charges", 90), ("POST /v1/refunds", 95)),
    "shipping": _service("rust", "1.82.0", 2, ("POST /v1/quote", 16), ("POST /v1/shipments", 28)),
    "inventory": _service("go", "go1.24.4", 2, ("POST /v1/reserve", 12), ("GET /v1/stock/{sku}", 4)),
    "recommendation": _service("python", "3.11.7", 2, ("GET /v1/recommendations", 45)),
    "search": _service("java", "21.0.7", 3, ("GET /v1/search", 55)),
    "email": _service("ruby", "3.4.4", 1, ("POST /v1/send", 60)),
    "ads": _service("nodejs", "22.16.0", 2, ("GET /v1/ads", 10)),
}

CALLS = {
    "web-gateway": ["auth", "catalog", "cart", "checkout", "recommendation", "search", "ads"],
    "catalog": ["inventory", "ads"],
    "cart": ["catalog", "inventory"],
    "checkout": ["payment", "shipping", "inventory", "email", "cart"],
    "payment": ["auth"],
    "shipping": ["inventory"],
    "recommendation": ["catalog"],
    "search": ["catalog"],
}

SCOPES = {
    "nodejs": "@opentelemetry/instrumentation-http",
    "go": "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
    "java": "io.opentelemetry.tomcat-10.0",
    "dotnet": "Microsoft.AspNetCore",
    "python": "opentelemetry.instrumentation.starlette",
    "rust": "opentelemetry-instrumentation-actix-web",
    "ruby": "OpenTelemetry::Instrumentation::Rack",
}

EXCEPTIONS = [
    ("ConnectionError", "connection to {h}:5432 refused"),
    ("TimeoutError", "operation timed out after {n} ms"),
    ("ValueError", "invalid quantity {n} for sku SKU-{n:05d}"),
    ("KeyError", "'price_{n}'"),
    ("PaymentDeclined", "card ending {n:04d} declined: insufficient_funds"),
    ("java.lang.NullPointerException", 'Cannot invoke "Order.getId()" because "order" is null'),
    (
        "java.sql.SQLTransientConnectionException",
        "HikariPool-1 - Connection is not available, request timed out after {n}ms.",
    ),
    ("System.InvalidOperationException", "Sequence contains no elements"),
    ("redis.exceptions.ResponseError", "MOVED {n} 10.0.3.7:6379"),
    ("InventoryError", "insufficient stock for SKU-{n:05d}"),
    ("TypeError", "Cannot read properties of undefined (reading 'id')"),
    ("JWTExpired", "token expired {n} seconds ago"),
]

_FILES = ["api", "core", "db", "client", "retry", "pool", "handlers", "models", "util"]
_FUNCTIONS = ["dispatch", "handle", "call", "execute", "fetch", "acquire", "send", "commit", "validate"]
_FIELDS = ["inner", "next", "session", "conn", "repo", "svc", "queue", "tx", "form"]


def stable_hash(*parts: object) -> int:
    """Return a hash that is the same in every process and version of Python."""
    return zlib.crc32(repr(parts).encode())


def put_attribute(target: object, key: str, value: Scalar) -> None:
    """Append one attribute to a repeated KeyValue field."""
    attribute = target.add()
    attribute.key = key
    kind = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}[type(value)]
    setattr(attribute.value, kind, value)


def put_attributes(target: object, pairs: Iterable[tuple[str, Scalar]]) -> None:
    """Append attributes to a repeated KeyValue field."""
    for key, value in pairs:
        put_attribute(target, key, value)


def put_resource(resource: object, service: str, instance: int) -> None:
    """Fill an OTLP Resource with the 17 attributes of one instance."""
    row = SERVICES[service]
    digest = f"{stable_hash(service, instance):010x}"[:10]
    pod = f"{service}-7d9f{digest[:4]}-{digest[4:9]}"
    put_attributes(
        resource.attributes,
        (
            ("service.name", service),
            ("service.namespace", "shop"),
            ("service.version", f"2.{len(service)}.{instance % 2}"),
            ("service.instance.id", pod),
            ("deployment.environment.name", "production"),
            ("host.name", f"node-{stable_hash(service, instance) % 6}"),
            ("host.arch", "amd64"),
            ("os.type", "linux"),
            ("os.description", "Debian GNU/Linux 12 (bookworm)"),
            ("process.pid", 7 + instance),
            ("process.runtime.name", row.language),
            ("process.runtime.version", row.version),
            ("telemetry.sdk.language", row.language),
            ("telemetry.sdk.name", "opentelemetry"),
            ("telemetry.sdk.version", "1.36.0"),
            ("k8s.pod.name", pod),
            ("k8s.namespace.name", "shop-prod"),
        ),
    )


def stack_trace(service: str, kind: str, message: str, variant: int) -> str:
    """Write a Python-looking stack trace of nine frames; ``variant`` moves its lines."""
    lines = ["Traceback (most recent call last):"]
    for depth in range(9):
        file = _FILES[(depth + variant) % 9]
        function = _FUNCTIONS[(depth * 2 + variant) % 9]
        field = _FIELDS[(depth + variant) % 9]
        line = 37 + variant * 11 + depth * 53
        lines.append(f'  File "/srv/{service}/app/{file}.py", line {line}, in {function}')
        lines.append(f"    return await self._{field}(request, timeout={variant + depth})")
    lines.append(f"{kind}: {message}")
    return "\n".join(lines)


def exception_message(rng: random.Random, template: str) -> str:
    """Fill an exception's message with made-up numbers."""
    return template.format(h="pg-main", n=rng.randrange(1, 9999))


def put_exception(attributes: object, service: str, kind: str, message: str, variant: int) -> None:
    """Append the three exception attributes; ``variant`` (0 to 2) is one of three places it was raised from."""
    stack = stack_trace(service, kind, message, variant)
    put_attributes(
        attributes,
        (("exception.type", kind), ("exception.message", message), ("exception.stacktrace", stack)),
    )
