"""Durations, times, numbers and small drawings for people at a terminal."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from spanglass_core.units import in_binary_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"

_BLOCKS = "▁▂▃▄▅▆▇█"
_DURATION_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))
_MINUTE_NS = 60 * 10**9


def digits(value: float) -> str:
    """Write three significant digits at most: ``1.94``, ``12.5``, ``324``; larger numbers whole, with thousands."""
    if abs(value) >= 999.5:  # noqa: PLR2004 - from here on digits are grouped
        return f"{value:,.0f}"
    return f"{value:.3g}"


def number(value: Any) -> str:
    """Write a number, or a dash for none."""
    return NOTHING if value is None else digits(float(value)) if isinstance(value, float) else f"{value:,}"


def duration(duration_ns: float | None) -> str:
    """Write nanoseconds as ``1.94 s``; from two minutes on as ``2m 5s`` or ``3h 12m``."""
    if duration_ns is None:
        return NOTHING
    if abs(duration_ns) >= 2 * _MINUTE_NS:
        minutes, seconds = divmod(round(duration_ns / 1e9), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}h {minutes}m" if hours else f"{minutes}m {seconds}s"
    for size_ns, unit in _DURATION_UNITS:
        if abs(duration_ns) >= size_ns:
            return f"{digits(duration_ns / size_ns)} {unit}"
    return "0 ns"


def counted(count: int, noun: str) -> str:
    """Write ``1 error``, ``2 errors``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size(size_bytes: float | None) -> str:
    """Write bytes as ``12.5 MiB``."""
    if size_bytes is None:
        return NOTHING
    value, unit = in_binary_unit(size_bytes)
    return f"{value:.0f} B" if unit == "B" else f"{digits(value)} {unit}"


def percent(ratio: float | None) -> str:
    """Write a ratio as ``8.2%``."""
    return NOTHING if ratio is None else f"{digits(ratio * 100)}%"


def local_time(time: str | None) -> str:
    """Write an RFC 3339 time of the API in the machine's zone, to the millisecond: ``2026-11-21 12:34:48.123``."""
    if time is None:
        return NOTHING
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(seconds + "+00:00").astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{fraction:0<3.3}"


def short_time(time: str | None) -> str:
    """Write the same shorter: ``12:34:48`` for a time of today, ``11-21 12:34`` for another."""
    if time is None:
        return NOTHING
    date, clock = local_time(time).split(" ")
    return clock[:8] if date == f"{datetime.now().astimezone():%Y-%m-%d}" else f"{date[5:]} {clock[:5]}"


def zone() -> str:
    """Name the machine's zone, for a table's heading."""
    return datetime.now().astimezone().tzname() or "local"


def value(item: Any) -> str:
    """Write any JSON value on one line; texts as they are."""
    if item is None:
        return NOTHING
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, separators=(",", ":"))


def sparkline(values: Sequence[float | None]) -> str:
    """Draw values as a row of blocks between the least and the largest; a gap is a space."""
    known = [entry for entry in values if entry is not None]
    if not known:
        return ""
    least, span = min(known), (max(known) - min(known)) or 1.0
    top = len(_BLOCKS) - 1
    return "".join(" " if entry is None else _BLOCKS[round((entry - least) / span * top)] for entry in values)


def bar(offset: float, length: float, total: float, width: int) -> str:
    """Draw a span of time inside a total, ``width`` characters wide; at least one is filled."""
    total = max(total, 1)  # a trace of no length at all still has its bars
    start = min(max(int(offset * width / total), 0), width - 1)
    filled = min(max(round(length * width / total), 1), width - start)
    return "·" * start + "█" * filled + "·" * (width - start - filled)
