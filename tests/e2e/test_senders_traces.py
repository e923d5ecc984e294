"""What a user must see of the traces that real senders send: the captures of tests/data/senders."""

from __future__ import annotations

import html
import re
from collections import Counter

import pytest
from senders import SENDERS

NAMES = sorted({path.parent.name for path in SENDERS.glob("*/*.json")})
WITH_TRACES = sorted(path.parent.name for path in SENDERS.glob("*/traces.txt"))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_refused_or_left_out(sent, name):
    """Whatever these senders send is valid: each request is a full success, also an empty one."""
    assert sent(name).requests


def trees(name):
    """Read how the traces of a capture are shown: a line for each span, ``!`` behind those that failed."""
    return (SENDERS / name / "traces.txt").read_text().rstrip("\n").split("\n\n")


def listed(cases_server, sent, name):
    """List the traces of a capture, oldest first."""
    services = {line.split()[0] for tree in trees(name) for line in tree.splitlines()}
    wanted = f"service.name in ({', '.join(services)})"
    return cases_server.get("/traces", filter=wanted, limit=100, order="asc", **sent(name).window)["traces"]


def line(span):
    """Write a span as a line of ``traces.txt``."""
    return f"{'  ' * span['depth']}{span['service']} {span['kind']} {span['name']}{' !' * (span['status'] == 'error')}"


@pytest.mark.parametrize("name", WITH_TRACES)
def test_every_span_stands_where_it_belongs(cases_server, sent, name):
    """The tree of each trace is whole, in the order of the list, with nothing missing, moved or left out."""
    traces = [cases_server.get(f"/traces/{row['trace_id']}") for row in listed(cases_server, sent, name)]
    assert ["\n".join(map(line, trace["spans"])) for trace in traces] == trees(name)
    assert [(trace["warnings"], trace["duplicate_spans"]) for trace in traces] == [([], 0)] * len(traces)
    assert {span["skew_ns"] for trace in traces for span in trace["spans"]} == {0}


@pytest.mark.parametrize("name", WITH_TRACES)
def test_the_list_counts_what_the_trace_shows(cases_server, sent, name):
    """Root, spans, errors and services of a row are those of the tree."""
    rows = listed(cases_server, sent, name)
    fields = ("root_service", "root_operation", "root_missing", "span_count", "error_count")
    shown = [[row[field] for field in fields] for row in rows]
    by_service = [{one["service"]: (one["spans"], one["errors"]) for one in row["services"]} for row in rows]
    expected = [row_of(tree.splitlines()) for tree in trees(name)]
    assert [[*row, services] for row, services in zip(shown, by_service, strict=True)] == expected


def row_of(lines):
    """Count the lines of a tree as a row of the list does."""
    spans, errors = (Counter(line.split()[0] for line in lines if line.endswith(end)) for end in ("", " !"))
    service, _, operation = lines[0].removesuffix(" !").split(" ", 2)
    services = {service: (count, errors[service]) for service, count in spans.items()}
    return [service, operation, False, spans.total(), errors.total(), services]


#: How a span is found, by whom it was sent, and the names of those that are found.
SEARCHES = [
    ("brave", "kind:client and service:storefront", ["GET", "GET"]),
    ("brave", "kind:server and service:stock", ["GET /reserve", "GET /reserve"]),
    ("brave", "status:error and service:stock", ["GET /reserve"]),
    ("brave", 'error = "sku none is unknown"', ["GET /reserve"]),
    ("py-zipkin", 'status:error and error ~ "account is locked"', ["post /login"]),
    ("jaeger-go", "status:error and kind:server and service:pricing-go", ["Price"]),
    ("jaeger-python", 'event.error.object ~ "no price" and kind:server and service:pricing', ["Price"]),
    ("java-agent", "service:orders and db.system.name = h2database and status:error", ["SELECT orders.nowhere"]),
    ("java-agent", "service:orders and event.exception.type ~ JdbcSQLSyntax", ["SELECT orders.nowhere"]),
    ("node", "service:checkout and span.order.id = 17", ["charge"]),
    ("node", "service:checkout and http.response.status_code >= 500 and kind:server", ["GET"]),
    ("node", "service:checkout and order.nonce > 18000000000000000000 and status:error", ["charge"]),
    ("go", "service:gateway and http.response.status_code = 404 and kind:client", ["HTTP GET"]),
    ("go", 'event.exception.message = "handler failed"', ["GET", "GET"]),
    ("rust", "service:warehouse and order.id = 17 and status:error", ["reserve", "reserve"]),
    ("rust", 'service:warehouse and event.exception.stacktrace = "stock.db is gone"', ["load"]),
    ("python", "mail.parts = html and exception.type = KeyError", ["render"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "found"), SEARCHES)
def test_spans_are_found_by_what_they_say(cases_server, sent, name, wanted, found):
    """A filter on kind, status, attributes and events finds exactly the spans that match."""
    spans = cases_server.get("/spans", filter=wanted, **sent(name).window)["spans"]
    assert [span["name"] for span in spans] == found


def page(cases_server, path):
    """Open a page and return the text between its tags, one bar for any number of tags."""
    answer = cases_server.request("GET", path)
    assert answer.status == 200, answer.body
    text = re.sub(r"<(script|style|template)\b.*?</\1>", "", answer.body.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"(\s*<[^>]+>\s*)+", "|", text))


