"""Stretches of time that hold about a share of all spans, spread evenly over them.

Spans are stored in the order in which they came. A stretch of time is therefore read without the rest, where spans
chosen one by one would be spread over everything that is stored: of ten million spans a fiftieth of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.store.ports import Part

#: So many stretches are read. Each costs 45 ms of a processor: two row groups with all of their columns.
_SLICES = 5


def rows_within(parts: Sequence[Part], window: Window) -> float:
    """About how many rows of parts lie in a window, as if those of each were spread evenly."""
    return sum(part.rows * _share(part, window) for part in parts)


def slices(parts: Sequence[Part], window: Window, share: float) -> list[Window]:
    """Return windows that hold about a share of the rows of a window; the window itself for all of them.

    They stand in the middle of equally many rows each, wherever these lie in time.
    """
    inside = [(max(part.min_time_ns, window.start_ns), min(part.max_time_ns + 1, window.end_ns),
               part.rows * _share(part, window)) for part in parts]  # fmt: skip
    inside = [each for each in inside if each[2] > 0]
    if share >= 1 or not inside:
        return [window]
    starts, ends, rows = (np.array(column, np.float64) for column in zip(*inside, strict=True))
    # numbers of this size are exact to 256 ns
    times = np.array(sorted({*starts.tolist(), *ends.tolist()}))  # np.unique loads what takes 50 ms at first
    passed = np.clip((times[:, None] - starts) / np.maximum(ends - starts, 1), 0, 1) @ rows
    middles = (np.arange(_SLICES) + 0.5) / _SLICES
    half = share / _SLICES / 2
    begin, end = (np.interp((middles + side) * passed[-1], passed, times) for side in (-half, half))
    found = [Window(int(one), max(int(two), int(one) + 1)) for one, two in zip(begin, end, strict=True)]
    return _apart([each.within(window) for each in found])


def _share(part: Part, window: Window) -> float:
    """How much of a part's time lies in a window."""
    length = part.max_time_ns + 1 - part.min_time_ns
    return max(0, min(part.max_time_ns + 1, window.end_ns) - max(part.min_time_ns, window.start_ns)) / length


def _apart(windows: Sequence[Window]) -> list[Window]:
    """Let no row be in two windows."""
    found: list[Window] = []
    for window in windows:
        start_ns = max(window.start_ns, found[-1].end_ns) if found else window.start_ns
        if start_ns < window.end_ns:
            found.append(Window(start_ns, window.end_ns))
    return found
