"""Which span is the parent of which, for many traces at once: ``spanglass_core.trace_links`` in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.query.self_time.reading import ReadSpans

CLIENT, SERVER, PRODUCER, CONSUMER = 3, 2, 4, 5
#: Which kind calls each kind of callee.
_CALLERS: Final = {SERVER: CLIENT, CONSUMER: PRODUCER}
#: Chains of parents are followed so often, each time twice as far: a million spans deep.
_DOUBLINGS: Final = 20


def parents_of(spans: ReadSpans) -> NDArray[np.int64]:
    """Return the row of each span's parent, -1 for those without one among them. There are no circles.

    Where several spans share an id, the parent is the one of the same service; the two halves of a call that share one
    hang from each other.
    """
    own, kinds = spans.numbers("own"), spans.numbers("kind")
    found = _rows(spans.numbers("own_service"), spans.numbers("above_service"))
    any_service = _rows(own, spans.numbers("above"))
    found = np.where(found < 0, any_service, found)
    found[~spans.numbers("has_parent")] = -1
    for callee, caller in _CALLERS.items():
        callees, callers = np.flatnonzero(kinds == callee), np.flatnonzero(kinds == caller)
        halves = _rows(own[callers], own[callees])
        found[callees[halves >= 0]] = callers[halves[halves >= 0]]
    found[found == np.arange(len(found))] = -1
    found[~_reach_top(found)] = -1
    return found


def depths_of(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many spans are above each."""
    depths = (parents >= 0).astype(np.int64)
    above = parents.copy()
    while (going := above >= 0).any():
        depths[going] += depths[above[going]]
        above[going] = above[above[going]]
    return depths


def _reach_top(parents: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each span hangs from one that has no parent, and not in or from a circle."""
    above = parents.copy()
    for _ in range(_DOUBLINGS):
        going = above >= 0
        if not going.any():
            break
        above[going] = above[above[going]]
    return above < 0


def _rows(keys: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Return for each wanted key the first row that has it, -1 if none has."""
    known, firsts = np.unique(keys, return_index=True)
    if not len(known):
        return np.full(len(wanted), -1, np.int64)
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[places] == wanted, firsts[places], -1).astype(np.int64)
