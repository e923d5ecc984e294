"""Records that are counted, as samples at regular steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.series.labels import NAME, LabelColumn, LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.stored.counting.counts import counts_of
from spanglass_server.promql.stored.counting.families import BOUNDS, COUNTED
from spanglass_server.promql.stored.counting.filters import FILTER, check_filters, filters_of, refuse_filters
from spanglass_server.promql.stored.counting.issue_events import event_counts, events_within
from spanglass_server.promql.stored.counting.objectives import objective_counts, objective_step_ms
from spanglass_server.promql.stored.counting.recurring import Asked, recurring
from spanglass_server.promql.stored.decoding.streams import bound_column
from spanglass_server.promql.stored.matching import matching
from spanglass_server.promql.stored.naming.identity import Form
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.ports import Matcher, ObjectiveCounts, Selector
    from spanglass_server.promql.stored.counting.cells import Counts
    from spanglass_server.promql.stored.counting.families import Counted
    from spanglass_server.query.issues.event_log import EventLog
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession

#: Steps in which records may be counted.
_STEPS_MS = tuple(1000 * seconds for seconds in (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400))
#: A window of a range selector, or the lookback, has at least so many samples.
_STEPS_PER_WINDOW = 10
_DEFAULT_WINDOW_MS = 300_000
_FINER = 8
_LEAST_PER_WINDOW = 4
#: Labels that no counts of a part have.
_MADE_HERE = frozenset({NAME, "le"})


def counted(selector: Selector) -> Counted | None:
    """The metric that a selector means by its exact name, if it is counted from records."""
    names = [m.value for m in selector.matchers if m.name == NAME and m.operator == "="]
    return COUNTED.get(names[0]) if names else None


def step_ms(window_ms: int) -> int:
    """How far samples are apart, so that a window holds enough of them: the longest step there is for it."""
    wanted = (window_ms or _DEFAULT_WINDOW_MS) // _STEPS_PER_WINDOW
    return max((step for step in _STEPS_MS if step <= wanted), default=_STEPS_MS[0])


def _step_of(selector: Selector) -> int:
    """The step for a selector: if there is one of which its windows and their ends are whole multiples, such a step.

    No record in a window is then only estimated. The usual step and shorter ones come first, but none shorter than an
    eighth of it, as that costs too much; then one of which a window has four at least.
    """
    usual = step_ms(selector.window_ms)
    if not selector.step_ms:
        return usual
    common = math.gcd(selector.end_ms, selector.step_ms, selector.window_ms)
    exact = [step for step in _STEPS_MS if common % step == 0]
    shorter = [step for step in exact if usual // _FINER <= step <= usual]
    longer = [step for step in exact if usual < step <= selector.window_ms // _LEAST_PER_WINDOW]
    return shorter[-1] if shorter else (longer or [usual])[0]


@dataclass(frozen=True, slots=True)
class Records:
    """What is counted: the records of a session, and events of issues and of objectives if there are any."""

    session: QuerySession
    cache: PartCache
    events: EventLog | None
    objectives: ObjectiveCounts | None = None
    _parts: dict[tuple[Signal, Window], Sequence[Part]] = field(default_factory=dict)  # a session sees one snapshot

    def counts(self, asked: Asked, window: Window) -> list[Counts]:
        """The counts of all parts of a window."""
        signal = asked.metric.family.signal
        if asked.metric.family.is_of_objectives:
            return [] if self.objectives is None else [objective_counts(self.objectives, asked, window)]
        if signal is Signal.OCCURRENCES:
            return [] if self.events is None else [event_counts(self.session, self.events, asked, window)]
        recurring(self.cache).note(asked.fine)
        if (signal, window) not in self._parts:
            self._parts[signal, window] = self.session.parts(signal, window)
        parts = self._parts[signal, window]
        return [found for part in parts for found in counts_of(self.session, self.cache, part, asked, window)]

    def has_objectives(self) -> bool:
        """Whether there are objectives."""
        return self.objectives is not None and not self.objectives.is_empty()

    def has_events(self, window: Window) -> bool:
        """Whether issues have events in a window."""
        return self.events is not None and events_within(self.events, window).num_rows > 0


def asked_of(selector: Selector, metric: Counted) -> tuple[Asked, Sequence[Matcher]]:
    """What a selector asks of records, and its matchers on labels. Raises ``BadFilterError``."""
    if metric.family.is_of_objectives:
        refuse_filters(selector)
        return Asked(metric, frozenset(), (), objective_step_ms(selector)), selector.matchers
    filters = filters_of(selector)
    check_filters(filters, metric.family.signal)
    on_labels = [matcher for matcher in selector.matchers if matcher.name != FILTER]
    named = {*selector.named, *(m.name for m in on_labels)} - {NAME, "le", FILTER, *metric.family.labels}
    return Asked(metric, frozenset(named), filters, _step_of(selector)), on_labels


def counted_samples(records: Records, selector: Selector, metric: Counted, max_samples: int) -> Samples:
    """Counters of records, from 0 at the beginning of the range, at every step in it."""
    session = records.session
    asked, on_labels = asked_of(selector, metric)
    step = asked.step_ms
    first, last = selector.start_ms // step, selector.end_ms // step
    window = Window(max(first * step * NS_PER_MS + 1, 0), last * step * NS_PER_MS + 1)
    numbers = _numbers(first, last, step, selector)
    _check(metric, 2 * len(numbers), max_samples)
    found = records.counts(asked, window)
    schedule = _schedule(np.asarray(numbers), first, step, selector)
    labels, cells = _joined(session, found, on_labels, schedule, selector.summed_by)
    width = len(BOUNDS) + 1 if metric.form is Form.BUCKET else 1
    _check(metric, labels.size * width * len(schedule.time_ms), max_samples)
    table = _cumulative(cells, (labels.size, width, len(schedule.steps)))
    labels = _with_bounds(labels, width).replace({NAME: LabelColumn.constant(metric.name, labels.size * width)})
    chosen = np.flatnonzero(matching(session, labels, [m for m in on_labels if m.name in _MADE_HERE]))
    labels = labels.take(chosen)
    order = labels.order()
    return Samples(
        labels.take(order),
        np.arange(labels.size + 1, dtype=np.int64) * len(schedule.time_ms),
        np.tile(schedule.time_ms, labels.size),
        table[np.ix_(chosen[order], schedule.place)].reshape(-1),
        anew=chosen[order] // width + 1,
    )


@dataclass(frozen=True, slots=True)
class _Schedule:
    """When samples are given: ``time_ms``, each with what was counted up to the end of ``steps[place]``.

    What is counted lies after the step ``after``.
    """

    after: int
    steps: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    place: NDArray[np.intp]


def _numbers(first: int, last: int, step: int, selector: Selector) -> range | NDArray[np.int64]:
    """The steps that windows of the selector may look at, in order; far fewer than all where windows are far apart."""
    if not selector.step_ms > selector.window_ms > 0:
        return range(first, last + 1)
    ends = np.arange(selector.end_ms, selector.start_ms, -selector.step_ms, dtype=np.int64) // step
    numbers = np.unique(ends[:, None] - np.arange(selector.window_ms // step + 2))
    return numbers[(numbers >= first) & (numbers <= last)]


def _schedule(numbers: NDArray[np.int64], first: int, step: int, selector: Selector) -> _Schedule:
    """A sample at the end of every step, and once more just after it; only in windows that a result looks at.

    A window is open at its start, so that one of whole steps begins with what was counted before it, and nothing that
    lies in it is missed or only estimated.
    """
    numbers = np.repeat(numbers, 2)
    times = numbers * step
    times[1::2] += 1
    wanted = (times > selector.start_ms) & (times <= selector.end_ms)
    if selector.step_ms > selector.window_ms > 0:
        wanted &= (selector.end_ms - times) % selector.step_ms < selector.window_ms
    numbers = numbers[wanted]
    is_new = np.diff(numbers, prepend=numbers[:1] - 1) > 0
    return _Schedule(first, numbers[is_new], times[wanted], np.cumsum(is_new) - 1)


def _check(metric: Counted, samples: int, max_samples: int) -> None:
    if samples > max_samples:
        raise execution_error(
            f"{metric.name} would have {samples} samples, more than {max_samples}; ask for a shorter range, a longer "
            "range selector, or fewer series"
        )


_Cells = tuple["NDArray[np.intp]", "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]


def _joined(
    session: QuerySession,
    found: Sequence[Counts],
    matchers: Sequence[Matcher],
    schedule: _Schedule,
    summed_by: tuple[str, ...] | None,
) -> tuple[LabelSets, _Cells]:
    """The series that may match and have a record in the range, and its cells: series, bucket, step, value.

    Each cell counts for the first step of the schedule that is not before its own. With ``summed_by`` series have no
    other labels: with all, those of 204 services had thirty times as many samples, nearly all of them 0.
    """
    on_labels = [m for m in matchers if m.name not in _MADE_HERE]
    kept = [matching(session, counts.labels, on_labels) for counts in found]
    sets = [counts.labels if summed_by is None else counts.labels.keep(summed_by) for counts in found]
    parts = [labels.take(np.flatnonzero(rows)) for labels, rows in zip(sets, kept, strict=True)]
    every = LabelSets.concat(parts) if parts else LabelSets(0)
    groups = every.groups()
    ends = np.cumsum([part.size for part in parts])
    cells: list[_Cells] = [(np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for counts, rows, part, end in zip(found, kept, parts, ends, strict=True):
        place = np.full(len(rows), -1)
        place[np.flatnonzero(rows)] = groups.of[end - part.size : end]
        series = place[counts.series]
        step = np.searchsorted(schedule.steps, counts.step)
        inside = (series >= 0) & (counts.step > schedule.after) & (step < len(schedule.steps))
        cells.append((series[inside], counts.bucket[inside], step[inside], counts.value[inside]))
    series, bucket, step, value = (np.concatenate(column) for column in zip(*cells, strict=True))
    used, series = np.unique(series, return_inverse=True)
    return every.take(groups.first[used]), (series, bucket, step, value)


def _cumulative(cells: _Cells, shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """Counts up to each step, a row for each series and bound: of a bound those of all lower ones too."""
    series, bucket, step, value = cells
    table = np.zeros(shape)
    np.add.at(table, (series, bucket, step), value)
    np.cumsum(table, axis=2, out=table)
    np.cumsum(table, axis=1, out=table)
    return table.reshape(shape[0] * shape[1], shape[2])


def _with_bounds(labels: LabelSets, width: int) -> LabelSets:
    if width == 1:
        return labels
    column = bound_column(np.array([*BOUNDS, np.inf]))
    bounds = LabelColumn(np.tile(column.codes, labels.size), column.values)
    return labels.take(np.repeat(np.arange(labels.size), width)).replace({"le": bounds})
