"""How long spans ran themselves, and what their trace waited for: ``self_time_ns`` and ``find_critical_path``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.traces.critical_path import OUTLIVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.trace_tree.arrays import Flags, Numbers


@dataclass(frozen=True, slots=True)
class Placed:
    """The spans of a tree in their places, by the order of the tree.

    ``by_parent`` has those below others, one parent after the other, siblings in their order.
    """

    parent: Numbers
    start_ns: Numbers
    end_ns: Numbers
    awaited: Flags
    by_parent: Numbers


def self_times(tree: Placed) -> Numbers:
    """Return the part of each span's time in which none of the children ran that it waits for."""
    own_ns = tree.end_ns - tree.start_ns
    children = tree.by_parent[tree.awaited[tree.by_parent]]
    if not len(children):
        return own_ns
    above = tree.parent[children]
    before_ns = _ends_before(above, tree.end_ns[children], tree.start_ns[above])
    from_ns = np.maximum(np.maximum(tree.start_ns[children], tree.start_ns[above]), before_ns)
    covered_ns = np.maximum(0, np.minimum(tree.end_ns[children], tree.end_ns[above]) - from_ns)
    np.subtract.at(own_ns, above, covered_ns)
    return own_ns


def _ends_before(above: Numbers, end_ns: Numbers, start_ns: Numbers) -> Numbers:
    """Return the latest end of the siblings before each child, for the first one when its parent starts.

    By ranks of ends: the running maximum over all of them begins anew with each parent when its number comes first.
    """
    by_end = np.argsort(end_ns, kind="stable")
    rank = np.empty_like(by_end)
    rank[by_end] = np.arange(len(by_end))
    is_first = np.concatenate(([True], above[1:] != above[:-1]))
    group = np.cumsum(is_first) * len(by_end)
    latest = np.maximum.accumulate(group + rank) - group
    before_ns = end_ns[by_end][np.concatenate(([0], latest[:-1]))]
    return np.where(is_first, start_ns, before_ns)


class CriticalPath:
    """Follows the path of each root backwards. With plain numbers: each step needs the one before."""

    def __init__(self, tree: Placed, is_call: Flags, step_ns: Numbers) -> None:
        """``is_call``: the spans that serve the call of their parent; ``step_ns``: the steps of spans' clocks."""
        # of siblings that ended last comes first, and of those that ended together what began first
        children = tree.by_parent[tree.awaited[tree.by_parent]]
        above = tree.parent[children]
        by = (tree.start_ns[children], -tree.end_ns[children], above)
        ordered = children[np.lexsort(by)]
        counts = np.bincount(above, minlength=len(tree.parent))
        self._children: list[int] = ordered.tolist()
        self._until: list[int] = np.cumsum(counts).tolist()
        self._count: list[int] = counts.tolist()
        self._start: list[int] = tree.start_ns.tolist()
        self._end: list[int] = tree.end_ns.tolist()
        self._is_call: list[bool] = is_call.tolist()
        self._step: list[int] = step_ns.tolist()
        self.parts: list[Sequence[tuple[int, int]]] = [()] * len(self._start)

    def follow(self, root: int) -> None:
        """Set the ``parts`` of the spans on the path of a root."""
        todo = [(root, self._start[root], self._end[root])]
        while todo:
            span, from_ns, until_ns = todo.pop()
            if self._count[span]:
                self._own_parts(span, from_ns, until_ns, todo)
            elif until_ns > from_ns:
                self.parts[span] = [(from_ns, until_ns)]

    def _own_parts(self, span: int, from_ns: int, until_ns: int, todo: list[tuple[int, int, int]]) -> None:
        """Find what a span was on the path for by itself, and what it waited for."""
        parts, at_ns = [], until_ns
        until = self._until[span]
        for child in self._children[until - self._count[span] : until]:
            if at_ns <= from_ns:
                break
            child_end_ns = self._end[child]
            limit_ns = self._end[span] if at_ns == until_ns else at_ns
            if child_end_ns > limit_ns and not self._ends_late(child, child_end_ns - limit_ns, at_ns < until_ns):
                continue
            begun_ns, ended_ns = max(self._start[child], from_ns), min(child_end_ns, at_ns)
            if begun_ns < ended_ns:
                if ended_ns < at_ns:
                    parts.append((ended_ns, at_ns))
                if self._count[child]:
                    todo.append((child, begun_ns, ended_ns))
                else:  # two of three spans have nothing below them
                    self.parts[child] = [(begun_ns, ended_ns)]
                at_ns = begun_ns
        if at_ns > from_ns:
            parts.append((from_ns, at_ns))
        self.parts[span] = parts[::-1]

    def _ends_late(self, child: int, late_ns: int, has_later: bool) -> bool:  # noqa: FBT001 - called in a loop
        """Whether a child that ended after the span went on may have been waited for all the same."""
        if late_ns < self._step[child]:
            return True
        return not has_later and (self._is_call[child] or late_ns <= OUTLIVED * (self._end[child] - self._start[child]))
