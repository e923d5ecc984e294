"""One test of one stored value as SQL, for each type a value can be stored in.

A test never fails on a type it does not suit: it is ``FALSE`` there, because the same key may be stored as another.
Comparisons leave the column bare (``"column" = ?``) wherever the value fits its type, so that Parquet files prune.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from spanglass_server.query.language.compiling.sql import FALSE, Sql, any_of
from spanglass_server.query.language.parsing.ast import Operator, Value
from spanglass_server.query.language.parsing.numbers import number_for_key
from spanglass_server.query.semantic_conventions.semconv import value_aliases
from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1

# The elements of a JSON text that is an array; no elements when it is something else, or cut off.
_JSON_ELEMENTS = "CASE WHEN json_valid({0}) THEN json_extract_string({0}, '$[*]') END"


@dataclass(frozen=True, slots=True)
class Equals:
    """Equal to one of the values, where bare values may hold wildcards; ``key`` decides on units and spellings."""

    values: tuple[Value, ...]
    key: str

    def texts(self) -> tuple[str, ...]:
        """Return the values without wildcards, with all their spellings in the semantic conventions."""
        plain = (value.text for value in self.values if not has_wildcard(value))
        return tuple(dict.fromkeys(text for value in plain for text in value_aliases(self.key, value)))

    def numbers(self) -> tuple[Fraction, ...]:
        """Return the values that are numbers, in the unit of the key. A quoted number is one without a unit."""
        values = [value for value in self.values if not has_wildcard(value)]
        values += [Value(text, quoted=True) for text in self.texts()]
        found = (number_for_key(value, self.key) for value in values if not value.quoted or is_plain_number(value.text))
        return tuple(dict.fromkeys(number for number in found if number is not None))

    def has_nan(self) -> bool:
        """Whether one of the values is NaN, which as a number equals itself here."""
        return any(text.lower() == "nan" for text in self.texts())

    def infinities(self) -> tuple[float, ...]:
        """Return the infinite ones of the values."""
        return tuple(float(text) for text in self.texts() if text.lstrip("+-").lower() in ("inf", "infinity"))


@dataclass(frozen=True, slots=True)
class Ordered:
    """Less or greater than a value, as numbers if the value is one (or has a unit), else as text."""

    operator: Operator
    value: Value
    key: str

    def number(self) -> Fraction | None:
        """Return the value as a number in the unit of the key."""
        if self.value.quoted and not is_plain_number(self.value.text):
            return None
        return number_for_key(self.value, self.key)


@dataclass(frozen=True, slots=True)
class Matches:
    """Holds a match of a regular expression (RE2), anywhere."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Contains:
    """Holds a text, whatever the case; ``*`` in a bare one stands for any text."""

    value: Value


Test: TypeAlias = Equals | Ordered | Matches | Contains


def has_wildcard(value: Value) -> bool:
    """Return whether a value is a pattern: bare, with a star."""
    return not value.quoted and "*" in value.text


def is_plain_number(text: str) -> bool:
    """Return whether a text is a number without a unit."""
    return bool(text) and not text[-1].isalpha() and not text[-1].isspace()


def scalar_condition(operand: str, kind: ValueType, test: Test) -> Sql:
    """Test one value. ``operand`` is SQL of the type ``kind`` is stored in; it may be null, which tests as null."""
    return _CONDITIONS[kind](operand, test)


def equal_values(kind: ValueType, test: Test) -> tuple[str | float, ...]:
    """Return the stored values of a type that a test can be true of; none where they can't be counted."""
    if not isinstance(test, Equals) or any(map(has_wildcard, test.values)):
        return ()
    match kind:
        case ValueType.STR:
            return test.texts()
        case ValueType.INT:
            return _stored_integers(test)
        case ValueType.DOUBLE if not test.has_nan():
            return (*map(float, test.numbers()), *test.infinities())
        case _:
            return ()


def list_condition(operand: str, kind: ValueType, test: Test) -> Sql:
    """Test whether any element of a list does. Most lists are null, and those are told apart first."""
    if kind is ValueType.JSON:
        elements = f"flatten(list_transform({operand}, lambda item: {_JSON_ELEMENTS.format('item')}))"
        return any_of(
            [_any_element(operand, ValueType.STR, test), _any_element(elements, ValueType.STR, test, operand)]
        )
    return _any_element(operand, kind, test)


def _any_element(operand: str, kind: ValueType, test: Test, guard: str = "") -> Sql:
    inner = scalar_condition("element", kind, test)
    present = f"{guard or operand} IS NOT NULL AND "
    if inner is FALSE:
        return FALSE
    if inner.text == "element = ?":
        return Sql(f"{present}list_contains({operand}, ?)", inner.parameters)
    return Sql(f"{present}len(list_filter({operand}, lambda element: {inner.text})) > 0", inner.parameters)


