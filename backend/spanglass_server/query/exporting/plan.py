"""A range cut into ranges of about equally many records, by what storage knows without reading any."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.signals import Signal
    from spanglass_server.store.ports import Part, QuerySession

#: How many times less records take on disk than in memory.
_PACKED = 4


class Piece(NamedTuple):
    """A part of a range, and about how many records it has."""

    window: Window
    rows: int


def pieces(session: QuerySession, signal: Signal, window: Window, rows: int) -> list[Piece]:
    """Cut a window into pieces of about ``rows`` records, in the order of time: all of it, and nothing twice.

    Each part of storage is taken to have its records evenly over its time. At least one piece, with no records if there
    are none.
    """
    parts = [part for part in session.parts(signal, window) if part.rows]
    return _cut(parts, [part.rows for part in parts], window, rows)


def lighter(session: QuerySession, signal: Signal, window: Window, most_bytes: int) -> list[Window]:
    """Cut a window where its records are large, into some of about so many bytes; what they lie in is asked of it."""
    parts = [part for part in session.parts(signal, window) if part.rows]
    return [piece.window for piece in _cut(parts, [session.part_bytes(part) for part in parts], window, most_bytes)]


def stored(session: QuerySession, signal: Signal, window: Window, most_bytes: int) -> list[Window]:
    """Cut a window into some whose records take about so many bytes at most as they are stored; nothing is read."""
    parts = [part for part in session.parts(signal, window) if part.rows]
    amounts = [part.bytes or session.part_bytes(part) // _PACKED for part in parts]
    return [piece.window for piece in _cut(parts, amounts, window, most_bytes)]


def _cut(parts: Sequence[Part], amounts: Sequence[int], window: Window, most: int) -> list[Piece]:
    """Cut a window into pieces with about equally much of what its parts have, ``most`` at most."""
    edges, held = _growth(parts, amounts, window)
    count = max(1, -(-int(held[-1]) // most))
    cuts = np.interp(np.arange(1, count) * (held[-1] / count), held, edges).astype(np.int64)
    bounds = [0, *np.unique(cuts[(cuts > 0) & (cuts < window.end_ns - window.start_ns)]).tolist()]
    at = [*bounds, window.end_ns - window.start_ns]
    known = np.interp(at, edges, held)
    return [
        Piece(Window(window.start_ns + first, window.start_ns + last), round(known[place + 1] - known[place]))
        for place, (first, last) in enumerate(pairwise(at))
    ]


def _growth(parts: Sequence[Part], amounts: Sequence[int], window: Window) -> tuple[np.ndarray, np.ndarray]:
    """How much lies before some moments: the moments, counted from the window's begin, and the amounts."""
    length = window.end_ns - window.start_ns
    first = np.array([part.min_time_ns for part in parts], np.int64) - window.start_ns
    last = np.array([part.max_time_ns + 1 for part in parts], np.int64) - window.start_ns
    begins, ends = np.clip(first, 0, length), np.clip(last, 0, length)
    inside = np.array(amounts, np.float64) * ((ends - begins) / np.maximum(last - first, 1))
    edges = np.unique(np.concatenate([begins, ends, [0, length]]))
    # what grows between two edges: each part evenly from its begin to its end
    pace = np.where(ends > begins, inside / np.maximum(ends - begins, 1), 0.0)
    change = np.zeros(len(edges))
    np.add.at(change, np.searchsorted(edges, begins), pace)
    np.add.at(change, np.searchsorted(edges, ends), -pace)
    grown = np.maximum(np.cumsum(change)[:-1], 0.0) * np.diff(edges)
    return edges, np.concatenate([[0.0], np.cumsum(grown)])
