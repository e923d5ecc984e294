"""What operations and queries mean: thresholds, trends, N+1, slow queries, and what to do about them."""

from __future__ import annotations

import asyncio
import json
import math

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from spanglass.api.analysis.figures import Figures, numbers_of
from spanglass.api.analysis.queries import QueryLog, shape_of
from spanglass.api.analysis.thresholds import ThresholdManager
from spanglass.api.analysis.trends import trend_of
from spanglass.api.collector import MetricsCollector
from spanglass.api.operations import PerformanceMonitor
from spanglass.api.spans import span
from spanglass.clock import NS_PER_S
from spanglass.errors import CollectionError, PerformanceError
from spanglass.sdk import published
from spanglass.sdk.providers import Providers
from spanglass_core.alerting.severity import Severity

ITEMS = "SELECT * FROM items WHERE order_id = {0} AND state IN (1, {0})"
COLUMN = "SELECT a{0}\n FROM t WHERE x = '{0}'"
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


@pytest.fixture
def providers():
    made = Providers(TracerProvider(), MeterProvider([]), LoggerProvider())
    published.publish(made)
    yield made
    published.take_back(made)
    made.tracer.shutdown()


@pytest.fixture
def monitor(time):
    return PerformanceMonitor(clock_ns=lambda: time.now_ns, unix_ns=lambda: time.now_ns)


def query(text, seconds, time):
    """A call of a database, as instrumentations tell of it."""
    with span("SELECT", kind="client", attributes={"db.system.name": "postgresql", "db.query.text": text}) as call:
        with span("driver", kind="client", attributes={"db.system.name": "postgresql", "db.query.text": text}) as inner:
            inner.otel.end(time.now_ns + round(seconds * NS_PER_S))
        call.otel.end(call.otel.start_time + round(seconds * NS_PER_S))


@pytest.mark.usefixtures("providers")
def test_a_report_recommends_what_to_do_about_loops_and_slow_queries(monitor, time):
    """A9: on the spans of N+1 and slow queries the report names query and operation, and says what helps."""
    stop = monitor.watch_queries()
    with monitor.track_operation("list orders"):
        query("SELECT * FROM orders", 0.01, time)
        for number in range(12):
            query(ITEMS.format(number), 0.001, time)
        time.pass_s(2)
    with monitor.track_operation("report"):
        query("SELECT sum(price) FROM sales WHERE year = 2025", 0.7, time)
    stop()
    query("SELECT 1", 9.0, time)

    report = asyncio.run(monitor.monitor_performance())

    assert [(each.title, each.severity) for each in report.recommendations] == [
        ("list orders runs one query for each row (N+1)", WARNING),
        ("SELECT sales is slow", WARNING),
    ]
    loop, slow = report.recommendations
    assert loop.evidence["query"] == "SELECT * FROM items WHERE order_id = ? AND state IN (?)"
    assert (loop.evidence["times_in_one_run"], loop.evidence["operation"]) == (12, "list orders")
    assert "eager loading" in loop.action
    assert "EXPLAIN" in slow.action
    assert slow.evidence["max_s"] == pytest.approx(0.7)
    assert [each.metric for each in report.analysis.findings] == ["slow_queries", "repeated_queries"]
    assert report.analysis.details["time_shares"] == {"list orders": 1.0, "report": 0.0}
    assert report.metrics["request_count"] == 2
    assert json.loads(json.dumps(report.as_dict()))["recommendations"][1]["title"] == "SELECT sales is slow"


def test_watching_queries_needs_spans(monitor):
    """Before configure() there is nothing to watch, and the error says so."""
    with pytest.raises(PerformanceError, match="configure"):
        monitor.watch_queries()


def test_thresholds_that_are_crossed_point_to_the_operation_behind_it(monitor, time):
    """Default thresholds of error rate and response time; the operation that adds most is named."""
    for number in range(60):
        operation = monitor.track_operation("charge" if number % 6 else "export", span=False)
        time.pass_s(0.05 if number % 6 else 12 if number == 6 else 4)
        operation.fail("declined") if number % 6 == 1 else operation.complete()

    report = asyncio.run(monitor.monitor_performance())

    assert report.analysis.severity is CRITICAL
    assert [each.text for each in report.analysis.findings] == [
        "error_rate is 16.67%, above the critical threshold of 5%",
        "charge failed 10 times of 50",
    ]
    assert "Begin with charge" in report.recommendations[0].action
    monitor.thresholds.set_threshold("avg_response_time", critical="500ms")
    first = asyncio.run(monitor.monitor_performance()).recommendations[1]
    assert "Begin with export" in first.action
    assert first.evidence["share_of_time"] == pytest.approx(48 / 50.5, rel=0.01)


