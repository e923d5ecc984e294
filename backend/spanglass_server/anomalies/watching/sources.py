"""What is watched: operations, metrics and patterns of log lines, each read by steps of five minutes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from spanglass_core.log_patterns import find_patterns
from spanglass_server.anomalies.detecting.usual import STEPS
from spanglass_server.anomalies.model import METRIC, PATTERN, SERVICE, STEP_MS, Kind
from spanglass_server.anomalies.watching.arrivals import OWN_METRICS
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.query.explorer.catalog import list_catalog
from spanglass_server.query.logs.patterns import count_lines
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS
from spanglass_server.trends.quantities import BY_NAME
from spanglass_server.trends.watcher import values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_core.log_patterns import Pattern
    from spanglass_server.anomalies.detecting.scales import Scale
    from spanglass_server.anomalies.model import Labels
    from spanglass_server.anomalies.watching.memory import Zeros
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession

    Read = tuple[Sequence[Labels], NDArray[np.float64]]

_STEP_S: Final = STEP_MS / 1000
_STEP_NS: Final = STEP_MS * NS_PER_MS
#: Operations, series of one metric and patterns that are kept.
_MOST_OPERATIONS, _MOST_OF_METRIC, _MOST_PATTERNS = 2000, 100, 300
#: Hours of the past that are read: masking lines of weeks would take hours.
_PAST, _PAST_LINES = 504, 24
#: Services of a pattern that are named, and steps of a day.
_MOST_WRITERS, _DAY = 3, 24 * STEPS
#: Masked lines that are kept to tell patterns by, and of one pattern: the first names it, the others shape it.
_MOST_LINES, _MOST_OF_PATTERN = 2000, 20
#: Labels of one process, pod or container: series of the next one are the same series, so these are left out.
_OF_PROCESSES: Final = (
    *("instance", "service_instance_id", "pid", "process_pid", "pod", "pod_name", "pod_uid", "k8s_pod_name"),
    *("k8s_pod_uid", "k8s_pod_ip", "k8s_pod_start_time", "container_id", "process_creation_time"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of series of a source.

    ``zeros``: without a value nothing was counted, from the first value on or ``always``. ``factor`` makes values
    numbers of events in a step: what is told is divided by it, and in ``unit``. ``least`` is a change of the values
    that matters.
    """

    kind: Kind
    scale: Scale
    unit: str
    most: int
    zeros: Zeros = "never"
    factor: float = 1.0
    least: float = 0.0


class Source(Protocol):
    """Something that is read by one question."""

    @property
    def name(self) -> str:
        """What problems are told by."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The kinds of its series."""

    @property
    def past_hours(self) -> int:
        """So many hours of its past are read."""

    def read(self, session: QuerySession, series: SeriesSource, first_step: int, number: int) -> list[Read]:
        """Labels and values (series, number) of each part, NaN where there is none; raises what the question does."""

    def title(self, labels: Labels) -> str:
        """The name of a series."""

    def writers(self, labels: Labels) -> tuple[str, ...]:
        """Services that wrote its lines in what was read last, three at most, those with most lines first."""

    def is_young(self, labels: Labels, step: int) -> bool:
        """Whether its services were not heard of a day before, so that nothing of them is usual yet."""


class OfItself:
    """What is of one service by its labels, or of none."""

    def writers(self, labels: Labels) -> tuple[str, ...]:
        """See ``Source``."""
        del labels
        return ()

    def is_young(self, labels: Labels, step: int) -> bool:
        """See ``Source``."""
        del labels, step
        return False


