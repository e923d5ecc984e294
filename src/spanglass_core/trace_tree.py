"""The tree of one trace: who called whom, in which order, how long each span ran itself, and whose clock was off.

Telemetry is often incomplete: parents that never arrive, spans sent twice, ids that point in circles, clocks that
disagree. Every span given is in the tree once, whatever its links say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: What can be wrong with a trace, in the order in which it is told.
WARNINGS = ("missing_root", "orphans", "clock_skew", "cycle")


@dataclass(frozen=True, slots=True)
class Span:
    """What the tree needs to know of a span. ``clock`` names whose clock measured it: a host, else a service."""

    span_id: bytes
    parent_id: bytes | None
    clock: str
    start_ns: int
    duration_ns: int
    asynchronous: bool = False  # a consumer of messages: it may rightly run after its parent has ended


@dataclass(slots=True, eq=False)
class Node:
    """A span's place in the tree. ``index`` counts in the spans given; ``start_ns`` has the clock skew taken out."""

    index: int
    span: Span
    start_ns: int
    depth: int = 0
    orphan: bool = False  # its parent has not arrived, or is one of its own descendants
    skew_ns: int = 0  # what was added to the span's own start
    self_time_ns: int = 0
    children: list[Node] = field(default_factory=list, repr=False)

    @property
    def end_ns(self) -> int:
        """When the span ended, with the clock skew taken out."""
        return self.start_ns + self.span.duration_ns


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
        _place_children(node)
    top.sort(key=lambda node: (node.orphan, node.start_ns, node.span.span_id))
    ordered = list(_walk(top))
    for node in ordered:
        node.self_time_ns = _self_time_ns(node)
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


def _place_children(parent: Node) -> None:
    """Set depth and skew of a placed node's children, and their order."""
    for child in parent.children:
        child.depth = parent.depth + 1
        child.skew_ns = _skew_ns(parent, child)
        child.start_ns = child.span.start_ns + child.skew_ns
    parent.children.sort(key=lambda child: (child.start_ns, child.span.span_id))


def _skew_ns(parent: Node, child: Node) -> int:
    """Say what to add to a child's start so that it does not contradict its parent.

    Spans of one clock are never moved against each other. Of two clocks one is wrong when the child begins before its
    parent, or begins after the end of a parent that waited for it. The child is then put in the middle of its parent,
    as if the way there took as long as the way back; one that does not fit, or is asynchronous, begins with it. A
    child that begins inside its parent stays where it is, also when it ends later: servers often finish a span after
    the last byte of their answer.
    """
    if child.span.clock == parent.span.clock:
        return parent.skew_ns
    is_early = child.span.start_ns < parent.start_ns
    is_late = child.span.start_ns > parent.end_ns and not child.span.asynchronous
    if not is_early and not is_late:
        return 0
    spare_ns = 0 if child.span.asynchronous else max(0, parent.span.duration_ns - child.span.duration_ns)
    return parent.start_ns + spare_ns // 2 - child.span.start_ns


def _self_time_ns(node: Node) -> int:
    """Measure the part of a span's time in which none of its children ran; they are sorted by start."""
    self_ns = 0
    at_ns = node.start_ns
    for child in node.children:
        if child.start_ns >= node.end_ns:
            break
        self_ns += max(0, child.start_ns - at_ns)
        at_ns = max(at_ns, child.end_ns)
    return self_ns + max(0, node.end_ns - at_ns)
