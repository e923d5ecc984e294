"""Each fault switch, and health without any, as the telemetry of the running shop tells it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from otlp_receiver import Record
    from running import Shop

# One shop for all tests of this file, on one worker: it is five processes.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shop")]

MIB = 2**20


def span(service: str, name: str) -> Callable[[Record], bool]:
    """Match spans by service and name."""
    return lambda record: (record.kind, record.service, record.name) == ("span", service, name)


def point(service: str, name: str) -> Callable[[Record], bool]:
    """Match data points by service and metric."""
    return lambda record: (record.kind, record.service, record.name) == ("point", service, name)


def error_log(service: str, text: str) -> Callable[[Record], bool]:
    """Match logs of severity ERROR by service and a part of the text."""
    return lambda record: (
        record.kind == "log"
        and record.service == service
        and text in record.name
        and record.raw.severity_text == "ERROR"
    )


def test_a_healthy_order_is_one_trace_through_four_services(shop: Shop) -> None:
    """Web, catalog, checkout and payment share a trace without any error; checkout hands over to the queue in it."""
    trace_id = shop.new_trace()
    assert shop.order().status_code == 201
    for service, name in (
        ("web", "POST /api/orders"),
        ("catalog", "POST /quotes"),
        ("checkout", "send orders"),
        ("payment", "POST /charges"),
    ):
        shop.in_trace(trace_id, span(service, name))  # each process sends by itself
    spans = shop.in_trace(trace_id, lambda record: record.kind == "span")
    assert {record.service for record in spans} == {"web", "catalog", "checkout", "payment"}
    assert [record for record in spans if record.failed] == []


def test_the_worker_links_back_to_the_order(shop: Shop) -> None:
    """The consumer span starts a trace of its own and links to the producer span of the same message."""
    trace_id = shop.new_trace()
    shop.order()
    (sent,) = shop.in_trace(trace_id, span("checkout", "send orders"))
    message = sent.attributes["messaging.message.id"]
    (processed,) = shop.find(
        0,
        lambda record: (
            span("fulfilment", "process orders")(record) and record.attributes["messaging.message.id"] == message
        ),
    )
    (link,) = processed.raw.links
    assert (link.trace_id, link.span_id) == (sent.raw.trace_id, sent.raw.span_id)
    assert (sent.raw.kind, processed.raw.kind) == (Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER)
    assert (processed.raw.parent_span_id, processed.attributes["messaging.operation.type"]) == (b"", "process")


def test_old_and_new_semantic_conventions_both_occur(shop: Shop) -> None:
    """Catalog sends http.request.method, db.query.text and seconds; payment http.method and milliseconds."""
    mark = shop.mark()
    trace_id = shop.new_trace()
    shop.order()
    new = shop.in_trace(trace_id, span("catalog", "POST /quotes"))[0].attributes
    (old,) = (record.attributes for record in shop.in_trace(trace_id, span("payment", "POST /charges")))
    select = shop.in_trace(trace_id, span("catalog", "SELECT"))[0].attributes
    assert ("http.request.method" in new, "http.method" in new) == (True, False)
    assert ("http.request.method" in old, "http.method" in old) == (False, True)
    assert select["db.query.text"].startswith("SELECT id, price_cents")
    shop.find(mark, point("catalog", "http.server.request.duration"))
    shop.find(mark, point("payment", "http.server.duration"))


def test_business_metrics_carry_exemplars_and_logs_their_trace(shop: Shop) -> None:
    """The value of an order points to its trace, and so does the log record that tells of it."""
    mark = shop.mark()
    trace_id = shop.new_trace()
    shop.order()
    shop.in_trace(trace_id, lambda record: record.kind == "log" and "placed" in record.name)
    shop.find(
        mark,
        lambda record: (
            point("checkout", "shop.order.value")(record)
            and trace_id in {exemplar.trace_id for exemplar in record.raw.exemplars}
        ),
    )
    shop.find(mark, point("checkout", "shop.orders"))
    shop.find(mark, point("checkout", "shop.revenue"))


def test_payment_failure(shop: Shop) -> None:
    """Of two orders the first fails, with ProviderTimeout on payment's span and errors in checkout and web."""
    trace_id = shop.new_trace()
    shop.turn("payment_failure", on=True)
    assert [shop.order().status_code, shop.order().status_code] == [502, 201]
    charges = shop.in_trace(trace_id, span("payment", "POST /charges"), at_least=2)
    types = [[error["exception.type"] for error in charge.exceptions] for charge in charges]
    assert types == [["shop.services.payment.ProviderTimeout"], []]
    assert [charge.failed for charge in charges] == [True, False]
    shop.in_trace(trace_id, error_log("payment", "Exception on /charges"))
    for service, name in (("checkout", "POST /orders"), ("web", "POST /api/orders")):
        spans = shop.in_trace(trace_id, span(service, name), at_least=2)
        assert [record.failed for record in spans] == [True, False]