@dataclass(slots=True)
class Operations(OfItself):
    """Requests, failed requests and p95 of durations, by service and operation."""

    name: str = "operations"
    parts: tuple[Part, ...] = (
        Part(Kind.REQUESTS, "count", "/s", _MOST_OPERATIONS, zeros="known", factor=_STEP_S),
        Part(Kind.FAILURES, "share", "ratio", _MOST_OPERATIONS, least=0.01),
        Part(Kind.DURATION, "log", "s", _MOST_OPERATIONS, least=0.005),
    )
    past_hours: int = _PAST

    def read(self, session: QuerySession, series: SeriesSource, first_step: int, number: int) -> list[Read]:
        """See ``Source``."""
        del session
        steps = Steps(first_step * STEP_MS, STEP_MS, number)
        found = [values_of(series, BY_NAME[name].promql, steps) for name in ("requests", "errors", "duration")]
        return [(labels, values * part.factor) for (labels, values), part in zip(found, self.parts, strict=True)]

    def title(self, labels: Labels) -> str:
        """See ``Source``."""
        return " ".join(value for _, value in labels)


@dataclass(slots=True)
class Metric(OfItself):
    """The series of one metric: values of a gauge, rates of a counter; of processes together the largest, or the sum.

    A counter without a value is one whose sender is gone: nothing is known of it then, it is not zero.
    """

    metric: str
    unit: str
    is_counter: bool
    past_hours: int = _PAST

    @property
    def name(self) -> str:
        """What problems are told by."""
        return f"metric {self.metric}"

    @property
    def parts(self) -> tuple[Part, ...]:
        """See ``Source``."""
        if not self.is_counter:
            return (Part(Kind.METRIC, "plain", self.unit, _MOST_OF_METRIC),)
        unit = f"{self.unit}/s" if self.unit else "/s"
        return (Part(Kind.METRIC, "count", unit, _MOST_OF_METRIC, factor=_STEP_S),)

    def read(self, session: QuerySession, series: SeriesSource, first_step: int, number: int) -> list[Read]:
        """See ``Source``."""
        del session
        quoted = self.metric.replace("\\", "\\\\").replace('"', '\\"')
        function, whole = ("rate", "sum") if self.is_counter else ("avg_over_time", "max")
        promql = f'{whole} without ({", ".join(_OF_PROCESSES)}) ({function}({{"{quoted}"}}[5m]))'
        labels, values = values_of(series, promql, Steps(first_step * STEP_MS, STEP_MS, number))
        named = [tuple(sorted({**_with_service(dict(each)), METRIC: self.metric}.items())) for each in labels]
        return [(named, values * self.parts[0].factor)]

    def title(self, labels: Labels) -> str:
        """See ``Source``."""
        return dict(labels)[METRIC]


def _with_service(labels: dict[str, str]) -> dict[str, str]:
    """Labels with the service's name, which ``job`` says where a metric came over OTLP: ``namespace/name``."""
    if SERVICE in labels or "job" not in labels:
        return labels
    return {SERVICE: labels["job"].rpartition("/")[2], **{key: text for key, text in labels.items() if key != "job"}}


