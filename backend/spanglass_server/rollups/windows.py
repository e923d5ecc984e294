"""Which ranges of time are rolled up next. Pure: what is stored and what time it is are passed in.

A *window* is 6 hours, ``start < t <= end`` with t in whole milliseconds, as PromQL sees it. It is rolled up once it has
been over for ten minutes, the newest first, so that what people look at is quick soonest; and again when points came
late for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.signals import Signal
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_MINUTE_NS = 60 * 10**9
_HOUR_NS = 60 * _MINUTE_NS
WINDOW_NS = 6 * _HOUR_NS
#: Senders retry for minutes; points that come later cost making the window again.
GRACE_NS = 10 * _MINUTE_NS


@dataclass(frozen=True, slots=True)
class Level:
    """One size of rollups: the points of each step are thinned to a few."""

    signal: Signal
    step_ns: int


LEVELS = (Level(Signal.ROLLUPS_5M, 5 * _MINUTE_NS), Level(Signal.ROLLUPS_1H, _HOUR_NS))
"""Each divides the next one and the window."""


def window_of(time_ns: int) -> Window:
    """The window that a point lies in."""
    start_ns = (time_ns - NS_PER_MS) // WINDOW_NS * WINDOW_NS
    return Window(start_ns, start_ns + WINDOW_NS)


def windows_between(first_ns: int, last_ns: int) -> Iterator[int]:
    """The starts of all windows that points of these times, or of times between them, lie in."""
    yield from range(window_of(first_ns).start_ns, window_of(last_ns).end_ns, WINDOW_NS)


def next_due(touched: Collection[int], now_ns: int) -> Window | None:
    """The newest of the windows with new points, given by their starts, that has been over for long enough."""
    start_ns = max((start for start in touched if now_ns >= start + WINDOW_NS + GRACE_NS), default=None)
    return None if start_ns is None else Window(start_ns, start_ns + WINDOW_NS)
