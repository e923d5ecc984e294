"""Searching what was captured, and the messages of failing assertions."""

import sqlite3
import sys

import pytest
from opentelemetry import _logs, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from spanglass.testing import FakeClock, capture

_TRACER = trace.get_tracer("shop")


def _query(text, scope="shop", system="sqlite", **more):
    return trace.get_tracer(scope).start_as_current_span(
        "SELECT", kind=SpanKind.CLIENT, attributes={"db.system.name": system, "db.query.text": text, **more}
    )


@pytest.fixture
def orders():
    """A request with four queries, three of them alike, and an error at its end."""
    with (
        capture(clock=FakeClock()) as telemetry,
        _TRACER.start_as_current_span(
            "GET /orders", kind=SpanKind.SERVER, attributes={"http.route": "/orders"}
        ) as request,
    ):
        with _query("SELECT * FROM orders"):
            pass
        for number in range(3):
            with _query(f"SELECT * FROM item WHERE order_id = {number}"):  # noqa: S608 - nothing runs it
                pass
        request.set_status(Status(StatusCode.ERROR, "no paper"))
    return telemetry


def test_the_tree_shows_what_hangs_below_what(orders):
    """Each span has its line: name, query, kind, failure; with durations where asked for."""
    assert orders.tree() == (
        "GET /orders  (server)  ERROR no paper\n"
        "├─ SELECT  SELECT * FROM orders  (client)\n"
        "├─ SELECT  SELECT * FROM item WHERE order_id = 0  (client)\n"
        "├─ SELECT  SELECT * FROM item WHERE order_id = 1  (client)\n"
        "└─ SELECT  SELECT * FROM item WHERE order_id = 2  (client)"
    )
    assert orders.tree(durations=True).startswith("GET /orders  (server)  9.0 ms  ERROR no paper\n")


def test_deeper_spans_are_indented_and_traces_stand_below_each_other():
    """A grandchild stands below its parent, beside the line of the parent's sibling; no spans say so."""
    with capture() as telemetry:
        empty = telemetry.tree()
        with _TRACER.start_as_current_span("a"):
            with _TRACER.start_as_current_span("b"), _TRACER.start_as_current_span("c"):
                pass
            with _TRACER.start_as_current_span("d"):
                pass
        with _TRACER.start_as_current_span("e"):
            pass
    assert (empty, telemetry.tree()) == ("(no spans)", "a\n├─ b\n│  └─ c\n└─ d\ne")


def test_spans_are_found_by_name_and_attributes(orders):
    """An underscore in a keyword stands for a dot as well."""
    assert [span["name"] for span in orders.find(http_route="/orders")] == ["GET /orders"]
    assert len(orders.find("SELECT", db_system_name="sqlite")) == 4
    assert orders.find("SELECT", **{"db.system.name": "postgresql"}) == []


def test_assert_span_gives_the_span_or_says_what_there_is(orders):
    """The span comes back; a missing attribute is shown with what the span has, and the tree."""
    assert orders.assert_span("GET /orders", http_route="/orders")["kind"] == "server"
    with pytest.raises(AssertionError) as failure:
        orders.assert_span("GET /orders", http_route="/baskets")
    assert str(failure.value).startswith(
        "no span 'GET /orders' with http_route='/baskets' was recorded\n"
        "  a span 'GET /orders' has {'http.route': '/orders'}\n\n"
        "GET /orders  (server)  9.0 ms"
    )


def test_assert_called_counts(orders):
    """At least once, or exactly so many times."""
    orders.assert_called("GET /orders")
    orders.assert_called("SELECT", times=4)
    with pytest.raises(AssertionError, match=r"the span 'SELECT' was expected 2 times, and recorded 4 times\n\nGET"):
        orders.assert_called("SELECT", times=2)
    with pytest.raises(AssertionError, match="the span 'charge' was expected at least once, and recorded 0 times"):
        orders.assert_called("charge")


