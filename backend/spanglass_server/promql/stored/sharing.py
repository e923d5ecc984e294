"""Selectors of many expressions in one session: equal ones are answered once, those of one metric from one reading.

Rules that each look at one service differ in the value of a label only. Each of them would find its series among all of
the metric's, in every part; instead all are put together once, and each takes its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.in_memory import take_series
from spanglass_server.promql.series.labels import NAME, LabelColumn, LabelSets

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.ports import Matcher, Selector
    from spanglass_server.promql.series.samples import Samples
    from spanglass_server.store.part_cache import PartCache

    Read = Callable[[Selector, int], "Found"]

#: So many selectors that differ in equal values only are answered one by one before the whole is read.
_ONE_BY_ONE = 2
_KNOWN_BYTES = 1000
#: So many samples a session keeps, 16 bytes each: baselines read days, which no other selector asks for.
_KEPT_SAMPLES = 8_000_000
#: A metric of more samples in the range is not read as a whole: narrow selectors cost less than that.
MOST_SAMPLES = 2_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """The samples of a selector. ``is_plain``: each series has the same labels if it is read without the others."""

    samples: Samples
    is_plain: bool


@dataclass(slots=True)
class _Group:
    """Selectors that differ only in which values labels are equal to."""

    asked: int = 0
    whole: _Whole | None = None
    is_shareable: bool = True


class Sharing:
    """Answers the selectors of one session. ``Read`` reads one, of so many samples at most (``PromqlError``).

    It is not kept, as it knows who keeps this: a session would stay until the collector of cycles comes, with all that
    was in memory then; they were 30 MB under a demo's load.
    """

    def __init__(self, cache: PartCache, max_samples: int) -> None:
        self._cache = cache
        self._max_samples = max_samples
        self._answers: dict[Hashable, Samples] = {}
        self._groups: dict[Selector, _Group] = {}
        self._left = _KEPT_SAMPLES
        self.asked = 0
        self.readings = 0

    def select(self, selector: Selector, read: Read) -> Samples:
        """The samples of a selector, as if it had been read alone."""
        self.asked += 1
        return self.once(selector, lambda: self._answered(selector, read))

    def once(self, key: Hashable, read: Callable[[], Samples]) -> Samples:
        """What is read for a key, once while there is room."""
        held = self._answers.get(key)
        if held is not None:
            return held
        samples = read()
        if self._takes(samples):
            self._answers[key] = samples
        return samples

    def _takes(self, samples: Samples) -> bool:
        """Whether there is room for samples, which they have then."""
        if len(samples.value) > self._left:
            return False
        self._left -= len(samples.value)
        return True

    def _answered(self, selector: Selector, read: Read) -> Samples:
        equal = tuple(matcher for matcher in selector.matchers if _is_equal(matcher))
        rest = tuple(matcher for matcher in selector.matchers if not _is_equal(matcher))
        without = replace(selector, matchers=rest)
        group = self._groups.setdefault(without, _Group())
        group.asked += 1
        if group.whole is None and group.is_shareable and equal and self._are_many(group, without):
            self._read_whole(group, without, read)
        if group.whole is not None:
            return group.whole.of(equal)
        found = self._found(selector, self._max_samples, read)
        if not equal and found.is_plain and self._takes(found.samples):
            group.whole = _Whole(found.samples)
        return found.samples

    def _are_many(self, group: _Group, selector: Selector) -> bool:
        """Whether there are several selectors of a group: now, or when the same was asked of an earlier session."""
        key = ("shared", replace(selector, start_ms=0, end_ms=0))
        if group.asked > _ONE_BY_ONE:
            self._cache.put(key, True, _KNOWN_BYTES)  # noqa: FBT003
            return True
        return self._cache.get(key) is not None

    def _read_whole(self, group: _Group, selector: Selector, read: Read) -> None:
        try:
            found = self._found(selector, min(self._max_samples, MOST_SAMPLES, self._left), read)
        except PromqlError:  # too many: what is wrong with a selector itself showed when the first was read
            group.is_shareable = False
            return
        group.is_shareable = found.is_plain and self._takes(found.samples)
        group.whole = _Whole(found.samples) if group.is_shareable else None

    def _found(self, selector: Selector, max_samples: int, read: Read) -> Found:
        self.readings += 1
        return read(selector, max_samples)


def _is_equal(matcher: Matcher) -> bool:
    return matcher.operator == "=" and matcher.name != NAME


@dataclass(slots=True)
class _Whole:
    """All series of a group, found by the values of their labels."""

    samples: Samples
    _codes: dict[str, dict[str, int]] = field(default_factory=dict)
    _rows: dict[str, tuple[NDArray[np.intp], NDArray[np.int64]]] = field(default_factory=dict)

    def of(self, equal: Sequence[Matcher]) -> Samples:
        """The series whose labels have these values."""
        labels = self.samples.labels
        rows: NDArray[np.intp] | None = None
        for matcher in equal:
            column = labels.columns.get(matcher.name)
            if column is None:
                if matcher.value:
                    return self._taken(np.empty(0, np.intp))
                continue
            code = self._code(matcher.name, column, matcher.value)
            rows = self._rows_of(matcher.name, column, code) if rows is None else rows[column.codes[rows] == code]
        return self.samples if rows is None else self._taken(rows)

    def _code(self, name: str, column: LabelColumn, value: str) -> int:
        if name not in self._codes:
            self._codes[name] = {text: code for code, text in enumerate(column.values)}
        return self._codes[name].get(value, -1)

    def _rows_of(self, name: str, column: LabelColumn, code: int) -> NDArray[np.intp]:
        if code < 0:
            return np.empty(0, np.intp)
        if name not in self._rows:
            order = np.argsort(column.codes, kind="stable")
            starts = np.searchsorted(column.codes[order], np.arange(len(column.values) + 1))
            self._rows[name] = (order, starts)
        order, starts = self._rows[name]
        return order[starts[code] : starts[code + 1]]

    def _taken(self, rows: NDArray[np.intp]) -> Samples:
        found = take_series(self.samples, rows)
        return replace(found, labels=_compact(found.labels))


def _compact(labels: LabelSets) -> LabelSets:
    """The same labels without values that no series has: what comes next looks at each value."""
    columns = {name: _used(column) for name, column in labels.columns.items()}
    return LabelSets(labels.size, columns)


#: Fewer values cost less than finding out which of them are used.
_FEW_VALUES = 500


def _used(column: LabelColumn) -> LabelColumn:
    if len(column.values) <= _FEW_VALUES + len(column.codes):
        return column
    codes, place = np.unique(column.codes, return_inverse=True)
    values = [column.values[code] for code in codes.tolist()]
    if codes[0] == 0:
        return LabelColumn(place.astype(np.int32), tuple(values))
    return LabelColumn(place.astype(np.int32) + np.int32(1), ("", *values))
