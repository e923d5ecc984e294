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
    edges, held = _growth(parts, window)
    total = int(held[-1])
    count = max(1, -(-total // rows))
    cuts = np.interp(np.arange(1, count) * (held[-1] / count), held, edges).astype(np.int64)
    bounds = [0, *np.unique(cuts[(cuts > 0) & (cuts < window.end_ns - window.start_ns)]).tolist()]
    at = [*bounds, window.end_ns - window.start_ns]
    known = np.interp(at, edges, held)
    return [
        Piece(Window(window.start_ns + first, window.start_ns + last), round(known[place + 1] - known[place]))
        for place, (first, last) in enumerate(pairwise(at))
    ]


def _growth(parts: Sequence[Part], window: Window) -> tuple[np.ndarray, np.ndarray]:
    """How many records lie before some moments: the moments, counted from the window's begin, and the numbers."""
    length = window.end_ns - window.start_ns
    first = np.array([part.min_time_ns for part in parts], np.int64) - window.start_ns
    last = np.array([part.max_time_ns + 1 for part in parts], np.int64) - window.start_ns
    rows = np.array([part.rows for part in parts], np.float64)
    edges = np.unique(np.clip(np.concatenate([first, last, [0, length]]), 0, length))
    share = (np.clip(edges[:, None], first, last) - first) / np.maximum(last - first, 1)
    before = share @ rows
    return edges, before - before[0]
