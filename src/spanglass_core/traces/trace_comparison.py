"""Two traces, or two groups of traces, side by side: their paths aligned, and what became of each.

Paths are aligned by their steps: a path of one side is that of the other which has the same names from the root down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_core.traces.trace_paths import Path, Step

Change = Literal["same", "slower", "faster", "appeared", "vanished"]

#: A path is slower or faster from so much of its own work on, if that is so much of the larger side's work.
NOTABLE, NOTABLE_OF_ALL = 0.1, 0.01


@dataclass(frozen=True, slots=True)
class Aligned:
    """A path of two sides; one of them may lack it. Differences are of the second side, in ns a trace."""

    step: Step
    depth: int
    sides: tuple[Path | None, Path | None]
    change: Change
    self_difference_ns: float
    work_difference_ns: float


def compare(before: Path, after: Path) -> list[Aligned]:
    """Align what ``fold`` made of two sides, each of at least one trace; depth first, in the order of both sides.

    Work and times are compared for each trace, so groups may differ in size.
    """
    traces = (before.traces, after.traces)
    whole_ns = max(before.work_ns / traces[0], after.work_ns / traces[1])
    found = []
    todo: list[tuple[Path | None, Path | None]] = [*reversed(_pairs(before, after))]
    while todo:
        sides = todo.pop()
        found.append(_aligned(sides, traces, whole_ns))
        todo.extend(reversed(_pairs(*sides)))
    return found


def _aligned(sides: tuple[Path | None, Path | None], traces: tuple[int, int], whole_ns: float) -> Aligned:
    own = [side.self_time_ns / count if side else 0.0 for side, count in zip(sides, traces, strict=True)]
    work = [side.work_ns / count if side else 0.0 for side, count in zip(sides, traces, strict=True)]
    known = next(side for side in sides if side is not None)
    change = _change(sides, work[0], work[1], whole_ns)
    return Aligned(known.step, known.depth, sides, change, own[1] - own[0], work[1] - work[0])


def _change(sides: tuple[Path | None, Path | None], before_ns: float, after_ns: float, whole_ns: float) -> Change:
    if sides[0] is None:
        return "appeared"
    if sides[1] is None:
        return "vanished"
    difference_ns = after_ns - before_ns
    if abs(difference_ns) < max(NOTABLE * before_ns, NOTABLE_OF_ALL * whole_ns, 1):
        return "same"
    return "slower" if difference_ns > 0 else "faster"


def _pairs(before: Path | None, after: Path | None) -> Sequence[tuple[Path | None, Path | None]]:
    """Pair the children of two paths: in the first side's order, those of the second only after what they followed."""
    if before is None or after is None:
        known = before or after
        assert known is not None, "one of two sides has the path"  # noqa: S101 - narrows the type
        return [(None, child) if before is None else (child, None) for child in known.children.values()]
    followers: dict[Step | None, list[Path]] = {}
    last: Step | None = None
    for step, child in after.children.items():
        if step in before.children:
            last = step
        else:
            followers.setdefault(last, []).append(child)
    pairs: list[tuple[Path | None, Path | None]] = [(None, child) for child in followers.get(None, ())]
    for step, child in before.children.items():
        pairs.append((child, after.children.get(step)))
        pairs.extend((None, follower) for follower in followers.get(step, ()))
    return pairs


def largest(aligned: Sequence[Aligned], most: int) -> list[Aligned]:
    """Return so many of the paths whose own time differs the most, the largest difference first; none that does not."""
    ranked = sorted(aligned, key=lambda path: -abs(path.self_difference_ns))
    return [path for path in ranked[:most] if path.self_difference_ns]
