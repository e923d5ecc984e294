"""Headers of callers: baggage with properties, in several headers, and far too long."""

from __future__ import annotations

import pytest
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.instrumentation.asgi import ASGIGetter
from opentelemetry.instrumentation.wsgi import WSGIGetter
from opentelemetry.propagate import extract
from opentelemetry.trace import get_current_span

from spanglass.sdk.headers import install_headers

ORIGINAL = W3CBaggagePropagator.extract
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def undo():
    """Have headers read as `configure()` does."""
    take_back = install_headers()
    yield take_back
    take_back()


def of_asgi(*headers):
    """Return the context of a request to an ASGI application."""
    scope = {"headers": [(name.encode(), value.encode()) for name, value in headers]}
    return extract(scope, Context(), ASGIGetter())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["user.id=bob;meta=1"], {"user.id": "bob"}),
        (["user.id = bob ; meta=1;other , tenant.id=a%3Bb;x"], {"user.id": "bob", "tenant.id": "a;b"}),
        (["user.id=bob", "tenant.id=acme;p"], {"user.id": "bob", "tenant.id": "acme"}),
        (["user.id=bob", "", "user.id=eve"], {"user.id": "eve"}),
        (["a=b=c,,broken,;,=x"], {"a": "b=c"}),
        ([], {}),
    ],
)
def test_baggage_is_one_list_of_values(headers, expected):
    """Properties are not part of a value, repeated headers are joined, and what is broken leaves the rest."""
    context = of_asgi(*(("baggage", header) for header in headers))

    assert baggage.get_all(context) == expected


def test_one_header_of_wsgi_and_of_a_dictionary():
    """Servers of WSGI join headers themselves; a dictionary may hold one text."""
    environ = extract({"HTTP_BAGGAGE": "user.id=bob;meta=1,a=1"}, Context(), WSGIGetter())

    assert baggage.get_all(environ) == {"user.id": "bob", "a": "1"}
    assert baggage.get_all(extract({"baggage": "user.id=bob;meta=1"}, Context())) == {"user.id": "bob"}
    assert baggage.get_all(extract({}, Context())) == {}


def test_several_headers_of_trace_state_are_one():
    """OpenTelemetry joins those itself."""
    state = get_current_span(of_asgi(("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")))

    assert state.get_span_context().trace_state.to_header() == "a=1,b=2"


@pytest.mark.parametrize(
    "headers",
    [
        [("baggage", f"a={'x' * 9_000}")],
        [("baggage", f"{'k' * 5_000}=1")],
        [("baggage", "\x01" * 4_000 + "=1")],
        [("baggage", "x" * 4_000)],
        [("traceparent", PARENT), ("tracestate", "?" * 500)],
    ],
)
def test_what_is_logged_of_long_headers_is_short(headers, caplog):
    """A header that is no good is told of, and not repeated whole in every request."""
    of_asgi(*headers)

    (line,) = caplog.messages
    assert len(line) < 300
    assert "… (" in line


def test_it_is_taken_back(undo):
    """Afterwards OpenTelemetry reads as it does."""
    undo()

    assert W3CBaggagePropagator.extract is ORIGINAL
    assert baggage.get_all(extract({"baggage": "a=b;c"}, Context())) == {"a": "b;c"}
