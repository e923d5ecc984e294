"""Spans of one part by group and step of time: a cell for each that has any, with durations in rising order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.query.span_figures.columns import within

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from spanglass_server.query.span_figures.columns import Numbers, Operation, SpanColumns
    from spanglass_server.store.ports import Window

#: Bits of a number that is sorted as one.
_BITS = 63
_BYTES_A_GROUP = 100


@dataclass(frozen=True, slots=True)
class Cells:
    """Cell n is of group ``labels[group[n]]`` and of the step that starts at ``step[n]`` steps since 1970.

    Its spans have the durations from ``bounds[n]`` to ``bounds[n + 1]``; ``failed[n]`` of them failed. Cells are in
    the order of their groups, then steps.
    """

    labels: tuple[Hashable, ...]
    group: Numbers
    step: Numbers
    failed: Numbers
    bounds: NDArray[np.intp]
    duration_ns: Numbers

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        arrays = (self.group, self.step, self.failed, self.bounds, self.duration_ns)
        return sum(array.nbytes for array in arrays) + _BYTES_A_GROUP * len(self.labels)

    def without_steps(self) -> Cells:
        """One cell for each group; its durations are in no order."""
        first = np.flatnonzero(np.diff(self.group, prepend=-1))
        if not len(first):
            return self
        return Cells(
            self.labels,
            self.group[first],
            np.zeros(len(first), np.int64),
            np.add.reduceat(self.failed, first),
            np.append(self.bounds[first], self.bounds[-1]),
            self.duration_ns,
        )


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which operations are meant, and what their spans are grouped as; ``step_ns`` is the length of steps.

    Cells of a grouping with a ``name``, which no other has, are kept. With ``roots`` only spans without a parent count.
    """

    chosen: Callable[[Operation], bool]
    label: Callable[[Operation], Hashable]
    step_ns: int
    name: str | None = None
    roots: bool = False


def cells_of(columns: SpanColumns, grouping: Grouping, window: Window | None) -> Cells:
    """The cells of a part's spans, of those of a window if there is one."""
    places: dict[Hashable, int] = {}
    groups, starts, durations, failures = [], [], [], []
    for run, rows in columns.ranges(grouping.chosen):
        codes = [places.setdefault(grouping.label(columns.operations[place]), len(places)) for place in run]
        lengths = np.diff(columns.bounds[run[0] : run[-1] + 2])
        groups.append(np.repeat(np.array(codes, np.int64), lengths))
        starts.append(columns.start_ns[rows])
        durations.append(columns.duration_ns[rows])
        failures.append(columns.failed[rows])
    if not places:
        return NO_CELLS
    group, start_ns, duration_ns = np.concatenate(groups), np.concatenate(starts), np.concatenate(durations)
    failed = np.concatenate(failures)
    if window is not None:
        inside = within(start_ns, window)
        group, start_ns, duration_ns, failed = group[inside], start_ns[inside], duration_ns[inside], failed[inside]
    return _sorted(tuple(places), group, start_ns // grouping.step_ns, duration_ns, failed)


def _sorted(
    labels: tuple[Hashable, ...], group: Numbers, step: Numbers, duration_ns: Numbers, failed: NDArray[np.bool_]
) -> Cells:
    if not len(group):
        return NO_CELLS
    first = int(step.min())
    steps = int(step.max()) - first + 1
    code = group * steps + (step - first)
    codes, duration_ns = sort_together(code, duration_ns)
    begins = np.flatnonzero(np.diff(codes, prepend=-1))
    cell = codes[begins]
    return Cells(
        labels,
        cell // steps,
        cell % steps + first,
        np.bincount(np.searchsorted(cell, code[failed]), minlength=len(cell)),
        np.append(begins, len(codes)),
        duration_ns,
    )


def sort_together(code: Numbers, value: Numbers) -> tuple[Numbers, Numbers]:
    """Sort pairs of numbers, both 0 or more; packed into one number where they fit, which takes a third of the time."""
    bits = int(value.max(initial=0)).bit_length()
    if int(code.max(initial=0)).bit_length() + bits <= _BITS:
        packed = (code << bits) | value
        packed.sort()
        return packed >> bits, packed & ((1 << bits) - 1)
    order = np.lexsort((value, code))
    return code[order], value[order]


NO_CELLS = Cells(
    (),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.zeros(1, np.intp),
    np.empty(0, np.int64),
)
