"""Label sets of many series in columns: one dictionary-encoded column a label, so that grouping needs no loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

NAME = "__name__"
#: A label of our own, on series whose name is to go once the whole expression is evaluated: until then aggregations and
#: ``label_replace`` can read it (Prometheus: delayed name removal).
UNNAMED = "\0unnamed"
#: Ids of groups are renumbered before they may be larger.
_MOST_IDS = 2**62
#: So many series are grouped by a dictionary: ten of them take 3 us, and sorting takes 40 us for any few.
_FEW = 32
#: What never tells series of two sides apart.
NAMING = frozenset({NAME, UNNAMED})


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """One label of n series: ``codes[i]`` is the place of series i's value in ``values``; place 0 is "", no label."""

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str]) -> LabelColumn:
        """Encode the values of one label, "" for series without it."""
        places: dict[str, int] = {"": 0}
        codes = np.fromiter((places.setdefault(value, len(places)) for value in values), np.int32, len(values))
        return cls(codes, tuple(places))

    @classmethod
    def constant(cls, value: str, size: int) -> LabelColumn:
        """The same value for every series."""
        return cls(np.full(size, 1 if value else 0, np.int32), ("", value) if value else ("",))

    def take(self, rows: NDArray[np.intp]) -> LabelColumn:
        """The label of chosen series."""
        return LabelColumn(self.codes[rows], self.values)

    def texts(self) -> list[str]:
        """The value of each series, "" for none."""
        return [self.values[code] for code in self.codes.tolist()]

    def matching(self, accepted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which series have an accepted value; ``accepted`` has an entry for each of ``values``."""
        return accepted[self.codes]


@dataclass(frozen=True, slots=True)
class LabelSets:
    """The labels of ``size`` series. A series has a label if its value is not ""; columns may be empty for all."""

    size: int
    columns: Mapping[str, LabelColumn] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]]) -> LabelSets:
        """Encode label sets given one by one; meant for few, and for tests."""
        names = sorted({name for row in rows for name in row})
        return cls(len(rows), {name: LabelColumn.of([row.get(name, "") for row in rows]) for name in names})

    @classmethod
    def concat(cls, parts: Sequence[LabelSets]) -> LabelSets:
        """The series of several, one after another."""
        names = sorted({name for part in parts for name in part.columns})
        return cls(sum(part.size for part in parts), {name: _joined(parts, name) for name in names})

    def rows(self) -> list[dict[str, str]]:
        """Each series' labels as a dictionary, names sorted."""
        rows: list[dict[str, str]] = [{} for _ in range(self.size)]
        for name in sorted(self.columns):
            for row, text in zip(rows, self.columns[name].texts(), strict=True):
                if text:
                    row[name] = text
        return rows

    def take(self, rows: NDArray[np.intp]) -> LabelSets:
        """Chosen series, in the order of ``rows``."""
        return LabelSets(len(rows), {name: column.take(rows) for name, column in self.columns.items()})

    def column(self, name: str) -> LabelColumn:
        """One label, whether any series has it or not."""
        return self.columns.get(name) or LabelColumn.constant("", self.size)

    def keep(self, names: Collection[str]) -> LabelSets:
        """Only these labels."""
        return LabelSets(self.size, {name: column for name, column in self.columns.items() if name in names})

    def drop(self, names: Collection[str]) -> LabelSets:
        """All labels but these."""
        return LabelSets(self.size, {name: column for name, column in self.columns.items() if name not in names})

    def replace(self, columns: Mapping[str, LabelColumn]) -> LabelSets:
        """These labels set, the others as they are."""
        return LabelSets(self.size, {**self.columns, **columns})

    def order(self) -> NDArray[np.intp]:
        """Series in Prometheus' order: by name and value of the first label, then of the next."""
        names = sorted(self.columns)
        keys = []
        has_more = np.zeros(self.size, np.bool_)
        for name in reversed(names):
            column = self.columns[name]
            ranks = np.empty(len(column.values), np.int64)
            ranks[sorted(range(len(ranks)), key=column.values.__getitem__)] = np.arange(len(ranks))
            # Without the label the next one decides, whose name is larger; without any more the label set is a prefix.
            absent = np.where(has_more, len(ranks), -1)
            keys.append(np.where(column.codes == 0, absent, ranks[column.codes]))
            has_more |= column.codes != 0
        return np.lexsort(keys) if keys else np.arange(self.size)

    def groups(self, names: Iterable[str] | None = None) -> Groups:
        """Series with equal values of these labels (of all, without ``names``) as groups, in order of appearance."""
        chosen = self.columns if names is None else {name: self.columns[name] for name in names if name in self.columns}
        ids, bound = np.zeros(self.size, np.int64), 1
        for column in chosen.values():
            values = len(column.values)
            if bound > _MOST_IDS // max(values, 1):
                distinct, ids = np.unique(ids, return_inverse=True)
                ids, bound = ids.astype(np.int64), len(distinct)
            if values > 1:
                ids = ids * values + column.codes
                bound *= values
        if self.size <= _FEW:
            return _few_groups(ids.tolist())
        _, first, of_series = np.unique(ids, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        return Groups(place[of_series], first[order])


@dataclass(frozen=True, slots=True)
class Groups:
    """A partition of series: ``of[i]`` is the group of series i, ``first[g]`` the first series of group g."""

    of: NDArray[np.intp]
    first: NDArray[np.intp]

    @property
    def size(self) -> int:
        """How many groups there are."""
        return len(self.first)


def _few_groups(ids: Sequence[int]) -> Groups:
    first: dict[int, int] = {}
    for series, one in enumerate(ids):
        first.setdefault(one, series)
    places = {one: place for place, one in enumerate(first)}
    return Groups(np.array([places[one] for one in ids], np.intp), np.array(list(first.values()), np.intp))


def _joined(parts: Sequence[LabelSets], name: str) -> LabelColumn:
    first = parts[0].columns.get(name) if parts else None
    if first is not None and all(name in part.columns and part.columns[name].values == first.values for part in parts):
        return LabelColumn(np.concatenate([part.columns[name].codes for part in parts]), first.values)
    places: dict[str, int] = {"": 0}
    codes = []
    for part in parts:
        column = part.column(name)
        new = np.array([places.setdefault(value, len(places)) for value in column.values], np.int32)
        codes.append(new[column.codes])
    return LabelColumn(np.concatenate(codes) if codes else np.empty(0, np.int32), tuple(places))
