"""The series of one test: those that are given, and those that recording rules make of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.alerting.rules.recording.results import RecordingError, reads_later_ones, recorded
from spanglass_server.promql.engine import Options
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.promql.stored.discovery.kinds import MetricKind
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from spanglass_server.alerting.rules.prometheus.model import RecordingGroup
    from spanglass_server.alerting.rules.recording.results import Recorded
    from spanglass_server.alerting.rules.testing.model import RuleTest

Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class GivenSeries(SeriesInMemory):
    """Implements ``RuleSeries`` of evaluation: series in memory, and what the test says of metrics."""

    known: Mapping[str, MetricKind] = field(default_factory=dict)

    def announce(self, texts: Iterable[str], steps: Steps, options: Options) -> None:
        """See ``RuleSeries``: nothing is read more than once here."""

    def kinds(self, names: Collection[str], start_ms: int, end_ms: int) -> Mapping[str, MetricKind]:
        """See ``RuleSeries``."""
        del start_ms, end_ms
        return {name: self.known[name] for name in names if name in self.known}


def series_of(test: RuleTest, groups: Sequence[RecordingGroup], steps: Steps) -> tuple[GivenSeries, list[str]]:
    """The series of a test, and why recording rules failed. Raises ``PromqlError`` for series that can't be.

    Rules are evaluated in their order, each at all steps at once, or step by step where one reads what a later one
    recorded at the step before.
    """
    given = read_series([(each.series, each.values) for each in test.input_series], test.interval_ns // NS_PER_MS)
    recordings = [(each, group.limit) for group in groups for each in group.recordings]
    one_by_one = reads_later_ones([recording for recording, _ in recordings])
    made, samples, failures = _Made(given.labels), given, dict[str, None]()
    for part in _each(steps) if one_by_one else (steps,):
        for place, (recording, limit) in enumerate(recordings):
            try:
                source = SeriesInMemory(samples)
                result = recorded(source, recording, part, limit=limit, options=Options(each_alone=True))
                made.add(place, result, part)
            except RecordingError as error:
                failures[str(error)] = None
            else:
                samples = _together(given, made.samples())
    known = {metric.name: MetricKind(metric.type, metric.unit) for metric in test.metrics}
    return GivenSeries(samples, known), list(failures)


def _each(steps: Steps) -> list[Steps]:
    return [Steps(steps.start_ms + place * steps.step_ms, steps.step_ms, 1) for place in range(steps.size)]


class _Made:
    """What was recorded so far: by series and time, None where a series ends."""

    def __init__(self, given: LabelSets) -> None:
        self._given = {tuple(sorted(row.items())) for row in given.rows()}
        self._values: dict[Key, dict[int, float | None]] = {}
        self._alive: dict[int, set[Key]] = {}

    def add(self, place: int, result: Recorded, steps: Steps) -> None:
        """Take what the rule at a place gives."""
        keys = result.keys()
        for key in self._given.intersection(keys):
            text = ", ".join(f"{name}={value}" for name, value in key)
            raise RecordingError(f"the series {text} is recorded, and given as input too")
        for step, time_ms in enumerate(range(steps.start_ms, steps.end_ms + 1, steps.step_ms)):
            before = self._alive.get(place, set())
            alive = {key for row, key in enumerate(keys) if result.present[row, step]}
            for row, key in enumerate(keys):
                if key in alive:
                    self._values.setdefault(key, {})[time_ms] = float(result.values[row, step])
            for key in before - alive:
                self._values[key].setdefault(time_ms, None)
            self._alive[place] = alive

    def samples(self) -> Samples:
        """All of it."""
        lines = [sorted(line.items()) for line in self._values.values()]
        points = [point for line in lines for point in line]
        return Samples(
            LabelSets.of([dict(key) for key in self._values]),
            np.cumsum([0, *map(len, lines)]).astype(np.int64),
            np.array([time_ms for time_ms, _ in points], np.int64),
            np.array([0.0 if value is None else value for _, value in points], np.float64),
            np.array([value is None for _, value in points], np.bool_),
        )


def _together(given: Samples, made: Samples) -> Samples:
    """The series of both; those that are made have no histograms."""
    none = np.full(len(made.value), -1, np.int64)
    is_stale = given.is_stale if given.is_stale is not None else np.zeros(len(given.value), np.bool_)
    assert made.is_stale is not None  # noqa: S101 - see ``_Made``
    return replace(
        given,
        labels=LabelSets.concat([given.labels, made.labels]),
        offsets=np.concatenate((given.offsets, made.offsets[1:] + given.offsets[-1])),
        time_ms=np.concatenate((given.time_ms, made.time_ms)),
        value=np.concatenate((given.value, made.value)),
        is_stale=np.concatenate((is_stale, made.is_stale)),
        histogram=None if given.histogram is None else np.concatenate((given.histogram, none)),
    )
