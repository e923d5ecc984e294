"""Numbers and times as sentences of evidence have them."""

from __future__ import annotations

from datetime import UTC, datetime

from spanglass_core.units import format_duration, in_binary_unit
from spanglass_server.times import NS_PER_SECOND

_MOST = 300  # characters of a text from outside


def percent(share: float) -> str:
    """A share: ``52 %``, ``0.4 %``."""
    value = 100 * share
    if 0 < value < 1:
        return f"{value:.1g} %"
    rounded = 99 if 99 < value < 100 else round(value)  # noqa: PLR2004 - not all of it
    return f"{rounded} %"


def duration(duration_ns: float) -> str:
    """A duration to three digits: ``83.4ms``."""
    rounded = round(duration_ns)
    if rounded <= 0:
        return "0s"
    unit = 10 ** max(0, len(str(rounded)) - 3)
    return format_duration(round(rounded / unit) * unit)


def quantity(value: float, unit: str) -> str:
    """A value in its unit, to three digits."""
    if unit == "ratio":
        return percent(value)
    if unit == "s":
        return duration(value * NS_PER_SECOND)
    if unit in {"bytes", "bytes/s"}:
        size, name = in_binary_unit(value)
        digits = f"{size:.0f}" if abs(size) >= 100 else f"{size:.3g}"  # noqa: PLR2004 - three digits
        return f"{digits}{name}{unit.removeprefix('bytes')}"
    return f"{value:.3g}{unit if unit == '/s' else f' {unit}' if unit else ''}"


def clock(time_ns: int) -> str:
    """A time of day: ``14:03:15 UTC``."""
    return f"{datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC):%H:%M:%S} UTC"


def shortened(text: str, most: int = _MOST) -> str:
    """A text from outside, on one line and not too long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
