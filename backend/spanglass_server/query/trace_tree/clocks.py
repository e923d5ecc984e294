"""When spans ran, in arrays: clocks that are off as ``spanglass_core.traces.trace_times`` says, who waits for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.traces.trace_times import resolution_ns

if TYPE_CHECKING:
    from spanglass_server.query.trace_tree.arrays import Flags, Numbers, SpanArrays


def resolutions(spans: SpanArrays) -> Numbers:
    """Return the step in which each clock counts."""
    by_clock, counts = np.argsort(spans.clocks, kind="stable"), np.bincount(spans.clocks)
    firsts = np.cumsum(counts) - counts  # every number has a span
    dividing = (np.gcd.reduceat(times[by_clock], firsts).tolist() for times in (spans.start_ns, spans.duration_ns))
    return np.array([*map(resolution_ns, *dividing, counts.tolist())], dtype=np.int64)


def awaited(spans: SpanArrays, parent: Numbers) -> Flags:
    """Whether the parent of each span waits for it."""
    of_consumer, of_producer = spans.is_kind("consumer"), spans.is_kind("producer")
    same = spans.services[parent] == spans.services
    by_kind = np.where(of_consumer, of_consumer[parent] & same, ~of_producer[parent] | same)
    found: Flags = (parent < 0) | by_kind
    return found


def skews(spans: SpanArrays, parent: Numbers, depth: Numbers, steps: Numbers) -> Numbers:
    """Return what is to be added to each start so that no call is served before it is made, or after its answer.

    Where no call contradicts its caller, none is moved; else they are looked at from the top down, since what hangs
    from a moved span moves along.
    """
    skew = np.zeros(len(parent), dtype=np.int64)
    below = np.flatnonzero(parent >= 0)
    if not len(_moved(spans, below, parent[below], skew, steps)[0]):
        return skew
    by_depth = below[np.argsort(depth[below], kind="stable")]
    for level in np.split(by_depth, np.flatnonzero(np.diff(depth[by_depth])) + 1):
        above = parent[level]
        skew[level] = np.where(spans.clocks[level] == spans.clocks[above], skew[above], 0)
        which, by_ns = _moved(spans, level, above, skew, steps)
        skew[level[which]] = by_ns
    return skew


def _moved(
    spans: SpanArrays, children: Numbers, above: Numbers, skew: Numbers, steps: Numbers
) -> tuple[Numbers, Numbers]:
    """Return which of some children are moved into their parents, and by how much."""
    calls = spans.is_kind("server")[children] & spans.is_kind("client")[above]
    which = np.flatnonzero(calls & (spans.clocks[children] != spans.clocks[above]))
    child, parent = children[which], above[which]
    rounding_ns = np.maximum(steps[spans.clocks[child]], steps[spans.clocks[parent]])
    begins_ns = spans.start_ns[parent] + skew[parent]
    spare_ns = spans.duration_ns[parent] - spans.duration_ns[child]
    is_early = begins_ns - spans.start_ns[child] >= rounding_ns
    was_answered = ~spans.failed[parent] & (spare_ns > -rounding_ns)
    is_late = was_answered & (spans.start_ns[child] - begins_ns - spans.duration_ns[parent] >= rounding_ns)
    moved = is_early | is_late
    by_ns = begins_ns + np.maximum(0, spare_ns) // 2 - spans.start_ns[child]
    return which[moved], by_ns[moved]
