"""The tree of a trace: of nodes where it is small or odd, else of arrays, which takes a tenth of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.traces.trace_times import horizon_ns
from spanglass_core.traces.trace_tree import WARNINGS, build_tree
from spanglass_server.query.trace_tree.arrays import SpanArrays, TreeLists
from spanglass_server.query.trace_tree.clocks import awaited, resolutions, skews
from spanglass_server.query.trace_tree.own_times import CriticalPath, Placed, self_times
from spanglass_server.query.trace_tree.parents import depths, in_order, parents

if TYPE_CHECKING:
    from spanglass_server.query.trace_tree.arrays import Numbers, SpanLists

#: Spans up to which nodes cost no more than arrays.
FEW = 500
#: Levels of a trace with wrong clocks: each is looked at by itself.
_MOST_LEVELS = 2_000
#: Times and lengths up to which sums of two of them fit into a number of 64 bits.
_LATEST_NS = 2**62


def tree_of(spans: SpanLists) -> TreeLists:
    """Build the tree of one trace's spans, of which there is at least one."""
    found = None if len(spans.ids) <= FEW else from_arrays(spans)
    return TreeLists.of(build_tree(spans.spans())) if found is None else found


def from_arrays(spans: SpanLists) -> TreeLists | None:
    """Build it of arrays; None for what only nodes know: unknown starts, circles, ids of other lengths."""
    given = SpanArrays.of(spans)
    if given is None or not _are_usual(given):
        return None
    order = in_order(given)
    linked = given.taken(order)
    parent = parents(linked, spans, order)
    depth = depths(parent)
    if depth is None:
        return None
    steps = resolutions(linked)
    skew = np.zeros(len(parent), dtype=np.int64)
    if len(steps) > 1:  # one clock contradicts nothing
        if depth.max() > _MOST_LEVELS:
            return None
        skew = skews(linked, parent, depth, steps)
    return _finished(linked, order, _Linked(parent, depth, skew, steps))


def _are_usual(spans: SpanArrays) -> bool:
    """Whether all starts are known, and no sum of times is too large."""
    if max(int(spans.start_ns.max()), int(spans.duration_ns.max())) >= _LATEST_NS or spans.duration_ns.min() < 0:
        return False
    return int(spans.start_ns.min()) >= horizon_ns(int((spans.start_ns + spans.duration_ns).max()))


class _Linked:
    """Spans in the order in which they were linked: parents, depth, what was added to starts, steps of clocks."""

    def __init__(self, parent: Numbers, depth: Numbers, skew: Numbers, steps: Numbers) -> None:
        self.parent, self.depth, self.skew, self.steps = parent, depth, skew, steps


def _finished(spans: SpanArrays, order: Numbers, linked: _Linked) -> TreeLists:
    """Put linked spans into the order of the tree, and say how long each ran itself."""
    start_ns = spans.start_ns + linked.skew
    is_orphan = (linked.parent < 0) & spans.has_parent
    siblings = np.lexsort((order, start_ns + spans.duration_ns, start_ns, is_orphan, linked.parent))
    walked = _depth_first(linked.parent, siblings)
    place = np.empty_like(walked)
    place[walked] = np.arange(len(walked))
    parent = linked.parent[walked]
    parent = np.where(parent >= 0, place[parent], -1)
    waited = awaited(spans, linked.parent)[walked]
    start_ns, duration_ns = start_ns[walked], spans.duration_ns[walked]
    below = np.flatnonzero(parent >= 0)
    # depth first, siblings stand in their order already
    tree = Placed(parent, start_ns, start_ns + duration_ns, waited, below[np.argsort(parent[below], kind="stable")])
    is_call = (spans.is_kind("server") & spans.is_kind("client")[linked.parent])[walked]
    path = CriticalPath(tree, is_call, linked.steps[spans.clocks[walked]])
    for root in np.flatnonzero(parent < 0).tolist():
        path.follow(root)
    orphan, skew, begin_ns = is_orphan[walked], linked.skew[walked], int(start_ns.min())
    warns = {"missing_root": bool(orphan[parent < 0].all()), "orphans": bool(orphan.any()),
             "clock_skew": bool(skew.any())}  # fmt: skip
    return TreeLists(
        index=order[walked].tolist(),
        parent=parent.tolist(),
        depth=linked.depth[walked].tolist(),
        start_ns=start_ns.tolist(),
        duration_ns=duration_ns.tolist(),
        self_time_ns=self_times(tree).tolist(),
        critical=path.parts,
        awaited=waited.tolist(),
        skew_ns=skew.tolist(),
        start_unknown=[False] * len(walked),
        orphan=orphan.tolist(),
        children=np.bincount(parent[below], minlength=len(walked)).tolist(),
        warnings=[warning for warning in WARNINGS if warns.get(warning)],
        begin_ns=begin_ns,
        length_ns=int(tree.end_ns.max()) - begin_ns,
    )


def _depth_first(parent: Numbers, siblings: Numbers) -> Numbers:
    """Return the spans parents first; ``siblings`` has those at the top, then one parent's children after the other."""
    counts = np.bincount(parent + 1, minlength=len(parent) + 1)
    until = np.cumsum(counts).tolist()
    count, backwards = counts.tolist(), siblings.tolist()
    walked: list[int] = []
    stack = backwards[: until[0]][::-1]
    while stack:
        span = stack.pop()
        walked.append(span)
        if count[span + 1]:
            end = until[span + 1]
            stack += backwards[end - count[span + 1] : end][::-1]
    return np.array(walked, dtype=np.int64)
