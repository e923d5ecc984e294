"""The tree of one trace: who called whom, in which order, how long each span ran itself, and whose clock was off.

Telemetry is often incomplete: parents that never arrive, ids that several spans share or that point in circles,
clocks that disagree. Every span given is in the tree once, whatever its links say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.traces.critical_path import find_critical_path
from spanglass_core.traces.trace_links import cut_cycles, link, order, walk
from spanglass_core.traces.trace_nodes import Node
from spanglass_core.traces.trace_times import Clocks, self_time_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_core.traces.trace_nodes import Span

#: What can be wrong with a trace, in the order in which it is told.
WARNINGS = ("missing_root", "orphans", "clock_skew", "unknown_start", "cycle")


@dataclass(frozen=True, slots=True)
class Tree:
    """All spans of a trace, depth first, siblings by start; roots come before orphans at the top.

    ``start_ns`` is when the first span began, ``duration_ns`` the time from there to the last end: values, not
    properties, because callers read them once a span.
    """

    nodes: Sequence[Node]
    warnings: Sequence[str]
    start_ns: int
    duration_ns: int


def build_tree(spans: Iterable[Span]) -> Tree:
    """Build the tree of one trace's spans, of which there is at least one, given in any order.

    Every span given becomes a node, also several with one id: the caller has left out what was sent twice.
    """
    nodes = [Node(index, span, span.start_ns) for index, span in enumerate(spans)]
    nodes.sort(key=order)
    top = link(nodes)
    warns = {"missing_root": all(node.orphan for node in top), "orphans": any(node.orphan for node in top)}
    cut = cut_cycles(nodes, top)
    top.extend(cut)
    clocks = Clocks.of(node.span for node in nodes)
    for node in top:
        clocks.place_top(node)
    for node in walk(top):
        clocks.place_children(node)
    top.sort(key=lambda node: (node.orphan, node.start_ns, node.end_ns, node.index))
    for node in top:
        find_critical_path(node, clocks)
    ordered = list(walk(top))
    for node in ordered:
        node.self_time_ns = self_time_ns(node)
    warns |= {"clock_skew": any(node.skew_ns for node in ordered), "cycle": bool(cut)}
    warns["unknown_start"] = any(node.start_unknown for node in ordered)
    start_ns = min(node.start_ns for node in ordered)
    end_ns = max(node.end_ns for node in ordered)
    warnings = [warning for warning in WARNINGS if warns[warning]]
    return Tree(ordered, warnings, start_ns, end_ns - start_ns)
