"""The time range of a page: read from the URL, named for the reader, and moved by links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from spanglass_server.pages.format import EPOCH, Clock, parse_time_ns, rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND_NS = 1_000_000_000
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
UNIT_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}

#: The buttons of the range popover: what stands in the URL, and what the reader sees.
PRESETS = (("15m", "15 min"), ("1h", "1 h"), ("6h", "6 h"), ("24h", "24 h"), ("7d", "7 d"))
DEFAULT_LAST = "1h"
HOW = "write now, now-15m, 14:30, 2026-11-21 14:30, or an RFC 3339 time"

SPAN = re.compile(r"(\d{1,9})\s*([smhdw])")
RELATIVE = re.compile(r"now(?:\s*-\s*(\d{1,9})\s*([smhdw]))?")
CLOCK_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
UNIX_SCALE = ((11, SECOND_NS), (14, 1_000_000), (17, 1_000), (20, 1))


class WindowError(ValueError):
    """A part of the range that cannot be read; ``field`` is the parameter's name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Window:
    """A time range, ``start_ns`` to ``end_ns`` since 1970; ``params`` is how the URL said it, empty for the default."""

    start_ns: int
    end_ns: int
    params: Mapping[str, str]
    label: str
    live: bool

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.end_ns - self.start_ns

    def ask(self) -> dict[str, str]:
        """Return the range for the API, absolute, so that all questions of one page see the same records."""
        return {"start": str(self.start_ns), "end": str(self.end_ns)}

    def absolute(self) -> dict[str, str]:
        """Return the range for a link that must not move with the clock: the next page of a list."""
        return fixed(self.start_ns, self.end_ns)

    def moved(self, steps: float) -> dict[str, str]:
        """Return the range earlier (negative) or later by its own length."""
        shift_ns = int(self.length_ns * steps)
        return fixed(self.start_ns + shift_ns, self.end_ns + shift_ns)

    def wider(self, now_ns: int) -> dict[str, str]:
        """Twice as long around the same middle, ending now at the latest; a range that ends now keeps doing so."""
        if self.live:
            return {"start": f"now-{2 * self.length_ns // SECOND_NS}s", "end": "now"}
        end_ns = min(self.end_ns + self.length_ns // 2, now_ns)
        return fixed(end_ns - 2 * self.length_ns, end_ns)


def fixed(start_ns: int, end_ns: int) -> dict[str, str]:
    """Parameters of an absolute range."""
    return {"start": rfc3339(max(0, start_ns)), "end": rfc3339(end_ns)}


def read_window(params: Mapping[str, str], clock: Clock) -> Window:
    """Return the range of a page's query parameters: ``last``, or ``start`` and ``end``, or the last hour."""
    start, end, last = (params.get(name, "").strip() for name in ("start", "end", "last"))
    if start or end:
        end = end or "now"
        end_ns = read_time(end, "end", clock)
        start_ns = read_time(start, "start", clock) if start else end_ns - UNITS_S["h"] * SECOND_NS
        if start_ns >= end_ns:
            raise WindowError("start", "The range begins after it ends. Choose a start before the end.")
        label = _named(start, end) or f"{clock.minute(start_ns)} to {clock.minute(end_ns)}"
        kept = {"start": start if start.startswith("now") else rfc3339(start_ns),
                "end": end if end.startswith("now") else rfc3339(end_ns)}  # fmt: skip
        return Window(start_ns, end_ns, kept, label, live=end == "now")
    match = SPAN.fullmatch(last or DEFAULT_LAST)
    if not match or int(match[1]) == 0:
        raise WindowError("last", f"{last!r} is not a length of time: write 15m, 6h or 7d.")
    length_ns = int(match[1]) * UNITS_S[match[2]] * SECOND_NS
    start_ns = max(0, clock.now_ns - length_ns)
    return Window(start_ns, clock.now_ns, {"last": last} if last else {}, _length_name(match), live=True)


def read_time(text: str, field: str, clock: Clock) -> int:
    """Nanoseconds since 1970 of a point in time as a reader may write it, in the reader's zone."""
    if match := RELATIVE.fullmatch(text):
        return clock.now_ns - (int(match[1]) * UNITS_S[match[2]] * SECOND_NS if match[1] else 0)
    if text.isdigit() and len(text) < UNIX_SCALE[-1][0]:
        return int(text) * next(scale for below, scale in UNIX_SCALE if len(text) < below)
    try:
        return _read_moment(text, clock)
    except (ValueError, OverflowError) as error:
        raise WindowError(field, f"{text!r} is not a time: {HOW}.") from error


def _read_moment(text: str, clock: Clock) -> int:
    if text.endswith(("Z", "z")):
        return parse_time_ns(text)
    if match := CLOCK_TIME.fullmatch(text):
        today = datetime.combine(clock.today, datetime.min.time(), clock.zone)
        moment = today.replace(hour=int(match[1]), minute=int(match[2]), second=int(match[3] or 0))
    else:
        moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)
    return round((moment - EPOCH).total_seconds() * 1_000_000) * 1000


def _named(start: str, end: str) -> str | None:
    match = RELATIVE.fullmatch(start)
    return _length_name(match) if match and match[1] and end == "now" else None


def _length_name(match: re.Match[str]) -> str:
    number, unit = int(match[1]), match[2]
    for larger, size in (("h", 3600), ("m", 60)):
        seconds = number * UNITS_S[unit]
        if unit == "s" and seconds % size == 0:
            number, unit = seconds // size, larger
            break
    return f"Last {number} {UNIT_NAMES[unit]}{'' if number == 1 else 's'}"
