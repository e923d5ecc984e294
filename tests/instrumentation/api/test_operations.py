"""Operations with statistics."""

from __future__ import annotations

import asyncio
import math

import pytest
from opentelemetry.trace import StatusCode

from spanglass.api import operations
from spanglass.api.operations import OTHER, OperationStatistics, PerformanceMonitor
from spanglass.api.spans import current_span, span
from spanglass.errors import PerformanceError

SECOND_NS = 1_000_000_000


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now_ns = 0

    def __call__(self):  # noqa: D102 - reads it
        return self.now_ns

    def pass_s(self, seconds):
        """Move on."""
        self.now_ns += round(seconds * SECOND_NS)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def monitor(clock):
    return PerformanceMonitor(clock_ns=clock)


def test_a_block_is_counted_measured_and_a_span(sent, clock, monitor):
    """A block that ends is one run: in the statistics, in the histogram, and a span that is current inside."""
    with monitor.track_operation("query", table="orders") as operation:
        clock.pass_s(0.25)
        assert current_span().otel is operation.span.otel

    assert monitor.get_statistics("query").count == 1
    assert sent.points("spanglass.operation.duration") == [({"spanglass.operation.name": "query"}, (1, 0.25))]
    assert sent.metrics["spanglass.operation.duration"].unit == "s"
    assert sent.span.name == "query"
    assert dict(sent.span.attributes) == {"spanglass.operation.name": "query", "table": "orders"}


def test_the_metric_names_the_span(sent, monitor):
    """The histogram's exemplar has the ids of the run's span."""
    with monitor.track_operation("query"):
        pass

    (point,) = sent.metrics["spanglass.operation.duration"].data.data_points
    assert [exemplar.span_id for exemplar in point.exemplars] == [sent.span.context.span_id]


def test_the_explicit_form(sent, clock, monitor):
    """complete() ends a run once; its span is not current meanwhile."""
    operation = monitor.track_operation("query")
    assert current_span().trace_id == ""
    clock.pass_s(2)
    operation.complete(rows=3)
    clock.pass_s(5)
    operation.complete()
    operation.fail("late")

    found = monitor.get_statistics()
    assert (found.count, found.errors, found.avg_response_time) == (1, 0, 2.0)
    assert dict(sent.span.attributes) == {"spanglass.operation.name": "query", "rows": 3}
    assert sent.span.status.status_code == StatusCode.UNSET


def test_a_failure_is_counted_with_its_type(sent, monitor):
    """An exception that leaves the block, fail(error) and fail(text) are errors, with few values of error.type."""
    with pytest.raises(LookupError, match="gone"), monitor.track_operation("a"):
        raise LookupError("gone")
    monitor.track_operation("b").fail(KeyError("x"))
    monitor.track_operation("c").fail("no stock for order 17")

    assert [(each.name, each.status.description, each.attributes["error.type"]) for each in sent.spans] == [
        ("a", "LookupError: gone", "LookupError"),
        ("b", "KeyError: 'x'", "KeyError"),
        ("c", "no stock for order 17", OTHER),
    ]
    assert [attributes for attributes, _ in sent.points("spanglass.operation.duration")] == [
        {"spanglass.operation.name": "a", "error.type": "LookupError"},
        {"spanglass.operation.name": "b", "error.type": "KeyError"},
        {"spanglass.operation.name": "c", "error.type": OTHER},
    ]
    found = monitor.get_statistics()
    assert (found.count, found.errors, found.error_rate) == (3, 3, 1.0)


@pytest.mark.usefixtures("sent")
def test_failed_inside_its_block(monitor):
    """fail() inside the block counts, not the end of the block; the span before is current again afterwards."""
    with span("outer"):
        with monitor.track_operation("a") as operation:
            operation.fail("no stock")
        assert current_span().name == "outer"

    assert (monitor.get_statistics().errors, monitor.get_statistics().count) == (1, 1)


