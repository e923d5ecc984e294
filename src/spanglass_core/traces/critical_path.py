"""The critical path of a trace: the spans that it waited for, one after the other, from its root's start to its end.

Shortening one of these parts shortens the trace; shortening anything else does not. The path is followed backwards:
a span waited last for the child that ended last, before that for the one that ended last before this one began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_core.traces.trace_nodes import Node
    from spanglass_core.traces.trace_times import Clocks

#: A child that ended after its parent was awaited if only this share of its time lies outside. Frameworks end the outer
#: span some microseconds before the inner one; work that the parent left behind goes on for longer.
OUTLIVED = 0.05


def find_critical_path(root: Node, clocks: Clocks) -> None:
    """Set ``critical`` of the nodes on the path of a root: parts without gap or overlap, which make up its duration.

    Each node's children are sorted once, and nothing recurses: chains of 10 000 calls exist.
    """
    todo = [(root, root.start_ns, root.end_ns)]
    while todo:
        node, from_ns, until_ns = todo.pop()
        parts = []
        at_ns = until_ns
        for child in sorted(node.children, key=_last_first):
            if at_ns <= from_ns:
                break
            if not child.awaited or not _waited_for(node, child, at_ns, until_ns, clocks):
                continue
            start_ns, end_ns = max(child.start_ns, from_ns), min(child.end_ns, at_ns)
            if start_ns < end_ns:
                if end_ns < at_ns:
                    parts.append((end_ns, at_ns))
                todo.append((child, start_ns, end_ns))
                at_ns = start_ns
        if at_ns > from_ns:
            parts.append((from_ns, at_ns))
        node.critical = parts[::-1]


def _last_first(child: Node) -> tuple[int, int]:
    """Sort what ended last first, and of what ended together what began first."""
    return -child.end_ns, child.start_ns


def _waited_for(node: Node, child: Node, at_ns: int, until_ns: int, clocks: Clocks) -> bool:
    """Whether a span, which went on at ``at_ns``, may have waited for a child's end until then.

    A sibling that was still running when the later one began, was not what held the span up there. What differs by
    less than the child's clock can measure happened at one time.
    """
    limit_ns = node.end_ns if at_ns == until_ns else at_ns
    late_ns = child.end_ns - limit_ns
    if late_ns <= 0 or late_ns < clocks.resolution_ns[child.span.clock]:
        return True
    if at_ns < until_ns:
        return False
    is_call = node.span.kind == "client" and child.span.kind == "server"  # the server ends after its last byte
    return is_call or late_ns <= OUTLIVED * child.duration_ns
