"""Spans of traces folded by their path: the names from the root down to a span.

Twenty equal calls of one query are one path. The folded tree is what a flame graph draws, and what two traces are
aligned by: ids differ from trace to trace, paths do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: A path, of one side or of two.
AnyPath = TypeVar("AnyPath")

#: What a span is called on its path: its service, its name, and what it calls, as far as the name does not say it.
Step = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class PathSpan:
    """A span of a tree that is given depth first; its parent is the last span before it that is less deep."""

    key: str
    depth: int
    step: Step
    duration_ns: int
    self_time_ns: int
    critical_ns: int = 0  # of its trace's critical path
    failed: bool = False


@dataclass(slots=True, eq=False)
class Path:
    """All spans of one path. ``work_ns`` is their self time with that of everything below them.

    So the work of a path is that of its children and its own self time, however its children ran: also side by side,
    or after their parent had ended.
    """

    step: Step
    depth: int
    spans: int = 0
    errors: int = 0
    duration_ns: int = 0
    self_time_ns: int = 0
    critical_ns: int = 0
    work_ns: int = 0
    longest_ns: int = -1
    longest: str = ""  # the key of the span that took longest
    traces: int = 0  # that have the path; of the path above the roots, all that were folded
    counted: int = 0  # the number of the last of them
    children: dict[Step, Path] = field(default_factory=dict, repr=False)

    def add(self, span: PathSpan, trace: int) -> None:
        """Count one span of a trace, given by its number."""
        if self.counted != trace:
            self.counted = trace
            self.traces += 1
        self.spans += 1
        self.errors += span.failed
        self.duration_ns += span.duration_ns
        self.self_time_ns += span.self_time_ns
        self.critical_ns += span.critical_ns
        if span.duration_ns > self.longest_ns:
            self.longest_ns, self.longest = span.duration_ns, span.key


def fold(spans: Iterable[PathSpan]) -> Path:
    """Fold the spans of a trace by path; returns a path of no spans above its roots."""
    return fold_all([spans])


def fold_all(traces: Iterable[Iterable[PathSpan]]) -> Path:
    """Fold the spans of traces together by path; returns a path of no spans above their roots."""
    top = Path(("", "", ""), -1)
    for spans in traces:
        _add(top, spans)
    _sum_up(top)
    return top


def _add(top: Path, spans: Iterable[PathSpan]) -> None:
    top.traces += 1
    above = [top]
    for span in spans:
        del above[span.depth + 1 :]
        parent = above[-1]
        path = parent.children.get(span.step)
        if path is None:
            path = parent.children[span.step] = Path(span.step, parent.depth + 1)
        path.add(span, top.traces)
        above.append(path)


def listed(top: Path) -> list[Path]:
    """Return the paths below one, depth first, in the order in which they came up; with a stack: they may be deep."""
    found = []
    todo = [*reversed(top.children.values())]
    while todo:
        path = todo.pop()
        found.append(path)
        todo.extend(reversed(path.children.values()))
    return found


def heaviest(
    paths: Sequence[AnyPath], most: int, work_ns: Callable[[AnyPath], int] = attrgetter("work_ns")
) -> Sequence[AnyPath]:
    """Return so many of the paths, those of the most work, in their order; none without the path above it."""
    if len(paths) <= most:
        return paths
    # a path comes before those below it, and has at least their work, so the first of equal work are never orphans
    ranked = sorted(range(len(paths)), key=lambda place: (-work_ns(paths[place]), place))
    return [paths[place] for place in sorted(ranked[:most])]


def _sum_up(top: Path) -> None:
    for path in reversed([top, *listed(top)]):
        path.work_ns = path.self_time_ns + sum(child.work_ns for child in path.children.values())
