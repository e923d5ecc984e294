"""The typical trace of an operation, over tables written by hand."""

from __future__ import annotations

from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.performance.typical import typical_trace
from spanglass_server.store.ports import Window

SECOND, MS = 1_000_000_000, 1_000_000
T0 = 1_000_000 * SECOND
WINDOW = Window(T0, T0 + 4000 * SECOND)


def spans_of(number):
    """Make a trace: a page that asks the shop, which runs two statements, and forty where it is slow."""
    slow = number % 20 == 0
    trace_id, start_ns = number.to_bytes(16, "big"), T0 + number * SECOND

    def span(place, parent, name, offset, length, **more):
        return {
            "trace_id": trace_id, "span_id": bytes([place]) * 8, "parent_span_id": parent and bytes([parent]) * 8,
            "resource.service.name:str": "shop", "name": name, "kind": 3, "start_time_ns": start_ns + offset * MS,
            "duration_ns": length * MS, **more,
        }  # fmt: skip

    length = 450 if slow else 50
    count = 40 if slow else 2
    return [
        span(1, None, "GET /", 0, length + 10, **{"resource.service.name:str": "web", "kind": 2}),
        span(2, 1, "GET /cart", 5, length, kind=2),
        *(span(3 + n, 2, "SELECT price", 6 + 10 * n, 10,
               **{"span.db.query.text:str": f"SELECT * FROM price WHERE sku = {number + n}"})  # noqa: S608 - never run
          for n in range(count)),
    ]  # fmt: skip


def test_slow_requests_are_slow_where_they_call_more(open_tables):
    """Of 400 requests some are read; figures are of an average one, and the statements explain the slow ones."""
    session = open_tables(spans=[span for number in range(400) for span in spans_of(number)])
    answer = typical_trace(session, SpanQuestion(WINDOW, service="shop", operation="GET /cart"), 10)

    assert answer["spans"] == 400
    assert 20 <= answer["usual"] <= 100
    assert 5 <= answer["slow"] <= 50
    request, select = answer["calls"]
    assert (request["operation"], request["parent"], request["usual"]["calls"]) == ("GET /cart", -1, 1.0)
    assert (select["operation"], select["parent"], select["depth"]) == ("SELECT price", 0, 1)
    assert select["usual"]["p50_ns"] == 10 * MS
    assert 2 <= select["usual"]["calls"] < 10
    assert select["slow"]["calls"] > 2 * select["usual"]["calls"]
    assert select["slower_ns"] > 3 * abs(request["slower_ns"])
    assert [each["text"] for each in answer["statements"]] == ["SELECT * FROM price WHERE sku = ?"]
    assert answer["statements"][0]["slow_total_ns"] == select["slow"]["total_ns"]
    caller = {"service": "web", "operation": "GET /", "requests": answer["usual"]}
    assert [{key: each[key] for key in caller} for each in answer["callers"]] == [caller]


def test_few_requests_are_all_read_and_none_are_nothing(open_tables):
    """Of three requests all are read, a root has no caller; without spans everything is empty."""
    session = open_tables(spans=[span for number in (1, 2, 3) for span in spans_of(number)])
    answer = typical_trace(session, SpanQuestion(WINDOW, service="web"), 10)
    assert (answer["spans"], answer["usual"], answer["callers"]) == (3, 3, [])
    assert [each["operation"] for each in answer["calls"]] == ["GET /", "GET /cart", "SELECT price"]
    assert len(typical_trace(session, SpanQuestion(WINDOW, service="web"), 2)["calls"]) == 2
    nothing = typical_trace(session, SpanQuestion(WINDOW, service="nobody"), 10)
    assert (nothing["spans"], nothing["calls"], nothing["statements"], nothing["slow_ns"]) == (0, [], [], None)
