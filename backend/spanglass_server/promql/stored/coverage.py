"""Which records stand in for which time: points, or rollups where thinned samples will do or points are gone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.rollups.windows import LEVELS
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


#: A range of time in milliseconds, ``start < t <= end``.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A range of time, ``after_ms < t <= until_ms``, and the signal that it is read from."""

    signal: Signal
    after_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Covered:
    """What each level of rollups stands for, without late points (``current``) or with (``known``).

    ``first_point_ms`` is when the earliest point is, None without any.
    """

    current: Mapping[Signal, Sequence[Span]]
    known: Mapping[Signal, Sequence[Span]]
    first_point_ms: int | None


def stretches(asked: Span, grid_ms: int, covered: Covered) -> list[Stretch]:
    """What is read for a range of time, in order.

    Where ``grid_ms`` allows it the coarsest level that lacks no point is read, then points; before the earliest point
    any level that there is, those that the grid allows first.
    """
    usable = [level.signal for level in LEVELS if grid_ms and grid_ms * NS_PER_MS % level.step_ns == 0]
    others = [level.signal for level in LEVELS if level.signal not in usable]
    first_ms = covered.first_point_ms
    points: list[Span] = [] if first_ms is None else [(first_ms - 1, max(asked[1], first_ms))]
    choices: list[tuple[Signal, Sequence[Span]]] = [
        *((signal, covered.current[signal]) for signal in reversed(usable)),
        (Signal.METRICS, points),
        *((signal, covered.known[signal]) for signal in (*reversed(usable), *others)),
    ]
    found: list[Stretch] = []
    open_spans = [asked]
    for signal, spans in choices:
        taken = [part for span in open_spans for part in _common(span, spans)]
        found += [Stretch(signal, *part) for part in taken]
        open_spans = [rest for span in open_spans for rest in _without(span, taken)]
    return sorted(found, key=lambda stretch: stretch.after_ms)


def _common(span: Span, spans: Iterable[Span]) -> list[Span]:
    """What a range has in common with others, ranges side by side as one."""
    found: list[Span] = []
    for start, end in spans:
        start, end = max(start, span[0]), min(end, span[1])  # noqa: PLW2901 - the same range, cut
        if start >= end:
            continue
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _without(span: Span, taken: Iterable[Span]) -> list[Span]:
    """What is left of a range."""
    left, start = [], span[0]
    for begin, end in taken:
        if begin >= span[1] or end <= start:
            continue
        if begin > start:
            left.append((start, begin))
        start = max(start, end)
    return [*left, (start, span[1])] if start < span[1] else left
