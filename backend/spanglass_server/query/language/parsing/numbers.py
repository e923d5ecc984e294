"""Numbers in filters: with units, and compared with attributes that carry none."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING

from spanglass_core.units import TIME_UNITS_NS, Dimension, Quantity, UnitError, parse_quantity
from spanglass_server.query.errors import FilterError

if TYPE_CHECKING:
    from spanglass_server.query.language.parsing.ast import Value

UNITS_HINT = "units are ns, us, ms, s, m, h, d, w and B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"

_LARGEST = Fraction(sys.float_info.max)

#: What the last part of a key says about its numbers, in nanoseconds. All else counts seconds, OpenTelemetry's unit.
_KEY_UNITS_NS = {
    **{unit: size for unit, size in TIME_UNITS_NS.items() if unit in ("ns", "us", "ms")},
    "nanos": 1,
    "nanoseconds": 1,
    "micros": 1_000,
    "microseconds": 1_000,
    "millis": 1_000_000,
    "milliseconds": 1_000_000,
    "minutes": TIME_UNITS_NS["m"],
    "hours": TIME_UNITS_NS["h"],
    "days": TIME_UNITS_NS["d"],
}


def quantity_of(value: Value) -> Quantity:
    """Read a value as a quantity; ``FilterError`` with the value's column when it is none."""
    try:
        quantity = parse_quantity(value.text)
    except UnitError as error:
        hint = UNITS_HINT if error.unit else "write a number, with a unit if need be: 500, 1.5s, 16KiB"
        raise FilterError(str(error), value.column, ("a number",), hint) from None
    if abs(quantity.amount) > _LARGEST:
        raise FilterError(
            f"{value.text} is too large a number", value.column, ("a number",), "no stored number is past 1e308"
        )
    return quantity


def number_for_key(value: Value, key: str) -> Fraction | None:
    """Read a value as the number an attribute ``key`` would hold, or None when it is no number.

    A duration becomes seconds, or the unit that ends the key (``db.wait_ms``); a size becomes bytes.
    """
    try:
        quantity = quantity_of(value)
    except FilterError:
        return None
    if quantity.dimension is not Dimension.TIME:
        return quantity.amount
    suffix = key.replace(".", "_").rpartition("_")[2]
    return quantity.amount / _KEY_UNITS_NS.get(suffix, TIME_UNITS_NS["s"])


def check_ordered_value(value: Value) -> None:
    """Refuse a bare value that begins like a number but is none, before any field is known: ``5xs``, ``1.2.3``.

    Dates pass; they are compared with times. Other text is compared in alphabetical order.
    """
    digits = value.text.lstrip("+-")[:1]
    if value.quoted or not (digits.isascii() and digits.isdigit()) or _may_be_date(value.text):
        return
    try:
        quantity_of(value)
    except FilterError as error:
        hint = f"{error.hint}; put it in quotes to compare it as text"
        raise FilterError(error.message, error.column, error.expected, hint) from None


def _may_be_date(text: str) -> bool:
    return len(text) >= len("2026-11-21") and text[4:5] == "-" and text[7:8] == "-"
