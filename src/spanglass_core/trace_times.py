"""When the spans of a trace ran: whose clock was off, and how long each span ran itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_core.trace_nodes import Node


def place_children(parent: Node) -> None:
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


def self_time_ns(node: Node) -> int:
    """Measure the part of a span's time in which none of its children ran; they are sorted by start."""
    self_ns = 0
    at_ns = node.start_ns
    for child in node.children:
        if child.start_ns >= node.end_ns:
            break
        self_ns += max(0, child.start_ns - at_ns)
        at_ns = max(at_ns, child.end_ns)
    return self_ns + max(0, node.end_ns - at_ns)