def test_a_threshold_that_was_crossed_is_until_the_figure_has_recovered():
    """Five percent before the threshold, or where recovery says, and each level by itself."""
    manager = ThresholdManager({"disk": {"warning": "80%", "critical": 0.9, "recovery": "70%"}})
    manager.set_threshold("rate", warning=10, worse="below")

    def levels(*values, metric="disk"):
        return [[each.severity for each in manager.check({metric: value})] for value in values]

    assert levels(0.75, 0.81, 0.91, 0.87, 0.85, 0.75, 0.7, 0.75) == [
        [], [WARNING], [CRITICAL], [CRITICAL], [WARNING], [WARNING], [], []
    ]  # fmt: skip
    assert levels(10, 9, 10.4, 10.6, math.nan, metric="rate") == [[], [WARNING], [WARNING], [], []]
    manager.set_threshold("disk", warning="80%", enabled=False)
    assert levels(0.95) == [[]]
    assert manager.thresholds()["disk"].warning == 0.8
    manager.remove_threshold("disk")
    assert list(manager.thresholds()) == ["rate"]


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"warning": "90"}, None),
        ({"warning": "90 parts"}, "'disk': warning parts is no unit"),
        ({"warning": True}, "'disk': warning is True"),
        ({"warning": 0.9, "critical": 0.8}, "critical at 0.8 comes before warning at 0.9"),
        ({"warning": "1s", "critical": "90%"}, "ratio, s can't be compared"),
        ({"worse": "left"}, "worse is 'left'"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(bounds, said):
    """The error names the figure and what is wrong with it."""
    if said is None:
        assert ThresholdManager({"disk": bounds}).thresholds()["disk"].warning == 90
        return
    with pytest.raises(PerformanceError, match=said):
        ThresholdManager({"disk": bounds})


def test_trends():
    """A line that rises says when it reaches its limit; noise, a flat line and few points say nothing."""
    hours_ns = [number * 3600 * NS_PER_S for number in range(10)]
    rising = trend_of(hours_ns, [0.5 + 0.03 * number for number in range(10)], least_change=0.01, limit=1.0)

    assert (rising.direction, round(rising.per_hour, 6), round(rising.fit, 6)) == ("rising", 0.03, 1.0)
    assert rising.reaches_limit_s == pytest.approx(0.23 / 0.03 * 3600)
    assert trend_of(hours_ns, [0.9 - 0.03 * number for number in range(10)], limit=1.0).reaches_limit_s is None
    assert trend_of(hours_ns, [number % 2 for number in range(10)]).direction == "steady"
    assert trend_of(hours_ns, [0.5 + 0.0001 * number for number in range(10)], least_change=0.01).direction == "steady"
    assert trend_of(hours_ns[:4], [1, 2, 3, 4]).direction == "unknown"


def test_the_shapes_of_queries_are_bounded_and_without_values():
    """Literals, lists and line breaks make no new shape, and neither shapes nor runs grow for ever."""
    log = QueryLog()
    for number in range(600):
        log.record(COLUMN.format(number), 0.1, run=number)

    assert len(log.figures()) == 500
    assert shape_of("SELECT  *\nFROM t WHERE x IN (1, 2,3) AND y = 'a;b'") == "SELECT * FROM t WHERE x IN (?) AND y = ?"


@pytest.mark.usefixtures("providers")
def test_whatever_has_metrics_can_be_read_as_numbers():
    """Plain mappings, figures and what MetricsCollector recorded; what is no number is named."""
    collector = MetricsCollector()
    collector.record_counter("orders", 3, shop="a")
    collector.record_counter("orders", 4, shop="b")
    collector.record_gauge("queue_size", 5, queue="a")
    collector.record_gauge("queue_size", 9, queue="b")
    for value in (1.0, 3.0):
        collector.record_histogram("wait", value)
    found = numbers_of(collector.get_metrics())

    assert (found["orders"], found["queue_size"], found["avg_wait"], found["max_wait"]) == (7, 9, 2, 3)
    assert numbers_of(Figures({"a": 1.0, "b": math.nan})) == {"a": 1.0, "b": None}
    assert numbers_of({"a": None}) == {"a": None}
    with pytest.raises(CollectionError, match="'b' is 'x'"):
        numbers_of({"a": 1, "b": "x"})
