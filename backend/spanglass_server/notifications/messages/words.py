"""Numbers, times and names as messages have them; plain spaces, as some programs show narrow ones as boxes."""

from __future__ import annotations

import html
import math
import sys
import unicodedata
from datetime import UTC, datetime

from spanglass_core.units import in_binary_unit, nearly_all
from spanglass_server.times import NS_PER_SECOND

_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3_600, 60
#: Longer than the universe is old: such a number is no duration that anybody reads in days.
_ABSURD_S = 1e18
#: Units of values that are sizes.
SIZES = frozenset({"bytes", "bytes/s"})
_DURATIONS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0, "ns"))
_COUNTS = ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))
_DURATION_DIVISORS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


def value(number: float | None, unit: str) -> str:
    """A value in its unit, to three digits: ``8.2 %``, ``1.94 s``, ``45.2 MiB``, ``12.5 /s``; "" for none."""
    if number is None:
        return ""
    sign = "-" if number < 0 else ""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else f"{sign}\u221e"
    return f"{sign}{_from_zero(abs(number), unit)}"


def _from_zero(number: float, unit: str) -> str:
    if unit == "ratio":
        return f"{nearly_all(100 * number) or digits(100 * number)} %"
    if unit == "s":
        return _seconds(number)
    if unit in SIZES:
        size, name = in_binary_unit(number)
        return f"{digits(size)} {name}{unit.removeprefix('bytes')}"
    size, name = next(((size, name) for least, size, name in _COUNTS if number >= least), (1.0, ""))
    return f"{digits(number / size)}{name}{f' {unit}' if unit else ''}"


def _seconds(number: float) -> str:
    if number >= _ABSURD_S:
        return f"{number:.3g} s"
    if number >= _MINUTE_S:
        return duration(round(number * NS_PER_SECOND))
    unit = next(name for least, name in _DURATIONS if number >= least)
    return f"{digits(number / _DURATION_DIVISORS[unit])} {unit}"


def digits(number: float) -> str:
    """Three significant digits at most, without zeros at the end: ``1.94``, ``12.5``, ``324``, ``0.0021``."""
    if number >= 100:  # noqa: PLR2004 - three digits
        return f"{number:.0f}"
    text = f"{number:.3g}"
    return f"{number:.7f}".rstrip("0").rstrip(".") if "e" in text else text


def duration(duration_ns: int) -> str:
    """How long something lasted, in its two largest units: ``2 d 4 h``, ``12 min 5 s``, ``83.4 ms``."""
    seconds = duration_ns // NS_PER_SECOND
    if seconds >= _ABSURD_S:
        return _seconds(min(seconds, sys.float_info.max))
    if seconds < _MINUTE_S:
        return _seconds(max(0, duration_ns) / NS_PER_SECOND) if duration_ns else "0 s"
    days, hours, minutes = seconds // _DAY_S, seconds % _DAY_S // _HOUR_S, seconds % _HOUR_S // _MINUTE_S
    pairs = (("d", days), ("h", hours), ("min", minutes), ("s", seconds % _MINUTE_S))
    first = next(place for place, (_, count) in enumerate(pairs) if count)
    return " ".join(f"{count} {unit}" for unit, count in pairs[first : first + 2] if count)


def moment(time_ns: int) -> str:
    """A time with its date: ``29 Nov 2026, 14:03:15 UTC``."""
    found = datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC)
    return f"{found.day} {found:%b %Y, %H:%M:%S} UTC"


def line(text: str, most: int) -> str:
    """A text on one line, without characters that are not shown, cut to so many of them."""
    return cut(" ".join(shown(text[: 4 * most]).split()), most)


def shown(text: str) -> str:
    """A text with spaces for characters that are not shown, and for signs that turn the direction of what follows."""
    return "".join(letter if _is_shown(letter) else " " for letter in text)


def cut(text: str, most: int) -> str:
    """A text of at most so many characters; what is left out is an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def lines(text: str, most: int) -> str:
    """A text of several lines, without other control characters, cut to so many characters."""
    shown = "".join(letter if letter in "\n\t" or _is_shown(letter) else " " for letter in text[: 4 * most])
    return cut(shown.strip(), most)


def _is_shown(letter: str) -> bool:
    """Whether it is no control character and no sign that turns the direction of what follows."""
    return unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or letter == "\u200d"


def escaped(text: str) -> str:
    """A text as HTML."""
    return html.escape(text)
