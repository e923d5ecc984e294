"""The time range of a page: read from the URL, named for the reader, and moved by links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.pages.rendering.format import EPOCH, Clock, duration_text, rfc3339
from spanglass_server.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND_NS = 1_000_000_000
UNIT_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
HOUR_NS = 3_600 * SECOND_NS

#: The buttons of the range popover: what stands in the URL, and what the reader sees.
PRESETS = (
    ("1m", "1 min"),
    ("5m", "5 min"),
    ("15m", "15 min"),
    ("1h", "1 h"),
    ("6h", "6 h"),
    ("24h", "24 h"),
    ("7d", "7 d"),
)
DEFAULT_LAST = "1h"
HOW = "write now, now-15m, now-1h30m, 14:30, 2026-11-21 14:30, or an RFC 3339 time"

#: A length in one whole unit, which is said in words; a time of day in the reader's zone.
SPAN = re.compile(r"(\d{1,9})\s*([smhdw])")
CLOCK_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
#: Written the same wherever it is read: relative, in digits, or with its offset. All else is in the reader's zone.
ANYWHERE = re.compile(r"now.*|[\d.]+|.*(?:[Zz]|\d[+-]\d{2}:\d{2})", re.DOTALL)


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
    last: str = ""  # the length from which it was made, as written

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.end_ns - self.start_ns

    def as_params(self) -> dict[str, str]:
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


def default_last(first_ns: int | None, now_ns: int, longest: str = DEFAULT_LAST) -> str:
    """Return the range when none is asked: ``longest``, a preset, or less where that holds all data.

    Data begins at ``first_ns``.
    """
    if first_ns is None:
        return longest
    shorter = [preset for preset, _ in PRESETS[: [preset for preset, _ in PRESETS].index(longest)]]
    return next((last for last in shorter if now_ns - parse_duration_ns(last) <= first_ns), longest)


def read_window(
    params: Mapping[str, str], clock: Clock, first_ns: int | None = None, longest: str = DEFAULT_LAST
) -> Window:
    """Return the range of a page's query parameters: ``last``, or ``start`` and ``end``, else ``default_last``."""
    start, end, last = (params.get(name, "").strip() for name in ("start", "end", "last"))
    if start or end:
        end = end or "now"
        end_ns = read_time(end, "end", clock)
        start_ns = read_time(start, "start", clock) if start else end_ns - HOUR_NS
        if start_ns >= end_ns:
            raise WindowError("start", "The range begins after it ends. Choose a start before the end.")
        label = _named(start, end) or f"{clock.minute(start_ns)} to {clock.minute(end_ns)}"
        kept = {"start": start if start.startswith("now") else rfc3339(start_ns),
                "end": end if end.startswith("now") else rfc3339(end_ns)}  # fmt: skip
        return Window(start_ns, end_ns, kept, label, live=end == "now")
    last = last or default_last(first_ns, clock.now_ns, longest)
    length_ns = _read_length_ns(last)
    start_ns = max(0, clock.now_ns - length_ns)
    kept = {"last": last} if params.get("last") else {}
    return Window(start_ns, clock.now_ns, kept, _length_name(last, length_ns), live=True, last=last)


def _read_length_ns(text: str) -> int:
    try:
        length_ns = parse_duration_ns(text)
    except UnitError as error:
        raise WindowError("last", f"{text!r} is not a length of time: write 15m, 1h30m or 7d.") from error
    if length_ns <= 0:
        raise WindowError("last", f"{text!r} is no time at all: write 15m, 1h30m or 7d.")
    return length_ns


def read_time(text: str, field: str, clock: Clock) -> int:
    """Nanoseconds since 1970 of a point in time as a reader may write it: as in the API, else in the reader's zone."""
    try:
        return parse_time(text, clock.now_ns) if ANYWHERE.fullmatch(text) else _read_moment(text, clock)
    except (ValueError, OverflowError) as error:
        raise WindowError(field, f"{text!r} is not a time: {HOW}.") from error


def _read_moment(text: str, clock: Clock) -> int:
    if match := CLOCK_TIME.fullmatch(text):
        today = datetime.combine(clock.today, datetime.min.time(), clock.zone)
        moment = today.replace(hour=int(match[1]), minute=int(match[2]), second=int(match[3] or 0))
    else:
        moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)
    return round((moment - EPOCH).total_seconds() * 1_000_000) * 1000


def _named(start: str, end: str) -> str | None:
    """Return the name of a range that begins so long ago and ends now."""
    length = start.removeprefix("now").strip()
    if end != "now" or not length.startswith("-") or not start.startswith("now"):
        return None
    length = length.removeprefix("-").strip()
    return _length_name(length, parse_duration_ns(length))


def _length_name(text: str, length_ns: int) -> str:
    """``Last 2 hours``; a length in several units, or in parts of one, is written as durations are."""
    match = SPAN.fullmatch(text)
    if match is None:
        return f"Last {duration_text(length_ns)}"
    number, unit = int(match[1]), match[2]
    for larger, size_ns in (("h", HOUR_NS), ("m", 60 * SECOND_NS)):
        if unit == "s" and length_ns % size_ns == 0:
            number, unit = length_ns // size_ns, larger
            break
    return f"Last {number} {UNIT_NAMES[unit]}{'' if number == 1 else 's'}"
