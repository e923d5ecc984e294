"""Numbers that people would choose as thresholds, and how they write them."""

from __future__ import annotations

import math

from spanglass_core.units import format_duration, format_size
from spanglass_server.times import NS_PER_SECOND

_MOST_DIGITS = 12


def roundest(low: float, high: float) -> float:
    """The number with the fewest digits from ``low`` up to but without ``high``, or down to it if that is less.

    ``low`` itself if there is no rounder one.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return low
    rising = high > low
    size = max(abs(low), abs(high))
    for digits in range(1, _MOST_DIGITS + 1):
        unit = 10.0 ** (math.floor(math.log10(size)) + 1 - digits)
        number = (math.ceil(low / unit) if rising else math.floor(low / unit)) * unit
        number = float(f"{number:.{_MOST_DIGITS}g}")  # 0.07, not 0.07000000000000001
        if (low <= number < high) if rising else (high < number <= low):
            return number
    return low


def with_unit(value: float, unit: str) -> str:
    """A threshold as it stands in a condition: ``8%``, ``450ms``, ``1.5GB``, ``12``."""
    if unit == "ratio":
        return f"{value * 100:.6g}%"
    if unit == "s":
        return format_duration(round(value * NS_PER_SECOND))
    if unit in {"bytes", "bytes/s"}:
        return format_size(round(value)) + unit.removeprefix("bytes")
    return f"{value:.6g}{unit if unit == '/s' else ''}"