def _text(operand: str, test: Test) -> Sql:
    match test:
        case Equals():
            wildcards = [_wildcard(operand, value.text) for value in test.values if has_wildcard(value)]
            return any_of([_in(operand, test.texts()), *wildcards])
        case Ordered(operator, value):
            number = test.number()
            if number is None:
                return Sql(f"{operand} {operator} ?", (value.text,))
            return Sql(f"TRY_CAST({operand} AS DOUBLE) {operator} ?", (float(number),))
        case Matches(pattern):
            return Sql(f"regexp_matches({operand}, ?)", (pattern,))
        case Contains(value):
            if has_wildcard(value):
                return Sql(f"{operand} ILIKE ? ESCAPE '\\'", (f"%{_like(value.text)}%",))
            return Sql(f"contains(lower({operand}), lower(?))", (value.text,))


def _integer(operand: str, test: Test) -> Sql:
    match test:
        case Equals():
            return any_of([_in(operand, _stored_integers(test)), *_wildcards_of_cast(operand, test)])
        case Ordered():
            return _integer_ordered(operand, test)
        case _:
            return _text(f"CAST({operand} AS VARCHAR)", test)


def _stored_integers(test: Equals) -> tuple[int, ...]:
    whole = (int(number) for number in test.numbers() if number.denominator == 1)
    return tuple(number for number in whole if _INT64_MIN <= number <= _INT64_MAX)


def _integer_ordered(operand: str, test: Ordered) -> Sql:
    """Compare with the whole number that divides the integers alike: ``> 5.5`` is ``> 5``, ``>= 5.5`` too."""
    number = test.number()
    if number is None:
        return FALSE
    floor = number.numerator // number.denominator
    is_upper = test.operator in (Operator.LESS, Operator.LESS_EQUAL)
    operator: str = test.operator
    if floor != number:
        operator = "<=" if is_upper else ">"
    if not _INT64_MIN <= floor <= _INT64_MAX:
        return Sql(f"{operand} IS NOT NULL") if is_upper == (floor > 0) else FALSE
    return Sql(f"{operand} {operator} ?", (floor,))


def _double(operand: str, test: Test) -> Sql:
    match test:
        case Equals():
            floats = (*map(float, test.numbers()), *test.infinities())
            # Parquet's statistics leave NaN out, and a file is skipped by an equality with it.
            is_nan = [Sql(f"isnan({operand})")] if test.has_nan() else []
            return any_of([_in(operand, floats), *is_nan, *_wildcards_of_cast(operand, test)])
        case Ordered(operator):
            number = test.number()
            if number is None:
                return FALSE
            # DuckDB sorts NaN above all numbers; here it is not greater than any, as everywhere else.
            is_upper = operator in (Operator.LESS, Operator.LESS_EQUAL)
            nan = "" if is_upper else f" AND NOT isnan({operand})"
            return Sql(f"{operand} {operator} ?{nan}", (float(number),))
        case _:
            return _text(f"CAST({operand} AS VARCHAR)", test)


def _boolean(operand: str, test: Test) -> Sql:
    match test:
        case Equals():
            known = [text.lower() == "true" for text in test.texts() if text.lower() in ("true", "false")]
            return any_of([_in(operand, tuple(dict.fromkeys(known))), *_wildcards_of_cast(operand, test)])
        case Ordered():
            return FALSE
        case _:
            return _text(f"CAST({operand} AS VARCHAR)", test)


def _json(operand: str, test: Test) -> Sql:
    """Test the JSON text itself, and each element of an array (a search of the text has seen those too)."""
    if isinstance(test, Matches | Contains):
        return _text(operand, test)
    return any_of([_text(operand, test), _any_element(_JSON_ELEMENTS.format(operand), ValueType.STR, test, operand)])


def _bytes(operand: str, test: Test) -> Sql:
    """Compare bytes with values in base64, as the API writes them."""
    if not isinstance(test, Equals):
        return FALSE
    decoded = (_from_base64(text) for text in test.texts())
    return _in(operand, tuple(value for value in decoded if value is not None))


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _wildcards_of_cast(operand: str, test: Equals) -> list[Sql]:
    return [_wildcard(f"CAST({operand} AS VARCHAR)", value.text) for value in test.values if has_wildcard(value)]


def _in(operand: str, values: tuple[object, ...]) -> Sql:
    if not values:
        return FALSE
    if len(values) == 1:
        return Sql(f"{operand} = ?", values)
    return Sql(f"{operand} IN ({', '.join('?' * len(values))})", values)


def _wildcard(operand: str, pattern: str) -> Sql:
    """Compare with a pattern of stars; the common shapes have functions that are faster than LIKE."""
    inner = pattern.strip("*")
    starts, ends = not pattern.startswith("*"), not pattern.endswith("*")
    if not inner:
        return Sql(f"{operand} IS NOT NULL")
    if "*" in inner or (starts and ends):
        return Sql(f"{operand} LIKE ? ESCAPE '\\'", (_like(pattern),))
    function = "starts_with" if starts else "ends_with" if ends else "contains"
    return Sql(f"{function}({operand}, ?)", (inner,))


def _like(pattern: str) -> str:
    """Write a pattern of stars as one of LIKE."""
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")


_CONDITIONS: dict[ValueType, Callable[[str, Test], Sql]] = {
    ValueType.STR: _text,
    ValueType.INT: _integer,
    ValueType.DOUBLE: _double,
    ValueType.BOOL: _boolean,
    ValueType.JSON: _json,
    ValueType.BYTES: _bytes,
}