#: What a trace that failed says: sender, how it is found, service and span in which it began to fail, why.
REASONS = [
    ("brave", "service:stock and status:error", "stock", "GET /reserve", "sku none is unknown"),
    ("py-zipkin", "service:accounts", "accounts", "post /login", "PermissionError: account is locked"),
    ("jaeger-go", "service:pricing-go", "pricing-go", "Price", "no price: tea is unknown"),
    ("jaeger-python", "service:pricing", "pricing", "load prices", "LookupError: no price for tea"),
    ("java-agent", 'url.query = "sku=bad"', "orders", "SELECT orders.nowhere",
     'org.h2.jdbc.JdbcSQLSyntaxErrorException: Table "NOWHERE" not found; SQL statement:'),
    ("java-agent", 'url.query = "sku=none"', "orders", "GET /",
     "java.lang.IllegalArgumentException: sku none is unknown"),
    ("node", "service:checkout and order.id = 19", "checkout", "charge", "declined: card was declined"),
    ("node", "service:checkout and server.port = 1", "checkout", "GET",
     "ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1"),
    ("go", "service:gateway and sku = none", "gateway", "reserve",
     "*fmt.wrapError: could not reserve: sku none is unknown"),
    ("go", "service:gateway and kind:client and status.message = EOF", "gateway", "GET", ".string: handler failed"),
    ("rust", "service:warehouse and sku = none and status:error", "warehouse", "load", "sku none is unknown"),
    ("rust", "service:warehouse and sku = disk", "warehouse", "load", "storage failed"),
    ("python", "service:mailer and status:error", "mailer", "render", "KeyError: 'customer_name'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "service", "span", "why"), REASONS)
def test_a_failed_trace_says_where_and_why(cases_server, sent, name, wanted, service, span, why):
    """API and page name the span in which it began to fail, and the reason that its sender gave, in one line."""
    (row,) = cases_server.get("/traces", filter=wanted, **sent(name).window)["traces"]
    failure = cases_server.get(f"/traces/{row['trace_id']}")["failure"]
    assert [failure[field] for field in ("service", "name", "reason")] == [service, span, why]
    head, _, _ = page(cases_server, f"/traces/{row['trace_id']}").partition("|Waterfall|")
    assert f"|{why}|" in head


#: What is shown of an exception: sender, how its span is found, type and message, a line of its stack.
EXCEPTIONS = [
    ("java-agent", "service:orders and status:error and kind:client and db.system exists",
     ["org.h2.jdbc.JdbcSQLSyntaxErrorException", 'Table "NOWHERE" not found'], "at Orders.order(Orders.java:31)"),
    ("node", "service:checkout and order.id = 19", ["declined", "card was declined"], "at /srv/shop/app.js:51:35"),
    ("go", "service:gateway and sku = none", ["*fmt.wrapError", "reserve: sku none is unknown"], "main.reserve"),
    ("go", 'service:gateway and name = "refresh prices"', ["*errors.errorString", "price list is empty"], ""),
    ("rust", "service:warehouse and sku = disk and name = load", ["storage failed"], "stock.db is gone"),
    ("python", "service:mailer and name = render and status:error", ["KeyError", "customer_name"], "in render"),
    ("jaeger-python", 'service:pricing and name = "load prices"', ["LookupError", "no price for tea"], "jaeger_py.py"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wanted", "said", "frame"), EXCEPTIONS)
def test_an_exception_is_shown_with_its_stack(cases_server, sent, name, wanted, said, frame):
    """The details of the span have type, message and stack, whatever the sender's language calls them."""
    (span,) = cases_server.get("/spans", filter=wanted, **sent(name).window)["spans"]
    text = page(cases_server, f"/traces/{span['trace_id']}?span={span['span_id']}")
    for words in (*said, frame):
        assert words in text


#: Whose requests are counted: sender, service, requests, errors.
SERVICES = [
    ("brave", "storefront", 2, 1),
    ("brave", "stock", 2, 1),
    ("py-zipkin", "edge", 1, 0),
    ("py-zipkin", "accounts", 1, 1),
    ("jaeger-go", "cart-go", 1, 0),
    ("jaeger-go", "pricing-go", 1, 1),
    ("jaeger-python", "cart", 1, 1),
    ("jaeger-python", "pricing", 1, 1),
    ("java-agent", "orders", 4, 2),
    ("node", "checkout", 4, 1),
    ("go", "gateway", 6, 0),
    ("rust", "warehouse", 4, 2),
    ("python", "mailer", 6, 1),
]


@pytest.mark.parametrize(("name", "service", "requests", "errors"), SERVICES)
def test_the_requests_of_a_service_are_counted(cases_server, sent, name, service, requests, errors):
    """A service has the requests that its server or consumer spans stand for, and those of them that failed."""
    found = cases_server.get("/services", **sent(name).window)["services"]
    (row,) = (one for one in found if one["service"] == service)
    assert (row["requests"], row["errors"]) == (requests, errors)
