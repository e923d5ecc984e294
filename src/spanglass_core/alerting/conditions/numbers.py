"""Numbers with units, as conditions have them: ``90%``, ``1h30m``, ``1.5GB``, ``100/s``."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from spanglass_core.alerting.conditions.nodes import Number
from spanglass_core.alerting.conditions.problems import ConditionError, did_you_mean
from spanglass_core.units import (
    SIZE_UNITS_BYTES,
    TIME_UNITS_NS,
    Dimension,
    UnitError,
    format_duration,
    format_size,
    parse_quantity,
)

if TYPE_CHECKING:
    from spanglass_core.alerting.conditions.nodes import Unit

NS_PER_S = 1_000_000_000
_PERCENT = 100
_DIGITS = Context(prec=40)  # a double is written with 17 digits at most
_PER_S = {"": 1, "s": 1, "min": 60, "h": 3600}
UNITS = tuple(unit for unit in (*TIME_UNITS_NS, "%", *SIZE_UNITS_BYTES) if unit.isascii())
#: What people write for units.
_MEANT = {
    **dict.fromkeys(("sec", "secs", "second", "seconds", "S"), "s"),
    **dict.fromkeys(("milli", "millis", "msec", "msecs", "millisecond", "milliseconds", "MS", "Ms"), "ms"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours", "H"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
    **dict.fromkeys(("micro", "micros", "microseconds", "usec"), "us"),
    **dict.fromkeys(("percent", "pct", "pc"), "%"),
    **dict.fromkeys(("byte", "bytes", "b"), "B"),
    **{f"{letter}{end}": f"{letter.upper()}B" for letter in "kmgt" for end in ("", "b")},
    **{letter: f"{letter}B" for letter in "KMGT"},
    "rps": "/s",
    "qps": "/s",
}


def read_number(text: str, column: int) -> Number:
    """Read a number; raises ``ConditionError`` with what was probably meant."""
    amount, unit = exact(text, column)
    try:
        return Number(float(amount), unit, column=column)
    except OverflowError:
        raise ConditionError(f"{text} is too large a number", column) from None


_DURATION_HINTS = {"over": "to compare, write > {}", "forecast": "for example forecast(disk_usage, 7d)"}


def read_duration_ns(text: str, column: int, word: str) -> int:
    """Read the duration that stands behind ``over`` or ``offset``, or in ``forecast``: whole nanoseconds."""
    amount, unit = exact(text, column)
    if unit != "s":
        hint = _DURATION_HINTS.get(word, f"for example {word} 1d").format(text)
        raise ConditionError(f"{word} takes a duration such as 5m, not {text}", column, hint)
    duration_ns = amount * NS_PER_S
    if duration_ns < 1 or duration_ns.denominator != 1:
        raise ConditionError(f"{word} takes a duration of whole nanoseconds, more than 0", column)
    return duration_ns.numerator


def exact(text: str, column: int) -> tuple[Fraction, Unit]:
    """The exact amount in base units, and what it is of."""
    number, _, per = (part.strip() for part in text.partition("/"))
    if number.endswith("%"):
        if per:
            raise ConditionError(f"a share can't be a rate: {text}", column, f"write {number}")
        return Fraction(number[:-1].strip()) / _PERCENT, "ratio"
    try:
        amount, dimension = parse_quantity(number)
    except UnitError as error:
        raise _unit_problem(number, error.unit, column) from None
    if dimension is Dimension.TIME:
        if per:
            raise ConditionError(f"a duration can't be a rate: {text}", column, f"write {number}")
        return amount / NS_PER_S, "s"
    if dimension is Dimension.SIZE:
        return amount / _PER_S[per], "bytes/s" if per else "bytes"
    return amount / _PER_S[per], "/s" if per else ""


def unit_hint(word: str) -> str:
    """What was probably meant by a word that is no unit; "" if it is like none."""
    if word in _MEANT:
        return f"write {_MEANT[word]}"
    return did_you_mean(word, UNITS)


def _unit_problem(text: str, unit: str, column: int) -> ConditionError:
    if not unit:
        return ConditionError(f"{text} is no number", column, "write it as 1500, 1.5 or 1h30m")
    hint = unit_hint(unit) or "there are ns us ms s m h d w, %, B KB MB GB TB KiB MiB GiB TiB, and /s after a number"
    return ConditionError(f"{unit} is no unit", column + max(text.rfind(unit), 0), hint)


def write_number(number: Number) -> str:
    """Write a number so that ``read_number`` gives the very same back, in the unit that people would choose."""
    exactly = Fraction(Decimal(repr(number.value)))
    match number.unit:
        case "ratio":
            return f"{_plain(exactly * _PERCENT)}%"
        case "s":
            whole_ns = exactly * NS_PER_S
            return format_duration(int(whole_ns)) if whole_ns.denominator == 1 and whole_ns else f"{_plain(exactly)}s"
        case "bytes" | "bytes/s":
            size = format_size(int(exactly)) if exactly.denominator == 1 and exactly else f"{_plain(exactly)}B"
            return size + number.unit[len("bytes") :]
    return _plain(exactly) + number.unit


def _plain(exactly: Fraction) -> str:
    """A decimal; all that are written here have an end."""
    if exactly.denominator == 1 and abs(exactly) < 10**15:  # more digits than people count
        return str(exactly.numerator)
    value = _DIGITS.divide(Decimal(exactly.numerator), Decimal(exactly.denominator))
    return f"{value.normalize(_DIGITS)}".replace("E", "e").replace("e+", "e")
