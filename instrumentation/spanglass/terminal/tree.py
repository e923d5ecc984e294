"""The lines of a tree, drawn from the depths of its nodes in depth-first order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Deeper nodes stand where this depth does, with their depth in front: a chain of 1000 spans stays readable.
_MAX_DEPTH = 24


def branches(depths: Sequence[int]) -> list[tuple[str, str]]:
    """Return for each node what is written before it, and before further lines of the same node."""
    last_child = _last_children(depths)
    drawn: list[tuple[str, str]] = []
    rails: list[str] = []  # what each open ancestor draws on the lines of its descendants
    for index, depth in enumerate(depths):
        del rails[max(depth - 1, 0) :]
        has_children = index + 1 < len(depths) and depths[index + 1] > depth
        elbow = "" if depth == 0 else "└─ " if last_child[index] else "├─ "
        above = "".join(rails[:_MAX_DEPTH])
        if depth > 0:
            rails.append("   " if last_child[index] else "│  ")
        below = "".join(rails[: _MAX_DEPTH + 1]) + ("│  " if has_children else "   ")
        marker = f"[{depth}] " if depth > _MAX_DEPTH else ""
        drawn.append((above + elbow + marker, below))
    return drawn


def _last_children(depths: Sequence[int]) -> list[bool]:
    """Tell of each node whether no sibling follows it; read backwards, in one pass."""
    last = [True] * len(depths)
    open_depths: set[int] = set()  # depths at which a later sibling has been seen under the current parent
    deepest = -1
    for index in range(len(depths) - 1, -1, -1):
        depth = depths[index]
        for below in range(depth + 1, deepest + 1):
            open_depths.discard(below)
        last[index] = depth not in open_depths
        open_depths.add(depth)
        deepest = depth
    return last
