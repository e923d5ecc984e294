"""Operations with statistics: ``with track_operation("query_execution"): ...``.

Each run that completes is counted in this process, measured in the histogram ``spanglass.operation.duration``, and,
unless ``span=False``, a span. In the explicit form (``operation = track_operation(...)`` ... ``operation.complete()``)
the span is not current, for nothing says where its block ends.

A monitor also says what its statistics mean: thresholds, queries that are slow or run in a loop, and what to do
(``await monitor.monitor_performance()``); ``spanglass.api.analysis`` does that, imported when it is asked for.
"""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Self

from opentelemetry import trace

from spanglass.api import metrics
from spanglass.api.spans import SpanHandle, begin, qualified_name
from spanglass.api.statistics import OperationStatistics, OperationTally, combined
from spanglass.clock import NS_PER_S
from spanglass.errors import PerformanceError
from spanglass.exceptions.expected import is_failure
from spanglass.guard import report, swallow
from spanglass.process.forking import in_child_while_alive
from spanglass.values import MAX_NAME, attributes_of, text_of
from spanglass_core.attribute_names import OPERATION_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from types import TracebackType

    from spanglass.api.analysis.figures import Figures
    from spanglass.api.analysis.performance import PerformanceAnalyzer
    from spanglass.api.analysis.queries import QueryLog
    from spanglass.api.analysis.report import Report
    from spanglass.api.analysis.thresholds import ThresholdManager

__all__ = [
    "DURATION_METRIC",
    "MAX_OPERATIONS",
    "OTHER",
    "Operation",
    "OperationStatistics",
    "PerformanceMonitor",
    "default_monitor",
    "operation_statistics",
    "track_operation",
]

DURATION_METRIC = "spanglass.operation.duration"

#: Most names that one monitor keeps apart: each takes up to 32 KiB.
MAX_OPERATIONS = 200
#: The name under which the runs of all further operations are counted, written as the conventions write it.
OTHER = "_OTHER"

_WINDOW_NS = 60_000_000_000


class Operation:
    """One run: ``with`` it, or call ``complete`` or ``fail``. The first end counts; a run without end never does."""

    __slots__ = ("_ended", "_monitor", "_started_ns", "name", "span")

    span: SpanHandle
    """The run's span; one that records nothing if there is none."""

    def __init__(self, monitor: PerformanceMonitor, name: str, span: SpanHandle, started_ns: int) -> None:
        self._monitor = monitor
        self._started_ns = started_ns
        self._ended = False
        self.name = name
        self.span = span

    def __enter__(self) -> Self:
        if self.span.otel is not trace.INVALID_SPAN:
            self.span.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # counted while the span is current, so that the metric's exemplar names it
        self._end(None if error is None or not is_failure(error) else qualified_name(type(error)))
        self.span.__exit__(kind, error, traceback)

    def complete(self, **attributes: object) -> None:
        """End the run successfully; ``attributes`` go onto the span."""
        self.span.set(attributes)
        self._end(None)
        self.span.end()

    def fail(self, error: BaseException | str = "", /) -> None:
        """End the run as failed, by an exception or by what a text says."""
        if isinstance(error, BaseException):
            self._end(qualified_name(type(error)))
            self.span.record(error)
        else:
            self._end(OTHER)  # error.type has few values, and a text has many
            self.span.fail(text_of(error))
            self.span.set("error.type", OTHER)
        self.span.end()

    def _end(self, error_type: str | None) -> None:
        if not self._ended:
            self._ended = True
            self._monitor.ended(self.name, self._started_ns, error_type)


