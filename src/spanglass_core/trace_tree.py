"""The tree of one trace: who called whom, in which order, how long each span ran itself, and whose clock was off.

Telemetry is often incomplete: parents that never arrive, spans sent twice, ids that point in circles, clocks that
disagree. Every span given is in the tree once, whatever its links say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.trace_nodes import Node
from spanglass_core.trace_times import place_children, self_time_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spanglass_core.trace_nodes import Span

#: What can be wrong with a trace, in the order in which it is told.
WARNINGS = ("missing_root", "orphans", "clock_skew", "cycle")


@dataclass(frozen=True, slots=True)
class Tree:
    """All spans of a trace, depth first, siblings by start; roots come before orphans at the top.

    ``start_ns`` is when the first span began, ``duration_ns`` the time from there to the last end: values, not
    properties, because callers read them once a span.
    """

    nodes: Sequence[Node]
    duplicates: int
    warnings: Sequence[str]
    start_ns: int
    duration_ns: int


def build_tree(spans: Iterable[Span]) -> Tree:
    """Build the tree of one trace's spans, of which there is at least one, given in any order.

    Of spans with the same id the earliest and then the longest stays, the others count as duplicates.
    """
    nodes, duplicates = _unique(spans)
    top = _link(nodes)
    warns = {"missing_root": all(node.orphan for node in top), "orphans": any(node.orphan for node in top)}
    cut = _cut_cycles(nodes, top)
    top.extend(cut)
    for node in _walk(top):
        place_children(node)
    top.sort(key=lambda node: (node.orphan, node.start_ns, node.span.span_id))
    ordered = list(_walk(top))
    for node in ordered:
        node.self_time_ns = self_time_ns(node)
    warns |= {"clock_skew": any(node.skew_ns for node in ordered), "cycle": bool(cut)}
    start_ns = min(node.start_ns for node in ordered)
    end_ns = max(node.end_ns for node in ordered)
    warnings = [warning for warning in WARNINGS if warns[warning]]
    return Tree(ordered, duplicates, warnings, start_ns, end_ns - start_ns)


def _unique(spans: Iterable[Span]) -> tuple[dict[bytes, Node], int]:
    """One node for each span id, earliest first, and how many spans are left out."""
    ordered = sorted(enumerate(spans), key=lambda pair: (pair[1].start_ns, -pair[1].duration_ns, pair[1].span_id))
    nodes: dict[bytes, Node] = {}
    for index, span in ordered:
        nodes.setdefault(span.span_id, Node(index, span, span.start_ns))
    return nodes, len(ordered) - len(nodes)


def _link(nodes: dict[bytes, Node]) -> list[Node]:
    """Give every node to its parent; those that have none here are returned."""
    top = []
    for node in nodes.values():
        parent = nodes.get(node.span.parent_id) if node.span.parent_id is not None else None
        if parent is not None:
            parent.children.append(node)
        else:
            node.orphan = node.span.parent_id is not None
            top.append(node)
    return top


def _cut_cycles(nodes: dict[bytes, Node], top: Sequence[Node]) -> list[Node]:
    """Free the earliest span of every circle from its parent, so that all spans hang from the top."""
    reached = {node.span.span_id for node in _walk(top)}
    freed = []
    for start in nodes.values():
        if start.span.span_id in reached:
            continue
        first = _earliest_of_cycle(nodes, start)
        assert first.span.parent_id is not None, "a span in a circle has a parent"  # noqa: S101 - narrows the type
        nodes[first.span.parent_id].children.remove(first)
        first.orphan = True
        freed.append(first)
        reached.update(node.span.span_id for node in _walk([first]))
    return freed


def _earliest_of_cycle(nodes: dict[bytes, Node], start: Node) -> Node:
    """Follow parents from a span that no root reaches, into its circle, and find the circle's first span."""
    seen: dict[bytes, int] = {}
    path: list[Node] = []
    node = start
    while node.span.span_id not in seen:
        seen[node.span.span_id] = len(path)
        path.append(node)
        assert node.span.parent_id is not None, "every span here has a parent"  # noqa: S101 - narrows the type
        node = nodes[node.span.parent_id]
    circle = path[seen[node.span.span_id] :]
    return min(circle, key=lambda member: (member.start_ns, member.span.span_id))


def _walk(top: Iterable[Node]) -> Iterator[Node]:
    """Nodes depth first, parents before children; with a stack, because chains of 10 000 calls exist."""
    stack = list(reversed(list(top)))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