def test_product_failure(shop: Shop) -> None:
    """One product is an exception, another one is fine, and the span attribute tells them apart."""
    trace_id = shop.new_trace()
    shop.turn("product_failure", on=True)
    assert shop.client.get("/api/products/p-13").status_code == 502
    assert shop.client.get("/api/products/p-14").status_code == 200
    pages = shop.in_trace(trace_id, span("catalog", "GET /products/<product_id>"), at_least=2)
    outcome = {page.attributes["shop.product.id"]: [e["exception.type"] for e in page.exceptions] for page in pages}
    assert outcome == {"p-13": ["ValueError"], "p-14": []}


def test_slow_query(shop: Shop) -> None:
    """The search's one SELECT reads without its index, takes much longer, and answers the same."""
    trace_id = shop.new_trace()
    healthy = shop.client.get("/api/products").json()
    shop.turn("slow_query", on=True)
    assert shop.client.get("/api/products").json() == healthy
    fast, slow = shop.in_trace(trace_id, span("catalog", "SELECT"), at_least=2)
    assert ["NOT INDEXED" in query.attributes["db.query.text"] for query in (fast, slow)] == [False, True]


def test_n_plus_one(shop: Shop) -> None:
    """A search of twenty products makes twenty-one SELECT spans under one request, where it made one."""
    healthy = shop.new_trace()
    shop.client.get("/api/products")
    shop.in_trace(healthy, span("catalog", "GET /products"))
    assert len(shop.in_trace(healthy, span("catalog", "SELECT"))) == 1
    trace_id = shop.new_trace()
    shop.turn("n_plus_one", on=True)
    shop.client.get("/api/products")
    (request,) = shop.in_trace(trace_id, span("catalog", "GET /products"))
    queries = shop.in_trace(trace_id, span("catalog", "SELECT"), at_least=21)
    assert {query.raw.parent_span_id for query in queries} == {request.raw.span_id}
    assert len(queries) == 21


def test_memory_leak(shop: Shop) -> None:
    """Views of products raise web's process memory by 1 MiB for eight; switched off, most of it comes back."""
    mark = shop.mark()
    before = shop.find(mark, point("web", "process.memory.usage"))[-1].value
    shop.turn("memory_leak", on=True)
    for _ in range(20 * 8):
        shop.client.get("/api/products/p-02")
    shop.find(
        mark,
        lambda record: point("web", "process.memory.usage")(record) and record.value - before > 15 * MIB,
    )
    shop.turn("memory_leak", on=False)
    shop.client.get("/api/products/p-02")
    after = shop.mark()
    shop.find(
        after,
        lambda record: point("web", "process.memory.usage")(record) and record.value - before < 10 * MIB,
    )


def test_queue_lag(shop: Shop) -> None:
    """Orders come faster than they leave: the queue's length goes up, and the second order has waited for the first."""
    mark = shop.mark()
    shop.turn("queue_lag", on=True)
    for _ in range(3):
        assert shop.order().status_code == 201
    shop.find(mark, lambda record: point("fulfilment", "spanglass.queue.length")(record) and record.value >= 2)
    slow = shop.find(
        mark, lambda record: span("fulfilment", "process orders")(record) and record.duration_ms >= 5000, at_least=2
    )
    assert slow[1].attributes["shop.queue.wait_s"] > slow[0].attributes["shop.queue.wait_s"]
    shop.find(mark, point("fulfilment", "shop.queue.wait"))
    shop.turn("queue_lag", on=False)
    shop.find(shop.mark(), lambda record: point("fulfilment", "spanglass.queue.length")(record) and record.value == 0)


def test_payment_down(shop: Shop) -> None:
    """The process is gone: connection errors in checkout; switched off, orders go through again."""
    trace_id = shop.new_trace()
    shop.turn("payment_down", on=True)
    wait_for_answer(shop, 502)
    refused = shop.in_trace(trace_id, lambda record: span("checkout", "POST")(record) and record.exceptions != [])
    # refused, or cut off on an open connection: before the request was sent, before its answer, or within it
    cut_off = {"httpx.WriteError", "httpx.ReadError", "httpx.RemoteProtocolError"}
    assert refused[0].exceptions[0]["exception.type"] in {"httpx.ConnectError", *cut_off}
    shop.in_trace(trace_id, error_log("checkout", "a service does not answer"))
    shop.turn("payment_down", on=False)
    wait_for_answer(shop, 201)


