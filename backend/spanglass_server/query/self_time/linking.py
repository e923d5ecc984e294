"""Which span is the parent of which, for many traces at once, as ``spanglass_core.traces.trace_links`` has it for one.

Ids are numbers here that no two traces share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_core.traces.trace_links import link, order
from spanglass_core.traces.trace_nodes import Node, Span
from spanglass_server.query.language.intrinsics import SPAN_KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.query.self_time.reading import ReadSpans

_CLIENT, _SERVER, _PRODUCER, _CONSUMER = (
    SPAN_KINDS.index(name) for name in ("client", "server", "producer", "consumer")
)

#: Spans of ids that are linked one by one, half a second of a processor; of further ones the first of an id is meant.
_MOST_ODD = 50_000


def parents_of(spans: ReadSpans) -> NDArray[np.int64]:
    """Return the row of each span's parent, -1 for those without one among them. Of each circle the earliest has none.

    Rows are in the order in which spans are linked.
    """
    own, above = spans.numbers("own"), spans.numbers("above")
    ids = _Ids(own)
    groups = np.where(spans.numbers("has_parent"), ids.groups_of(above), -1)
    found = np.where(groups >= 0, ids.firsts[groups], -1)
    if len(ids.firsts) < len(own):
        _Sharing(spans, ids, groups).link(found)
    found[_earliest_of_circles(found)] = -1
    return found


class _Ids:
    """Spans by id: a group for each. ``firsts`` and ``lasts`` are rows, ``of_row`` the groups of all rows."""

    def __init__(self, own: NDArray[Any]) -> None:
        self._known, self.firsts, self.of_row, self.counts = np.unique(
            own, return_index=True, return_inverse=True, return_counts=True
        )
        self.lasts = np.zeros_like(self.firsts)
        np.maximum.at(self.lasts, self.of_row, np.arange(len(own)))

    def groups_of(self, wanted: NDArray[Any]) -> NDArray[np.int64]:
        """Return the group of each wanted id, -1 if no span has it."""
        if not len(self._known):
            return np.full(len(wanted), -1, np.int64)
        places = np.minimum(np.searchsorted(self._known, wanted), len(self._known) - 1)
        return np.where(self._known[places] == wanted, places, -1).astype(np.int64)


class _Sharing:
    """Spans that share an id, and those that name such an id as their parent's; ``groups`` are of named parents.

    The two halves of a call below one parent are linked in columns: the server's below the client's. All others, say
    three spans of one id, are linked as those of one trace are.
    """

    def __init__(self, spans: ReadSpans, ids: _Ids, groups: NDArray[np.int64]) -> None:
        self._spans, self._ids, self._groups = spans, ids, groups
        self._services, self._service_names = spans.texts("service")
        kinds, above = spans.numbers("kind"), spans.numbers("above")
        first, last = ids.firsts, ids.lasts
        first_calls = np.isin(kinds[first], (_CLIENT, _PRODUCER))
        self._callers, self._callees = np.where(first_calls, first, last), np.where(first_calls, last, first)
        of_caller, of_callee = kinds[self._callers], kinds[self._callees]
        self._is_call = (
            (ids.counts == 2)  # noqa: PLR2004 - two halves
            & (
                ((of_caller == _CLIENT) & (of_callee == _SERVER))
                | ((of_caller == _PRODUCER) & (of_callee == _CONSUMER))
            )
            & (above[first] == above[last])
            & (above[first] != spans.numbers("own")[first])
        )

    def link(self, parents: NDArray[np.int64]) -> None:
        """Put in the parents of these spans."""
        groups, ids = self._groups, self._ids
        below = np.flatnonzero((groups >= 0) & self._is_call[groups])
        parents[below] = self._halves_of(below)
        parents[self._callees[self._is_call]] = self._callers[self._is_call]
        is_odd = (ids.counts > 1) & ~self._is_call
        concerned = ids.counts + np.bincount(groups[groups >= 0], minlength=len(is_odd))
        is_odd &= np.cumsum(np.where(is_odd, concerned, 0)) <= _MOST_ODD
        rows = np.flatnonzero(is_odd[ids.of_row] | ((groups >= 0) & is_odd[groups]))
        if len(rows):
            self._link_by_hand(parents, rows)

    def _halves_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return to which half of the call that they name rows belong: ``trace_links`` says which."""
        caller, callee = self._callers[self._groups[rows]], self._callees[self._groups[rows]]
        clocks, kinds = self._spans.numbers("clock"), self._spans.numbers("kind")
        is_called = np.isin(kinds[rows], (_SERVER, _CONSUMER))
        first, second = np.where(is_called, caller, callee), np.where(is_called, callee, caller)
        of_first, of_second = (self._services[rows] == self._services[half] for half in (first, second))
        by_first, by_second = (of_first & (clocks[rows] == clocks[first]), of_second & (clocks[rows] == clocks[second]))
        is_clear = by_first | by_second
        of_first, of_second = np.where(is_clear, by_first, of_first), np.where(is_clear, by_second, of_second)
        is_second = of_second & (~of_first | (self._cover(second, rows) & ~self._cover(first, rows)))
        return np.where(is_second, second, np.where(of_first, first, caller))

    def _cover(self, halves: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each half ran when another span began."""
        starts, lengths = self._spans.numbers("start_ns"), self._spans.numbers("duration_ns")
        after = starts[rows] - starts[halves]
        covers: NDArray[np.bool_] = (after >= 0) & (after <= lengths[halves])
        return covers

    def _link_by_hand(self, parents: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        """Link some rows among themselves and with those that they name as their parents."""
        named = np.zeros(len(self._ids.counts), np.bool_)
        named[self._groups[rows][self._groups[rows] >= 0]] = True
        taken = named[self._ids.of_row]
        taken[rows] = True
        nodes = sorted(self._nodes(np.flatnonzero(taken)), key=order)
        link(nodes)
        found = {node.index: -1 if node.parent is None else node.parent.index for node in nodes}
        parents[rows] = [found[row] for row in rows.tolist()]

    def _nodes(self, rows: NDArray[np.int64]) -> list[Node]:
        spans = self._spans
        own, above = (spans.numbers(name)[rows].tolist() for name in ("own", "above"))
        parent_ids = [
            parent.to_bytes(8) if has_parent or parent == span_id else None
            for span_id, parent, has_parent in zip(own, above, spans.numbers("has_parent")[rows].tolist(), strict=True)
        ]
        fields = (
            [span_id.to_bytes(8) for span_id in own],
            parent_ids,
            [str(clock) for clock in spans.numbers("clock")[rows].tolist()],
            spans.numbers("start_ns")[rows].tolist(),
            spans.numbers("duration_ns")[rows].tolist(),
            [self._service_names[place] for place in self._services[rows].tolist()],
            [SPAN_KINDS[kind] if kind < len(SPAN_KINDS) else SPAN_KINDS[0]
             for kind in spans.numbers("kind")[rows].tolist()],
        )  # fmt: skip
        return [Node(row, span, span.start_ns) for row, span in zip(rows.tolist(), map(Span, *fields), strict=True)]


def depths_of(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many spans are above each."""
    depths = (parents >= 0).astype(np.int64)
    above = parents.copy()
    while (going := above >= 0).any():
        depths[going] += depths[above[going]]
        above[going] = above[above[going]]
    return depths


def _earliest_of_circles(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first row of each circle. Each step doubles how far up every span looks."""
    above = parents.copy()
    for _ in range(len(parents).bit_length()):
        going = np.flatnonzero(above >= 0)
        if not len(going):
            return going
        above[going] = above[above[going]]
    inside = np.unique(above[above >= 0])  # whoever looks so far up from a circle, or below it, is in it
    if not len(inside):
        return inside
    least, next_up = np.arange(len(inside)), np.searchsorted(inside, parents[inside])
    for _ in range(len(inside).bit_length()):
        least, next_up = np.minimum(least, least[next_up]), next_up[next_up]
    firsts: NDArray[np.int64] = inside[least == np.arange(len(inside))]
    return firsts
