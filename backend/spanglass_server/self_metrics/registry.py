"""The server's own counters, gauges and histograms: one table, and one registry object passed to who counts.

Counting is a dictionary addition under a lock, below a microsecond; do it once a request or a batch, never a record.
Names are those of the Prometheus exposition without the prefix ``spanglass_`` and the suffix ``_total``.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: What a watched gauge reports: one number, or a number for each combination of labels.
    Reading = float | Mapping[tuple[str, ...], float]


class Kind(StrEnum):
    """What a metric does over time."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


#: Upper bounds in seconds, from a quiet fsync to a query at its deadline.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One row of the table, equal to itself only: to look one up by all its fields takes as long as counting."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    prefix: str = "spanglass_"

    @property
    def exposed_name(self) -> str:
        """The name in the Prometheus exposition."""
        return self.prefix + self.name + ("_total" if self.kind is Kind.COUNTER else "")


def _counter(name: str, help_text: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, labels, help_text)


def _gauge(name: str, help_text: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, labels, help_text)


def _histogram(name: str, help_text: str, *labels: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, labels, help_text)


RECEIVED_REQUESTS = _counter(
    "received_requests", "Export requests that were stored.", "signal", "transport", "encoding"
)
RECEIVED_BYTES = _counter(
    "received_bytes", "Bytes of stored export requests, as they came over the wire.", "signal", "transport", "encoding"
)
RECEIVED_RECORDS = _counter("received_records", "Spans, log records or data points stored.", "signal")
REFUSED_REQUESTS = _counter("refused_requests", "Export requests refused whole.", "signal", "transport", "reason")
REJECTED_RECORDS = _counter("rejected_records", "Records left out of a stored request.", "signal", "reason")
DUPLICATE_REQUESTS = _counter("duplicate_requests", "Exact resends of a request stored before.", "signal")
INFLIGHT_BYTES = _gauge("inflight_bytes", "Bytes of requests under way, from their first byte until they are stored.")
JOURNAL_BYTES = _gauge("journal_bytes", "Size of the journal on disk.")
GENERATIONS = _gauge("generations", "Sealed generations of the journal on their way into segments.", "state")
PROBLEMS = _gauge("problems", "What is wrong with the server now; /healthz says it in words.")
JOURNAL_FSYNC_SECONDS = _histogram("journal_fsync_seconds", "Time of one fsync of the journal.")
DECODE_SECONDS = _histogram("decode_seconds", "Time to decode and check one batch of requests.", "signal")
SHRED_SECONDS = _histogram("shred_seconds", "Time to turn one batch into columns.", "signal")
BUFFER_ROWS = _gauge("buffer_rows", "Rows in memory that are in no segment yet.", "signal")
BUFFER_BYTES = _gauge("buffer_bytes", "Memory of the rows that are in no segment yet.", "signal")
FLUSH_SECONDS = _histogram("flush_seconds", "Time to write one segment from memory.", "signal")
FLUSHED_ROWS = _counter("flushed_rows", "Rows written to segments.", "signal")
COMPACTION_SECONDS = _histogram("compaction_seconds", "Time to merge segments into one.", "signal")
COMPACTED_ROWS = _counter("compacted_rows", "Rows rewritten by merging segments.", "signal")
ROLLUP_SECONDS = _histogram("rollup_seconds", "Time to thin the data points of six hours.")
SEGMENTS = _gauge("segments", "Segments on disk.", "signal")
SEGMENT_ROWS = _gauge("segment_rows", "Rows in segments.", "signal")
SEGMENT_BYTES = _gauge("segment_bytes", "Size of segments on disk.", "signal")
OVERFLOWED_ATTRIBUTES = _counter(
    "overflowed_attributes", "Attributes past a limit, kept in the overflow column.", "signal"
)
UNGROUPED_EXCEPTIONS = _counter("ungrouped_exceptions", "Exceptions of stored records that could not be grouped.")
CUT_VALUES = _counter("cut_values", "Attribute values cut at storage.max_value_bytes.", "signal")
DELETED_SEGMENTS = _counter("deleted_segments", "Segments deleted by retention.", "signal", "reason")
DELETED_ROWS = _counter("deleted_rows", "Rows deleted by retention.", "signal", "reason")
STORAGE_ERRORS = _counter("storage_errors", "Failed writes of the journal, segments or the catalog.", "operation")
ALERT_EVALUATION_SECONDS = _histogram(
    "alert_evaluation_seconds", "Time to evaluate the alert rules that were due at once."
)
ALERT_LAG_SECONDS = _histogram(
    "alert_lag_seconds", "Time from when alert rules were due until their tick was committed."
)
ALERT_EVALUATIONS = _counter("alert_evaluations", "Evaluations of alert rules, one a rule and tick.")
FAILED_ALERT_EVALUATIONS = _counter("failed_alert_evaluations", "Evaluations of alert rules that failed.")
MISSED_ALERT_EVALUATIONS = _counter(
    "missed_alert_evaluations",
    "Evaluations of alert rules that were left out, as the server was down or late for too long.",
)
ALERT_RULES = _gauge("alert_rules", "Alert rules that are evaluated, by their health.", "health")
ALERTS_FIRING = _gauge(
    "alerts_firing", "Keys of alert rules that fire, by the highest level of their rule.", "severity"
)
NOTIFICATION_DECISION_SECONDS = _histogram(
    "notification_decision_seconds", "Time of one look at what became of alerts, with what it led to on disk."
)
NOTIFICATION_ATTEMPTS = _counter(
    "notification_attempts", "Attempts to deliver: sent, retryable or refused.", "channel", "outcome"
)
NOTIFICATION_ATTEMPT_SECONDS = _histogram("notification_attempt_seconds", "Time of one attempt to deliver.", "channel")
NOTIFICATION_DELIVERY_SECONDS = _histogram(
    "notification_delivery_seconds", "Time from the decision to tell until the channel took the message.", "channel"
)
NOTIFICATIONS = _gauge(
    "notifications", "Notifications of the delivery log, by what became of them.", "channel", "state"
)
NOTIFICATION_OLDEST_SECONDS = _gauge(
    "notification_oldest_waiting_seconds", "Age of the oldest message that is due and has not arrived.", "channel"
)
NOTIFICATION_GROUPS = _gauge("notification_groups", "Groups of alerts that are told of together.")
INCIDENTS_LIVE = _gauge("incidents_live", "Incidents that are not over, by status.", "status")
HEALTH_CHECK_RUNS = _counter("health_check_runs", "Runs of the server's health checks.", "kind", "status")
HEALTH_CHECK_LATENESS_SECONDS = _histogram(
    "health_check_lateness_seconds", "How much later than it was due a health check began."
)
HEALTH_CHECKS = _gauge("health_checks", "Health checks, those of applications too, by how they are.", "status")
QUERY_SECONDS = _histogram("query_seconds", "Time of requests of the API and the pages.", "route")
QUERY_FAILURES = _counter("query_failures", "Requests of the API and the pages that failed.", "route", "status")
HTTP_RESPONSES = _counter("http_responses", "HTTP responses sent.", "method", "status")
RESIDENT_BYTES = Metric("resident_memory_bytes", Kind.GAUGE, (), "Resident memory of the process.", "process_")
CPU_SECONDS = Metric("cpu_seconds", Kind.COUNTER, (), "Processor time of the process, user and system.", "process_")
THREAD_CPU_SECONDS = _counter(
    "thread_cpu_seconds",
    "Processor time of the server's threads, by their name; other is what has none, such as DuckDB's.",
    "thread",
)
OPEN_FDS = Metric("open_fds", Kind.GAUGE, (), "Open file descriptors of the process.", "process_")
UPTIME_SECONDS = _gauge("uptime_seconds", "Time since the server started.")