def test_too_many_queries_are_listed_with_a_hint(orders):
    """The message groups queries that differ in values only, and says what three and more of a kind mean."""
    orders.assert_max_queries(4)
    with pytest.raises(AssertionError) as failure:
        orders.assert_max_queries(3)
    assert str(failure.value).startswith(
        "at most 3 SQL queries were expected, 4 made:\n"
        "     3 x  SELECT * FROM item WHERE order_id = ?\n"
        "     1 x  SELECT * FROM orders\n"
        "  hint: one query was made 3 times. If it runs once for each row of another (N+1), load all rows with one "
        "query: a join, IN (...), or the ORM's eager loading.\n\n"
        "GET /orders"
    )


def test_queries_of_a_library_and_its_driver_count_once():
    """The driver's span for the same call is left out, as child and as sibling; a repeated call counts again."""
    with capture(clock=FakeClock()) as telemetry:
        for _ in range(2):
            with _query("SELECT 1", scope="sqlalchemy"), _query("SELECT  1", scope="sqlite3"):
                pass
        outer = trace.get_tracer("sqlalchemy").start_span("SELECT", attributes={"db.statement": "SELECT 2"})
        with _query("SELECT 2", scope="sqlite3"):
            pass
        outer.end()
    assert [span["scope"] for span in telemetry.queries] == ["sqlalchemy", "sqlalchemy", "sqlalchemy", "sqlite3"]


def test_what_is_no_sql_is_not_counted():
    """Redis commands and spans without a text are no queries."""
    with capture() as telemetry:
        with _query("GET cart:1", system="redis"):
            pass
        with _TRACER.start_as_current_span("connect", attributes={"db.system.name": "sqlite"}):
            pass
    assert telemetry.queries == []


def test_counting_nothing_without_an_instrumentation_fails(monkeypatch):
    """A limit that holds only because nobody looks is an error that says what to install."""
    for name in [name for name in sys.modules if name.startswith("opentelemetry.instrumentation.")]:
        monkeypatch.delitem(sys.modules, name)
    with capture() as telemetry:
        sqlite3.connect(":memory:").close()
    with pytest.raises(AssertionError, match=r"no instrumentation of a database is loaded\. Install the one for yours"):
        telemetry.assert_max_queries(3)


def test_a_block_counts_its_own_queries_only():
    """``at_most_queries`` looks at the spans that end in its block; the part stays as it was at the block's end."""
    with capture() as telemetry:
        with _query("SELECT 1"):
            pass
        with telemetry.at_most_queries(1) as part, _query("SELECT 2"):
            pass
        with (
            pytest.raises(AssertionError, match="at most 0 SQL queries were expected, 1 made"),
            telemetry.at_most_queries(0),
            _query("SELECT 3"),
        ):
            pass
    assert ([q["attributes"]["db.query.text"] for q in part.queries], len(telemetry.queries)) == (["SELECT 2"], 3)


def test_errors_of_spans_and_logs_are_told(orders):
    """A failed span and an error in the log fail the assertion; logs can be left out."""
    with pytest.raises(AssertionError, match=r"no errors were expected:\n  span GET /orders: no paper\n\nGET /orders"):
        orders.assert_no_errors()
    with capture() as telemetry:
        with telemetry.no_errors():
            _logs.get_logger("shop").emit(body="fine", severity_number=_logs.SeverityNumber.WARN4)
        _logs.get_logger("shop").emit(body="broken", severity_number=_logs.SeverityNumber.ERROR)
    telemetry.assert_no_errors(logs=False)
    with pytest.raises(AssertionError, match=r"no errors were expected:\n  log shop: broken\n\n\(no spans\)"):
        telemetry.assert_no_errors()


def test_p95_is_the_nearest_rank_of_the_spans():
    """Of 20 spans the 19th decides; no span at all is a failure."""
    with capture() as telemetry:
        for ms in range(1, 21):
            _TRACER.start_span("work", start_time=0).end(ms * 10**6)
    telemetry.assert_p95_below(ms=19.1, name="work")
    with pytest.raises(
        AssertionError,
        match=r"p95 of 20 spans 'work' is 19\.0 ms, and below 19 ms was expected; the slowest took 20\.0",
    ):
        telemetry.assert_p95_below(ms=19, name="work")
    with pytest.raises(AssertionError, match="no span 'rest' was recorded, so there is no p95"):
        telemetry.assert_p95_below(ms=19, name="rest")