class PerformanceMonitor:
    """Counts the runs of operations by name, over the life of this process; throughput over the last ``window_s``.

    ``clock_ns`` is any clock that does not go backwards. A forked child begins at zero. ``thresholds`` are of the
    figures of ``get_metrics``; without them ``DEFAULT_THRESHOLDS`` of ``spanglass.api.analysis.performance``. Queries
    that take ``slow_query_s`` are slow, those that run ``repeated_queries`` times in one run are taken for a loop.
    """

    def __init__(
        self,
        *,
        window_s: float = _WINDOW_NS / NS_PER_S,
        max_operations: int = MAX_OPERATIONS,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        unix_ns: Callable[[], int] = time.time_ns,
        thresholds: ThresholdManager | None = None,
        slow_query_s: float = 0.5,
        repeated_queries: int = 10,
    ) -> None:
        if not window_s > 0:
            raise PerformanceError(f"window_s is {window_s}: throughput is counted over more than no time")
        if max_operations < 1:
            raise PerformanceError(f"max_operations is {max_operations}: at least one name must be kept")
        self._window_ns = round(window_s * NS_PER_S)
        self._max_operations = max_operations
        if not slow_query_s > 0 or repeated_queries < 2:  # noqa: PLR2004 - once is no repetition
            raise PerformanceError("slow_query_s must be more than 0, and repeated_queries 2 or more")
        self._clock_ns = clock_ns
        self._unix_ns = unix_ns
        self._given_thresholds = thresholds
        self._queries = (slow_query_s, repeated_queries)
        self.renew()
        in_child_while_alive(self)

    def renew(self) -> None:
        """Forget all runs, and begin at zero."""
        self._lock = threading.Lock()
        self._tallies: dict[str, OperationTally] = {}
        self._start_ns = self._clock_ns()

    def track_operation(
        self, name: str, /, *, span: bool = True, attributes: Mapping[str, object] | None = None, **more: object
    ) -> Operation:
        """Begin a run; keywords are attributes of its span. Choose few names: what differs goes into attributes."""
        name = text_of(name, MAX_NAME) or OTHER
        started: trace.Span = trace.INVALID_SPAN
        if span:
            started = begin(name, attributes={OPERATION_NAME: name, **(attributes_of(attributes, more) or {})})
        return Operation(self, name, SpanHandle(started, name), self._clock_ns())

    def get_statistics(self, name: str | None = None) -> OperationStatistics:
        """Return the statistics of one operation, or of all together; counts of zero where nothing has completed."""
        with self._lock:
            tallies = self._tallies.values() if name is None else [self._tallies[name]] if name in self._tallies else []
            return combined(tallies, self._clock_ns())

    def operations(self) -> dict[str, OperationStatistics]:
        """Return the statistics of each operation that completed a run."""
        with self._lock:
            now_ns = self._clock_ns()
            return {name: combined([tally], now_ns) for name, tally in self._tallies.items()}

    @cached_property
    def thresholds(self) -> ThresholdManager:
        """The thresholds of this monitor, to be set and removed at any time."""
        from spanglass.api.analysis.performance import DEFAULT_THRESHOLDS  # noqa: PLC0415 - few ask for reports
        from spanglass.api.analysis.thresholds import ThresholdManager  # noqa: PLC0415

        return self._given_thresholds or ThresholdManager(DEFAULT_THRESHOLDS)

    @cached_property
    def queries(self) -> QueryLog:
        """The queries of databases that were recorded."""
        from spanglass.api.analysis.queries import QueryLog  # noqa: PLC0415 - few record queries

        slow_s, repeated = self._queries
        return QueryLog(slow_s=slow_s, repeated=repeated)

    def record_query(self, text: str, duration_s: float, /, *, operation: str = "", run: Hashable = None) -> None:
        """Take one query of a database; ``run`` tells the runs of an operation apart, for those in a loop."""
        try:
            self.queries.record(text, duration_s, operation=operation, run=run)
        except Exception as error:  # noqa: BLE001 - whatever is given as text or run
            swallow("record a query", error)

    def watch_queries(self) -> Callable[[], None]:
        """Record the queries of all spans of databases that begin from now on; returns what ends that.

        Raises ``PerformanceError`` while there are no spans: before ``configure()``.
        """
        from spanglass.api.analysis.query_spans import watch  # noqa: PLC0415 - few record queries

        return watch(self.queries).end

    def get_metrics(self) -> Figures:
        """The statistics of all operations as figures: ``error_rate``, ``avg_response_time``, ``request_rate`` ..."""
        from spanglass.api.analysis.performance import figures_of  # noqa: PLC0415 - few ask for figures

        return figures_of(self.get_statistics(), self._unix_ns())

    async def monitor_performance(self) -> Report:
        """Measure and analyse, in a thread: thresholds that are crossed, slow queries, those in loops, what to do."""
        import asyncio  # noqa: PLC0415 - who awaits this has imported it already

        return await asyncio.to_thread(self._analyzer.report, self.get_metrics(), self.operations())

    @cached_property
    def _analyzer(self) -> PerformanceAnalyzer:
        from spanglass.api.analysis.performance import PerformanceAnalyzer  # noqa: PLC0415 - few ask for reports

        return PerformanceAnalyzer(self.thresholds, self.queries)

    def ended(self, name: str, started_ns: int, error_type: str | None) -> None:
        """Count a run that ends now; ``error_type`` is None if it succeeded."""
        try:
            now_ns = self._clock_ns()
            duration_s = max(now_ns - started_ns, 0) / NS_PER_S
            with self._lock:
                kept = name if name in self._tallies or len(self._tallies) < self._max_operations else OTHER
                if kept not in self._tallies:
                    self._tallies[kept] = OperationTally(self._window_ns, self._start_ns)
                self._tallies[kept].add(duration_s, now_ns, failed=error_type is not None)
            if kept != name:
                problem = f"more than {self._max_operations} names: put what differs into attributes"
                report("keep operations apart", PerformanceError(problem))
            attributes = {OPERATION_NAME: kept} | ({"error.type": error_type} if error_type else {})
            metrics.histogram(DURATION_METRIC, "s", "Duration of an operation").send(duration_s, attributes)
        except Exception as error:  # noqa: BLE001 - a clock that was passed in runs in here
            swallow("count an operation", error)


default_monitor = PerformanceMonitor()


def track_operation(
    name: str, /, *, span: bool = True, attributes: Mapping[str, object] | None = None, **more: object
) -> Operation:
    """Begin a run of an operation, counted in this process's monitor."""
    return default_monitor.track_operation(name, span=span, attributes=attributes, **more)


def operation_statistics(name: str | None = None) -> OperationStatistics:
    """Return the statistics of one operation of this process, or of all together."""
    return default_monitor.get_statistics(name)