@dataclass(slots=True)
class LogPatterns:
    """Lines of each pattern. A pattern is known by the first of its masked lines.

    Lines that differ in a word do not crowd out others: of each pattern a few are kept, and none that was not seen for
    a day.
    """

    name: str = "log patterns"
    parts: tuple[Part, ...] = (Part(Kind.LOGS, "count", "/s", _MOST_PATTERNS, zeros="always", factor=_STEP_S),)
    past_hours: int = _PAST_LINES
    _lines: dict[str, int] = field(default_factory=dict)  # the step in which each line's pattern was seen last
    _texts: dict[str, str] = field(default_factory=dict)
    _writers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _heard: dict[str, int] = field(default_factory=dict)  # the first step of each service
    _oldest_step: int | None = None

    def read(self, session: QuerySession, series: SeriesSource, first_step: int, number: int) -> list[Read]:
        """See ``Source``."""
        del series
        window = Window((first_step - 1) * _STEP_NS, (first_step - 1 + number) * _STEP_NS)
        found, nth = count_lines(session, window, _STEP_NS)
        patterns = find_patterns({**self._lines, **found})
        self._oldest_step = min(first_step, first_step if self._oldest_step is None else self._oldest_step)
        names: list[Labels] = []
        values: list[NDArray[np.float64]] = []
        for pattern in patterns:
            self._texts[pattern.lines[0]] = pattern.text
            rows = [row for line in pattern.lines for row in found.get(line, ())]
            if rows:
                names.append(((PATTERN, pattern.lines[0]),))  # one series, whatever services write its lines
                self._hear(pattern.lines[0], rows, first_step)
                at = [row["bucket"] for row in rows]
                values.append(np.bincount(at, [nth * float(row["records"]) for row in rows], number).astype(np.float64))
        self._lines = self._kept(patterns, found, first_step + number - 1)
        return [(names, np.array(values).reshape(len(values), number))]

    def title(self, labels: Labels) -> str:
        """See ``Source``."""
        first = dict(labels)[PATTERN]
        return self._texts.get(first, first)

    def writers(self, labels: Labels) -> tuple[str, ...]:
        """See ``Source``."""
        return self._writers.get(dict(labels)[PATTERN], ())

    def is_young(self, labels: Labels, step: int) -> bool:
        """See ``Source``; services of the first hour that was read may be older."""
        begun = max(step - _DAY, (step if self._oldest_step is None else self._oldest_step) + STEPS)
        writers = self.writers(labels)
        return bool(writers) and all(self._heard.get(each, step) > begun for each in writers)

    def _kept(self, patterns: Sequence[Pattern], found: Mapping[str, Any], last_step: int) -> dict[str, int]:
        """The lines to tell patterns by from now on, those seen last of all before others where they are too many."""
        seen: list[tuple[int, list[str]]] = []
        for pattern in patterns:
            before = max((self._lines.get(line, 0) for line in pattern.lines), default=0)
            step = max(before, last_step) if any(line in found for line in pattern.lines) else before
            seen.append((step, pattern.lines[:_MOST_OF_PATTERN]))
        newest = max((step for step, _ in seen), default=0)
        fresh = [(step, lines) for step, lines in seen if step > newest - _DAY]
        least = sorted((step for step, lines in fresh for _ in lines), reverse=True)[:_MOST_LINES]
        fresh = [(step, lines) for step, lines in fresh if step >= least[-1]] if least else []
        kept = [(line, step) for step, lines in fresh for line in lines]
        return dict(kept[:_MOST_LINES])

    def _hear(self, line: str, rows: Sequence[Mapping[str, Any]], first_step: int) -> None:
        """Keep which services wrote lines of a pattern, and since when each is heard of."""
        lines: Counter[str] = Counter()
        for row in rows:
            for service in row["services"]:
                lines[service] += row["records"]
                step = first_step + row["bucket"]
                self._heard[service] = min(step, self._heard.get(service, step))
        self._writers[line] = tuple(name for name, _ in lines.most_common(_MOST_WRITERS))


def metrics_of(
    session: QuerySession, window: Window, most_series: int, used: Callable[[str], int]
) -> tuple[list[Metric], int]:
    """The metrics of a range that are watched, and how many are not: those used most first, then those with few series.

    ``used`` is how often rules and dashboards name a metric. A metric counts with 100 series at most.
    """
    entries = [
        each for each in list_catalog(session, window)["metrics"]
        if each["shape"] in {"gauge", "counter"} and not each["name"].startswith(OWN_METRICS)
    ]  # fmt: skip
    entries.sort(key=lambda each: (-used(each["name"]), each["series"], each["name"]))
    chosen: list[Metric] = []
    total = 0
    for each in entries:
        total += min(each["series"], _MOST_OF_METRIC)
        if total > most_series:
            break
        chosen.append(Metric(each["name"], each["unit"], each["shape"] == "counter"))
    return chosen, len(entries) - len(chosen)


def service_of(labels: Labels) -> str:
    """The service that a series is of, "" without one."""
    return dict(labels).get(SERVICE, "")
