"""Durations and sizes as people write them: ``1h30m``, ``1.5ms``, ``16KiB``. Exact: no floating point on the way."""

from __future__ import annotations

import math
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from spanglass_core.lazy_patterns import lazy_pattern

#: Nanoseconds in each unit of time, shortest first. ``m`` is a minute: a duration of months has no fixed length.
TIME_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek letter mu, which looks the same
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}

#: Bytes in each unit of size: powers of 1000 (kB, MB ...) and of 1024 (KiB, MiB ...).
SIZE_UNITS_BYTES = {
    "B": 1,
    **{prefix + "B": 1000**power for power, prefix in enumerate("kMGTP", 1)},
    **{prefix + "iB": 1024**power for power, prefix in enumerate("KMGTP", 1)},
}

#: Of a hundred per cent: what three digits would hide; less than the other is of the arithmetic.
_NEARLY_ALL, _ALL = 0.0501, 1e-9

_SIZE_UNITS_BY_LOWER = {unit.lower(): size for unit, size in SIZE_UNITS_BYTES.items()}

# Three digits of exponent are enough for any double; more would make a number that takes seconds to multiply out.
_NUMBER = r"(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?"
_QUANTITY = lazy_pattern(rf"([+-]?)({_NUMBER})\s*([A-Za-zµμ]*)")
_PART = lazy_pattern(rf"({_NUMBER})([A-Za-zµμ]+)")


class Dimension(Enum):
    """What a quantity measures."""

    NUMBER = "number"
    TIME = "time"
    SIZE = "size"


class Quantity(NamedTuple):
    """An exact amount: a plain number, nanoseconds, or bytes."""

    amount: Fraction
    dimension: Dimension


class UnitError(ValueError):
    """Text that is no quantity; ``unit`` is the unknown unit, or empty when there is no number at all."""

    def __init__(self, message: str, unit: str = "") -> None:
        super().__init__(message)
        self.unit = unit


def parse_quantity(text: str) -> Quantity:
    """Read ``5``, ``-1.5e3``, ``500ms``, ``1h30m`` or ``16KiB``; raises ``UnitError``.

    Units of time are case-sensitive (``m`` is a minute), units of size are not (``16kb`` is ``16kB``).
    """
    match = _QUANTITY.match(text)
    if match is None:
        raise UnitError(f"{text!r} is not a number")
    sign = -1 if match[1] == "-" else 1
    if match.end() < len(text):
        return Quantity(sign * _sum_of_parts(text, match.start(2)), Dimension.TIME)
    amount = sign * Fraction(match[2])
    unit = match[3]
    if not unit:
        return Quantity(amount, Dimension.NUMBER)
    if unit in TIME_UNITS_NS:
        return Quantity(amount * TIME_UNITS_NS[unit], Dimension.TIME)
    if unit.lower() in _SIZE_UNITS_BY_LOWER:
        return Quantity(amount * _SIZE_UNITS_BY_LOWER[unit.lower()], Dimension.SIZE)
    raise _unknown_unit(unit)


def parse_duration_ns(text: str) -> int:
    """Read a duration with its unit as whole nanoseconds; ``UnitError`` when it is none or finer than that."""
    quantity = parse_quantity(text.strip())
    if quantity.dimension is not Dimension.TIME:
        raise UnitError(f"{text.strip()!r} is not a duration: add a unit, for example 500ms")
    return _whole(quantity.amount, text, "a nanosecond")


def parse_size_bytes(text: str) -> int:
    """Read a size (a plain number counts bytes) as whole bytes; ``UnitError`` when it is none."""
    quantity = parse_quantity(text.strip())
    if quantity.dimension is Dimension.TIME:
        raise UnitError(f"{text.strip()!r} is not a size: use a unit such as MB or MiB")
    return _whole(quantity.amount, text, "a byte")


def format_duration(duration_ns: int) -> str:
    """Write nanoseconds so that ``parse_duration_ns`` reads the same number back: ``500ms``, ``1.5s``, ``2h``."""
    return _format(duration_ns, {unit: size for unit, size in TIME_UNITS_NS.items() if unit.isascii() and unit != "w"})


def format_size(size_bytes: int) -> str:
    """Write bytes so that ``parse_size_bytes`` reads the same number back: ``16KiB``, ``2MB``, ``999B``."""
    return _format(size_bytes, SIZE_UNITS_BYTES)


def in_binary_unit(size_bytes: float) -> tuple[float, str]:
    """Return a size in the unit that people read it in, of powers of 1024: ``(1.5, "MiB")``.

    What three digits would show as 1024 of a unit is one of the next.
    """
    size, unit = size_bytes, "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if abs(size) < 1023.5:  # noqa: PLR2004 - as above
            break
        size, unit = size / 1024, larger
    return size, unit


def nearly_all(percent: float) -> str | None:
    """Return a percentage that a few digits would show as 100 with two digits of what is lacking; None for any other.

    ``99.987`` for 99.98712: an objective's target, or a disk that is not quite full.
    """
    lacking = 100 - percent
    if not _ALL < lacking < _NEARLY_ALL:
        return None
    return f"{percent:.{1 - math.floor(math.log10(lacking))}f}".rstrip("0")


def _sum_of_parts(text: str, start: int) -> Fraction:
    """Add up a compound duration such as ``1h30m``."""
    total = Fraction(0)
    while start < len(text):
        part = _PART.match(text, start)
        if part is None:
            raise UnitError(f"{text!r} is not a number")
        if part[2] not in TIME_UNITS_NS:
            raise _unknown_unit(part[2])
        total += Fraction(part[1]) * TIME_UNITS_NS[part[2]]
        start = part.end()
    return total


def _whole(amount: Fraction, text: str, smallest: str) -> int:
    if amount.denominator != 1:
        raise UnitError(f"{text.strip()!r} is not a whole number: {smallest} is the smallest step")
    return amount.numerator


def _unknown_unit(unit: str) -> UnitError:
    return UnitError(f"unknown unit {unit!r}", unit)


def _format(amount: int, units: dict[str, int]) -> str:
    """Find the shortest exact text, preferring the largest unit on a tie."""
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    candidates = [(_decimal(Fraction(amount, size)) + unit, size) for unit, size in units.items() if size <= amount]
    smallest = next(iter(units))
    return sign + min(candidates, key=lambda pair: (len(pair[0]), -pair[1]), default=(f"{amount}{smallest}", 1))[0]


def _decimal(value: Fraction) -> str:
    """Write a fraction as an exact decimal, or a text too long to be chosen when it has none."""
    whole, rest = divmod(value.numerator, value.denominator)
    digits = ""
    while rest and len(digits) < 60:  # noqa: PLR2004 - more digits than the smallest unit of any other candidate needs
        digit, rest = divmod(rest * 10, value.denominator)
        digits += str(digit)
    return f"{whole}.{digits}" if digits else str(whole)
