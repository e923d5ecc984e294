"""Which span is the parent of which, in arrays, and how deep each stands: ``spanglass_core.traces.trace_links``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_core.traces.trace_links import link
from spanglass_core.traces.trace_nodes import Node

if TYPE_CHECKING:
    from spanglass_server.query.trace_tree.arrays import Flags, Ids, Numbers, SpanArrays, SpanLists


def in_order(spans: SpanArrays) -> Numbers:
    """Return the order in which spans are linked (``spanglass_core.traces.trace_links.order``)."""
    by = (spans.kinds, spans.services, spans.ids, -spans.duration_ns, spans.start_ns)
    return np.lexsort(by)


def parents(spans: SpanArrays, lists: SpanLists, order: Numbers) -> Numbers:
    """Return the place of each span's parent, -1 for none; ``spans`` are ``lists`` in their ``order``.

    Spans that share an id, and those below them, are linked by ``link``; all others by their ids alone.
    """
    ids, firsts, of_span, counts = np.unique(spans.ids, return_index=True, return_inverse=True, return_counts=True)
    at, found = _looked_up(ids, spans.parent_ids)
    found &= spans.has_parent
    parent = np.where(found, firsts[at], -1)
    if len(ids) < len(spans.ids):
        shares = counts[of_span] > 1
        parent_is_shared = found & (counts[at] > 1)
        _link_by_hand(parent, shares | parent_is_shared, lists, order)
    return parent


def _looked_up(ids: Ids, wanted: Ids) -> tuple[Numbers, Flags]:
    """Return where in sorted ids each of some others stands, and whether it does."""
    at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return at, ids[at] == wanted


def _link_by_hand(parent: Numbers, special: Flags, lists: SpanLists, order: Numbers) -> None:
    """Link the special spans among themselves and with what they name as their parents."""
    taken = special.copy()
    named = parent[special]
    taken[named[named >= 0]] = True
    places = np.flatnonzero(taken).tolist()
    some = lists.spans(order[taken].tolist())
    nodes = [Node(place, span, span.start_ns) for place, span in zip(places, some, strict=True)]
    link(nodes)
    for node in nodes:
        if special[node.index]:
            parent[node.index] = -1 if node.parent is None else node.parent.index


def depths(parent: Numbers) -> Numbers | None:
    """Return how many spans stand above each; None if some stand in a circle.

    Each step doubles how far up every span looks, so chains of 100,000 calls take 17.
    """
    depth = (parent >= 0).astype(np.int64)
    above = parent.copy()
    for _ in range(len(parent).bit_length()):
        going_on = np.flatnonzero(above >= 0)
        if not len(going_on):
            return depth
        via = above[going_on]
        depth[going_on] += depth[via]
        above[going_on] = above[via]
    return depth if (above < 0).all() else None
