"""Numbers for people, as the functions of Prometheus' templates write them."""

from __future__ import annotations

import math
import time
from typing import Final

from spanglass_server.promql.series.go_numbers import go_number

_LARGE: Final = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL: Final = ("m", "u", "n", "p", "f", "a", "z", "y")
_BINARY: Final = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_LAST_S = 253_402_300_799  # the end of the year 9999
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def four_digits(value: float) -> str:
    """Go's ``%.4g``."""
    return go_number(value, 4)


def humanize(value: float) -> str:
    """``1234567`` as ``1.235M``, ``0.00012`` as ``120u``."""
    if value == 0 or not math.isfinite(value):
        return four_digits(value)
    return _scaled(value, _LARGE, 1000.0) if abs(value) >= 1 else _small(value)


def humanize_1024(value: float) -> str:
    """``1536`` as ``1.5ki``."""
    return four_digits(value) if abs(value) <= 1 or not math.isfinite(value) else _scaled(value, _BINARY, 1024.0)


def humanize_percentage(value: float) -> str:
    """``0.125`` as ``12.5%``."""
    return f"{four_digits(value * 100)}%"


def humanize_duration(value: float) -> str:
    """Seconds as ``1h 2m 3s``, ``15.5s`` or ``1.5ms``."""
    if not math.isfinite(value):
        return four_digits(value)
    if abs(value) < _MINUTE:
        return f"{_small(value) if value and abs(value) < 1 else four_digits(value)}s"
    whole = int(abs(value))
    sign = "-" if value < 0 else ""
    seconds, minutes = whole % 60, whole // _MINUTE % 60
    hours, days = whole // _HOUR % 24, whole // _DAY
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s"


def humanize_timestamp(value: float) -> str:
    """Seconds since 1970 as ``2006-01-02 15:04:05.5 +0000 UTC``."""
    if not math.isfinite(value) or abs(value) > _LAST_S:
        return four_digits(value)
    milliseconds = math.floor(value * 1000)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(milliseconds // 1000))
    fraction = f".{milliseconds % 1000:03d}".rstrip("0").rstrip(".")
    return f"{text}{fraction} +0000 UTC"


def _scaled(value: float, prefixes: tuple[str, ...], factor: float) -> str:
    prefix = ""
    for following in prefixes:
        if abs(value) < factor:
            break
        prefix = following
        value /= factor
    return four_digits(value) + prefix


def _small(value: float) -> str:
    prefix = ""
    for following in _SMALL:
        if abs(value) >= 1:
            break
        prefix = following
        value *= 1000
    return four_digits(value) + prefix