def wait_for_answer(shop: Shop, status_code: int) -> None:
    """Order until an order is answered with `status_code`."""
    shop.wait_until(lambda: shop.order().status_code == status_code)


def test_log_errors(shop: Shop) -> None:
    """One search logs twenty errors, each with its exception and trace, and the request itself is fine."""
    trace_id = shop.new_trace()
    shop.turn("log_errors", on=True)
    assert shop.client.get("/api/products").status_code == 200
    errors = shop.in_trace(trace_id, error_log("catalog", "Stock feed"), at_least=20)
    assert len(errors) == 20
    assert {error.attributes["exception.type"] for error in errors} == {"json.decoder.JSONDecodeError"}
    (request,) = shop.in_trace(trace_id, span("catalog", "GET /products"))
    assert not request.failed


def test_lock_contention(shop: Shop) -> None:
    """A search waits for the lock and then holds it; a product page waits too."""
    trace_id = shop.new_trace()
    shop.turn("lock_contention", on=True)
    shop.client.get("/api/products")
    shop.client.get("/api/products/p-02")
    shop.in_trace(trace_id, span("catalog", "wait for the price lock"), at_least=2)
    (held,) = shop.in_trace(trace_id, span("catalog", "recalculate prices"))
    assert held.duration_ms >= 300


def test_sequential_calls(shop: Shop) -> None:
    """A product page makes four calls, each after the one before, where it made one."""
    trace_id = shop.new_trace()
    shop.turn("sequential_calls", on=True)
    assert set(shop.client.get("/api/products/p-02").json()) >= {"reviews", "stock", "prices"}
    calls = shop.in_trace(trace_id, span("web", "GET"), at_least=4)
    assert all(one.raw.end_time_unix_nano <= other.raw.start_time_unix_nano for one, other in itertools.pairwise(calls))


def test_slow_external(shop: Shop) -> None:
    """A charge waits for a call that no service of the shop answers."""
    trace_id = shop.new_trace()
    shop.turn("slow_external", on=True)
    assert shop.order().status_code == 201
    (call,) = shop.in_trace(trace_id, span("payment", "GET"))
    assert call.duration_ms >= 800
    spans = shop.in_trace(trace_id, lambda record: record.kind == "span")
    assert call.raw.span_id not in {record.raw.parent_span_id for record in spans}


def test_tenant_release(shop: Shop) -> None:
    """Every second order has the new release; only with it, and only for one tenant, orders are slow."""
    trace_id = shop.new_trace()
    shop.turn("tenant_release", on=True)
    for tenant in ("acme", "acme", "cedar", "cedar"):
        assert shop.order(tenant=tenant).status_code == 201
    orders = shop.in_trace(trace_id, span("checkout", "POST /orders"), at_least=4)
    slow = {
        (order.attributes["shop.tenant"], order.attributes["shop.pricing.release"]): order.duration_ms >= 200
        for order in orders
    }
    assert slow.keys() == {(tenant, release) for tenant in ("acme", "cedar") for release in ("1.8", "2.0")}
    assert slow["acme", "2.0"]
    prices = shop.in_trace(trace_id, span("checkout", "price by contract"), at_least=4)
    assert max(price.duration_ms for price in prices) >= 200  # ms, as the fault's own filter has it


def test_retry_storm(shop: Shop) -> None:
    """One order is charged again and again until it goes through, or is given up."""
    trace_id = shop.new_trace()
    shop.turn("retry_storm", on=True)
    assert shop.order().status_code == 201
    charges = shop.in_trace(trace_id, span("payment", "POST /charges"), at_least=4)
    assert [charge.attributes["http.status_code"] for charge in charges] == [503, 503, 503, 200]


def test_the_page_shows_and_presses_every_switch(shop: Shop) -> None:
    """Each fault is a switch on the page; pressing one turns it on and comes back to the page, which says so."""
    page = shop.client.get("/")
    assert page.headers["content-security-policy"] == "default-src 'self'"
    assert page.text.count('role="switch"') == 13
    assert 'aria-checked="true"' not in page.text
    pressed = shop.client.post("/faults/log_errors/on", follow_redirects=True)
    assert pressed.text.count('aria-checked="true"') == 1
    assert shop.client.post("/faults/no_such/on").status_code == 404