def test_without_a_span(sent, monitor):
    """span=False leaves the current span as it is, and measures all the same."""
    with span("outer") as outer, monitor.track_operation("a", span=False) as operation:
        assert current_span().span_id == outer.span_id
        operation.span.set(ignored=1)

    assert [each.name for each in sent.spans] == ["outer"]
    assert monitor.get_statistics("a").count == 1


@pytest.mark.usefixtures("sent")
def test_statistics_per_operation_and_together(clock, monitor):
    """Each name has its own statistics, all together have theirs; what never ran has counts of zero."""
    for seconds in (0.1, 0.2, 0.3):
        operation = monitor.track_operation("a")
        clock.pass_s(seconds)
        operation.complete()
    operation = monitor.track_operation("b")
    clock.pass_s(1.4)
    operation.fail()

    assert monitor.get_statistics() == OperationStatistics(
        count=4,
        errors=1,
        average_s=pytest.approx(0.5),
        min_s=0.1,
        max_s=1.4,
        p50_s=pytest.approx(0.2, rel=0.01),
        p95_s=pytest.approx(0.3, rel=0.01),
        p99_s=pytest.approx(0.3, rel=0.01),
        throughput_per_s=2.0,
    )
    assert {name: each.count for name, each in monitor.operations().items()} == {"a": 3, "b": 1}
    assert monitor.get_statistics("a").throughput_per_s == 1.5
    never = monitor.get_statistics("never")
    assert (never.count, never.error_rate, math.isnan(never.average_s)) == (0, 0.0, True)


def test_concurrent_tasks(sent, monitor):
    """Runs in several tasks are counted apart and nest by task."""

    async def work():
        with monitor.track_operation("outer"):
            await asyncio.sleep(0)
            with monitor.track_operation("inner"):
                await asyncio.sleep(0)

    async def all_of_them():
        await asyncio.gather(*(work() for _ in range(3)))

    asyncio.run(all_of_them())

    outer = {each.context.span_id for each in sent.spans if each.name == "outer"}
    assert {each.parent.span_id for each in sent.spans if each.name == "inner"} == outer
    assert {name: each.count for name, each in monitor.operations().items()} == {"outer": 3, "inner": 3}


def test_names_are_bounded(sent, failures, clock):
    """Beyond the most names the runs are counted together, and said once."""
    monitor = PerformanceMonitor(max_operations=2, clock_ns=clock)
    for name in ("a", "b", "c", "d", "a"):
        monitor.track_operation(name).complete()
    monitor.track_operation("").complete()

    assert {name: each.count for name, each in monitor.operations().items()} == {"a": 2, "b": 1, OTHER: 3}
    assert failures == {"keep operations apart": 2}
    assert ({"spanglass.operation.name": OTHER}, (3, 0.0)) in sent.points("spanglass.operation.duration")


def test_a_wrong_monitor_is_refused():
    """The error names the argument."""
    with pytest.raises(PerformanceError, match="window_s is 0: throughput is counted over more than no time"):
        PerformanceMonitor(window_s=0)
    with pytest.raises(PerformanceError, match="max_operations is 0: at least one name must be kept"):
        PerformanceMonitor(max_operations=0)


def test_a_broken_clock_does_not_break_the_block(sent, monkeypatch, failures):
    """An exception while counting is counted itself, and goes no further."""
    monitor = PerformanceMonitor(clock_ns=lambda: 0)
    operation = monitor.track_operation("a")
    monkeypatch.delenv("SPANGLASS_STRICT")
    monkeypatch.setattr(monitor, "_clock_ns", lambda: 1 / 0)

    operation.complete()

    assert failures == {"count an operation": 1}
    assert sent.span.name == "a"


@pytest.mark.usefixtures("sent")
def test_the_process_has_a_monitor(monkeypatch):
    """track_operation and operation_statistics share one; it works with providers and without."""
    monkeypatch.setattr(operations, "default_monitor", PerformanceMonitor())
    with operations.track_operation("query", rows=1):
        pass

    assert operations.operation_statistics("query").count == 1
    assert operations.operation_statistics().count == 1