#: Every metric, in the order of the exposition and the documentation.
METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


@dataclass(slots=True)
class Distribution:
    """A histogram's state for one combination of labels; ``counts`` has one more entry, for what is past all bounds."""

    counts: list[int]
    sum: float = 0.0

    @property
    def count(self) -> int:
        """The number of observations."""
        return sum(self.counts)

    def at_most(self, share: float) -> float | None:
        """The bound in seconds that this share of the observations (0 to 1) kept to; None if the last was passed."""
        wanted = share * self.count
        reached = (bound for bound, so_far in zip(SECONDS, accumulate(self.counts), strict=False) if so_far >= wanted)
        return next(reached, None) if self.count else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures of one metric at one moment, by the values of its labels."""

    metric: Metric
    values: dict[tuple[str, ...], float]
    distributions: dict[tuple[str, ...], Distribution]


class _Timed:
    """A block whose time is observed: a third of what a generator takes, which each small request has two of."""

    __slots__ = ("_labels", "_metric", "_start", "_telemetry")

    def __init__(self, telemetry: Telemetry, metric: Metric, labels: tuple[str, ...]) -> None:
        self._telemetry = telemetry
        self._metric = metric
        self._labels = labels

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._telemetry.observe(self._metric, time.perf_counter() - self._start, *self._labels)


class Telemetry:
    """The registry. Any thread may count; labels are given in the order of the table."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Metric, dict[tuple[str, ...], float]] = {
            metric: {} for metric in METRICS if metric.kind is not Kind.HISTOGRAM
        }
        self._distributions: dict[Metric, dict[tuple[str, ...], Distribution]] = {
            metric: {} for metric in METRICS if metric.kind is Kind.HISTOGRAM
        }
        self._watched: dict[Metric, Callable[[], Reading]] = {}

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Add to a counter."""
        series = self._values[metric]
        with self._lock:
            series[labels] = series.get(labels, 0) + amount

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._values[metric][labels] = value

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Record one observation of a histogram, in seconds."""
        series = self._distributions[metric]
        bucket = bisect_left(SECONDS, seconds)
        with self._lock:
            entry = series.get(labels)
            if entry is None:
                entry = series[labels] = Distribution([0] * (len(SECONDS) + 1))
            entry.counts[bucket] += 1
            entry.sum += seconds

    def timed(self, metric: Metric, *labels: str) -> _Timed:
        """Record how long the block took, also when it fails."""
        return _Timed(self, metric, labels)

    def watch(self, metric: Metric, read: Callable[[], Reading]) -> None:
        """Have a gauge or counter read when it is asked for; one reader a metric, the last wins."""
        self._watched[metric] = read

    def values(self, metric: Metric) -> dict[tuple[str, ...], float]:
        """The values of a counter that nothing watches, by its labels."""
        with self._lock:
            return dict(self._values[metric])

    def snapshot(self) -> list[Snapshot]:
        """Return all figures in the order of the table; those without any value yet have empty dictionaries."""
        for metric, read in self._watched.items():
            reading = read()
            values: dict[tuple[str, ...], float] = {(): reading} if isinstance(reading, int | float) else dict(reading)
            with self._lock:
                self._values[metric] = values
        with self._lock:
            return [
                Snapshot(
                    metric,
                    dict(self._values.get(metric, {})),
                    {
                        labels: Distribution(list(entry.counts), entry.sum)
                        for labels, entry in self._distributions.get(metric, {}).items()
                    },
                )
                for metric in METRICS
            ]
