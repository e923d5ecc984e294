"""Which span is the parent of which, also where several spans share one id.

Zipkin's senders (B3, Envoy, Istio) give the client and the server half of a call the same span id and the same parent.
The server half then belongs below the client half, and what names that id as its parent below the half of its own
service.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spanglass_core.traces.trace_nodes import Node

#: Which kinds call each kind of callee, the likeliest first.
_CALLERS = {"server": ("client", "producer"), "consumer": ("producer", "client")}


def order(node: Node) -> tuple[int, int, bytes, str, str]:
    """Return what spans are sorted by before they are linked, so that their order of arrival decides nothing."""
    span = node.span
    return span.start_ns, -span.duration_ns, span.span_id, span.service, span.kind


def link(nodes: Sequence[Node]) -> list[Node]:
    """Put every node below its parent; ``nodes`` are in ``order``. Returns those whose parent is not here.

    A span that is its own parent is put below itself, and is for ``cut_cycles`` to free.
    """
    by_id: dict[bytes, list[Node]] = defaultdict(list)
    for node in nodes:
        by_id[node.span.span_id].append(node)
    shared = {span_id: _Shared(members) for span_id, members in by_id.items() if len(members) > 1}
    top = []
    for node in nodes:
        node.parent = _parent(node, by_id, shared)
        if node.parent is not None:
            node.parent.children.append(node)
        else:
            node.orphan = node.span.parent_id is not None
            top.append(node)
    return top


def _parent(node: Node, by_id: dict[bytes, list[Node]], shared: dict[bytes, _Shared]) -> Node | None:
    """Find a node's parent: the other half of its own call, else the span that it names."""
    span = node.span
    own = shared.get(span.span_id)
    caller = own.caller_of(node) if own is not None and span.kind in _CALLERS else None
    # both halves name one parent; a callee that names another one that is here only has its id by accident
    if caller is not None and (span.parent_id in (caller.span.parent_id, span.span_id) or span.parent_id not in by_id):
        return caller
    if span.parent_id is None:
        return None
    if span.parent_id == span.span_id:
        return node
    several = shared.get(span.parent_id)
    if several is not None:
        return several.parent_of(node)
    return next(iter(by_id.get(span.parent_id, ())), None)


class _Shared:
    """The spans that share one id, by service and role; each list is sorted by start."""

    def __init__(self, members: Iterable[Node]) -> None:
        self._groups: dict[tuple[str, ...], list[Node]] = defaultdict(list)
        for node in members:
            span = node.span
            role = "callee" if span.kind in _CALLERS else "caller"
            for place in (span.service, span.clock), (span.service,), ():
                self._groups[(*place, role)].append(node)
            self._groups["kind", span.kind].append(node)

    def caller_of(self, callee: Node) -> Node | None:
        """Return the client or producer half of a callee's own call."""
        callers = (self._groups.get(("kind", kind), ()) for kind in _CALLERS[callee.span.kind])
        return _nearest(next(filter(None, callers), ()), callee)

    def parent_of(self, child: Node) -> Node | None:
        """Return the half that a child belongs to: of its own process or service, else the caller.

        Within a service that calls itself, work belongs to the callee if that ran when the work began; what was
        called from there hangs from the caller.
        """
        span = child.span
        roles = ("caller", "callee") if span.kind in _CALLERS else ("callee", "caller")
        for place in (span.service, span.clock), (span.service,):
            halves = [self._groups.get((*place, role), ()) for role in roles]
            found = [half for half in (_nearest(nodes, child) for nodes in halves) if half is not None]
            if found:
                return next((half for half in found if _covers(half, child)), found[0])
        return _nearest(self._groups.get(("caller",), ()) or self._groups.get(("callee",), ()), child)


def _nearest(nodes: Sequence[Node], child: Node) -> Node | None:
    """Return the last of the nodes that began before a child, else the first; None if there is none."""
    if not nodes:
        return None
    place = bisect_right(nodes, child.span.start_ns, key=lambda node: node.span.start_ns)
    return nodes[max(0, place - 1)]


def _covers(node: Node, child: Node) -> bool:
    """Whether a span ran when another began."""
    return node.span.start_ns <= child.span.start_ns <= node.span.start_ns + node.span.duration_ns


def cut_cycles(nodes: Sequence[Node], top: Sequence[Node]) -> list[Node]:
    """Free the earliest span of every circle from its parent, so that all spans hang from the top."""
    reached = set(walk(top))
    freed = []
    for start in nodes:
        if start in reached:
            continue
        first = _earliest_of_cycle(start)
        assert first.parent is not None, "a span in a circle has a parent"  # noqa: S101 - narrows the type
        first.parent.children.remove(first)
        first.parent, first.orphan = None, True
        freed.append(first)
        reached.update(walk([first]))
    return freed


def _earliest_of_cycle(start: Node) -> Node:
    """Follow parents from a span that no root reaches, into its circle, and find the circle's first span."""
    seen: dict[Node, int] = {}
    node = start
    while node not in seen:
        seen[node] = len(seen)
        assert node.parent is not None, "every span here has a parent"  # noqa: S101 - narrows the type
        node = node.parent
    return min(list(seen)[seen[node] :], key=order)


def walk(top: Iterable[Node]) -> Iterator[Node]:
    """Nodes depth first, parents before children; with a stack, because chains of 10 000 calls exist."""
    stack = list(reversed(list(top)))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
