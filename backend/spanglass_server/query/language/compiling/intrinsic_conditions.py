"""Tests of intrinsic fields as SQL. A value of the wrong kind is an error here, with the values there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_core.ids import read_trace_id
from spanglass_core.units import Dimension
from spanglass_server.query.errors import FilterError
from spanglass_server.query.language.compiling import conditions
from spanglass_server.query.language.compiling.conditions import Contains, Equals, Matches, Ordered, Test, has_wildcard
from spanglass_server.query.language.compiling.sql import FALSE, TRUE, Sql, any_of, negated
from spanglass_server.query.language.intrinsics import TRACE_ID_BYTES, Intrinsic, Kind
from spanglass_server.query.language.parsing.ast import Operator, Value
from spanglass_server.query.language.parsing.numbers import UNITS_HINT, quantity_of
from spanglass_server.query.logs.severity import (
    HIGHEST,
    NUMBERS_OF_NAMES,
    SEVERITIES,
    SEVERITY_STEP,
    UNSET,
    WORDS,
    is_unset,
    severity_between,
)
from spanglass_server.query.semantic_conventions.semconv import metric_aliases
from spanglass_server.signals import FIXED_COLUMNS, Signal, ValueType, quote_identifier
from spanglass_server.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES = {"VARCHAR": ValueType.STR, "DOUBLE": ValueType.DOUBLE}

#: Operators that each kind of field takes, as an error lists them; all take ``exists``.
_OPERATORS = {
    Kind.TEXT: ("=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "exists"),
    Kind.NUMBER: ("=", "!=", "<", "<=", ">", ">=", "in", "exists"),
    Kind.DURATION: ("=", "!=", "<", "<=", ">", ">=", "in", "exists"),
    Kind.TIME: ("=", "!=", "<", "<=", ">", ">=", "in", "exists"),
    Kind.NAMED: ("=", "!=", "in", "exists"),
    Kind.SEVERITY: ("=", "!=", "<", "<=", ">", ">=", "in", "exists"),
    Kind.ID: ("=", "!=", "~", "!~", "in", "exists"),
    Kind.BOOLEAN: ("=", "!=", "in", "exists"),
    Kind.ABSENCE: ("=", "!=", "in", "exists"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """An intrinsic field in a filter: the name it was asked by, its description, and where the operator stands."""

    name: str
    field: Intrinsic
    signal: Signal
    column: int


def check_operator(target: Target, operator: Operator) -> None:
    """Refuse an operator that makes no sense for the field."""
    allowed = _OPERATORS[target.field.kind]
    if operator not in allowed:
        message = f"{operator} does not work with {target.name}, which is {_describe(target.field)}"
        raise FilterError(message, target.column, allowed, f"use one of {' '.join(allowed)}")


def intrinsic_condition(target: Target, test: Test) -> Sql:
    """Test an intrinsic field; raises ``FilterError`` at the value that the field can't have."""
    return _CONDITIONS[target.field.kind](target, test)


def presence(field: Intrinsic) -> Sql:
    """SQL condition: a record has the field; a severity is one that is known."""
    if field.kind is Kind.ABSENCE:
        return TRUE
    if field.kind is Kind.SEVERITY:
        return negated(Sql(is_unset()))
    return any_of([Sql(f"{quote_identifier(name)} IS NOT NULL") for name in field.columns])


def trace_ids(test: Test) -> frozenset[bytes]:
    """Return the ids of an equality with whole ids, else nothing."""
    if not isinstance(test, Equals) or any(has_wildcard(value) for value in test.values):
        return frozenset()
    found = (read_trace_id(value.text) for value in test.values)
    return frozenset(bytes.fromhex(trace_id) for trace_id in found if trace_id is not None)


def _describe(field: Intrinsic) -> str:
    return f"one of {', '.join(field.names)}" if field.names else field.kind.value


def _column(target: Target) -> str:
    return quote_identifier(target.field.columns[0])


def _stored(target: Target, kind: ValueType, test: Test) -> Sql:
    as_sql = conditions.list_condition if target.field.is_list else conditions.scalar_condition
    return as_sql(_column(target), kind, test)


def _text(target: Target, test: Test) -> Sql:
    if isinstance(test, Equals):
        if target.field.columns == ("metric_name",):
            names = [alias.name for value in test.values for alias in metric_aliases(value.text)]
            test = Equals((*test.values, *(Value(name, quoted=True) for name in names)), test.key)
        if "" in test.texts() and not target.field.is_list:
            return any_of([_stored(target, ValueType.STR, test), Sql(f"{_column(target)} IS NULL")])
    return _stored(target, ValueType.STR, test)


def _number(target: Target, test: Test) -> Sql:
    for value in _values(test):
        if quantity_of(value).dimension is Dimension.TIME:
            raise FilterError(
                f"{target.name} is a number, not a duration", value.column, ("a number",), "leave out the unit"
            )
    parts = []
    for column in target.field.columns:
        kind = _TYPES.get(FIXED_COLUMNS[target.signal].get(column, ""), ValueType.INT)
        parts.append(conditions.scalar_condition(quote_identifier(column), kind, test))
    return any_of(parts)


def _duration(target: Target, test: Test) -> Sql:
    for value in _values(test):
        quantity = quantity_of(value)
        if quantity.dimension is not Dimension.TIME and quantity.amount != 0:
            message = f"{target.name} is a duration: {value.text} needs a unit of time"
            raise FilterError(
                message, value.column, ("a duration",), f"for example {target.name} > 500ms; {UNITS_HINT}"
            )
    # The key makes the number of a duration come out in nanoseconds, whatever name the field was asked by.
    return _stored(target, ValueType.INT, _with_key(test, "duration_ns"))


def _time(target: Target, test: Test) -> Sql:
    return _stored(target, ValueType.INT, _with_values(test, lambda value: str(_time_ns(value))))


def _time_ns(value: Value) -> int:
    try:
        if value.text.strip().startswith("now"):
            raise ValueError  # noqa: TRY301 - a filter has no clock: relative times belong to the range
        return parse_time(value.text, 0)
    except ValueError:
        hint = "write 2026-11-21T11:34:48Z or Unix time in digits; give relative times as the range of the search"
        raise FilterError(f"{value.text!r} is not a time", value.column, ("a time",), hint) from None


def _named(target: Target, test: Test) -> Sql:
    codes = {_code(target, value) for value in _values(test)}
    # Protobuf leaves out zeros, and so may a column: both spell the first name.
    column = f"coalesce({_column(target)}, 0)" if 0 in codes else _column(target)
    return _one_of(column, sorted(codes))


def _code(target: Target, value: Value) -> int:
    names = target.field.names
    text = value.text.lower()
    if text in names:
        return names.index(text)
    if text in map(str, range(len(names))):
        return int(text)
    hint = "for HTTP status codes use http.response.status_code" if target.name.startswith("status") else ""
    raise FilterError(f"{target.name} is never {value.text!r}", value.column, names, hint)


def _severity(target: Target, test: Test) -> Sql:
    if isinstance(test, Ordered):
        low, high = _severity_range(target, test.value)
        bounds = {
            Operator.LESS: (1, low - 1),
            Operator.LESS_EQUAL: (1, high),
            Operator.GREATER: (high + 1, HIGHEST),
            Operator.GREATER_EQUAL: (max(low, 1), HIGHEST),
        }
        return _between(*bounds[test.operator])
    return any_of([_between(*_severity_range(target, value)) for value in _values(test)])


def _severity_range(target: Target, value: Value) -> tuple[int, int]:
    """Return the first and last number of a severity: ``warn`` is 13 to 16, ``warn2`` only 14, ``unset`` 0."""
    text = value.text.lower()
    if text == UNSET:
        return 0, 0
    number = NUMBERS_OF_NAMES.get(text)
    if number is None and text in map(str, range(HIGHEST + 1)):
        return int(text), int(text)
    if number is None:
        raise FilterError(f"{target.name} is never {value.text!r}", value.column, WORDS, "or a number from 1 to 24")
    is_step = number in SEVERITIES.values() and not text[-1:].isdigit()
    return number, number + SEVERITY_STEP - 1 if is_step else number


def _between(low: int, high: int) -> Sql:
    if low > high:
        return FALSE
    return Sql(is_unset() if high == 0 else severity_between(low, high))


def _id(target: Target, test: Test) -> Sql:
    size = target.field.size_bytes
    column = "element" if target.field.is_list else _column(target)
    if isinstance(test, Equals):
        whole = [_id_bytes(target, value) for value in test.values if not has_wildcard(value)]
        parts = [_one_of(column, whole)] if whole else []
        prefixes = [Value(value.text.lower(), column=value.column) for value in test.values if has_wildcard(value)]
        if prefixes:
            wildcards = Equals(tuple(prefixes), test.key)
            parts.append(conditions.scalar_condition(f"lower(hex({column}))", ValueType.STR, wildcards))
        inner = any_of(parts)
    else:
        inner = conditions.scalar_condition(f"lower(hex({column}))", ValueType.STR, test)
    if not target.field.is_list or not size:
        return inner
    stored = _column(target)
    text = f"{stored} IS NOT NULL AND len(list_filter({stored}, lambda element: {inner.text})) > 0"
    return Sql(text, inner.parameters)


def _id_bytes(target: Target, value: Value) -> bytes:
    digits = 2 * target.field.size_bytes
    if target.field.size_bytes == TRACE_ID_BYTES:
        value = replace(value, text=read_trace_id(value.text) or value.text)
    try:
        found = bytes.fromhex(value.text)
    except ValueError:
        found = b""
    if len(found) != target.field.size_bytes or len(value.text) != digits:
        hint = f"to search by the first digits write {target.name}:{value.text[:4]}*"
        message = f"{target.name} is {digits} hex digits, not {value.text!r}"
        raise FilterError(message, value.column, (f"{digits} hex digits",), hint)
    return found


def _boolean(target: Target, test: Test) -> Sql:
    wanted = {_truth(target, value) for value in _values(test)}
    return _one_of(_column(target), sorted(wanted))


def _absence(target: Target, test: Test) -> Sql:
    wanted = {_truth(target, value) for value in _values(test)}
    parts = [Sql(f"{_column(target)} IS {'NULL' if absent else 'NOT NULL'}") for absent in wanted]
    return parts[0] if len(parts) == 1 else TRUE


def _truth(target: Target, value: Value) -> bool:
    text = value.text.lower()
    if text not in ("true", "false"):
        raise FilterError(
            f"{target.name} is never {value.text!r}", value.column, ("true", "false"), "write true or false"
        )
    return text == "true"


def _one_of(column: str, values: list[int] | list[bytes] | list[bool]) -> Sql:
    if len(values) == 1:
        return Sql(f"{column} = ?", tuple(values))
    return Sql(f"{column} IN ({', '.join('?' * len(values))})", tuple(values)) if values else FALSE


def _values(test: Test) -> tuple[Value, ...]:
    match test:
        case Equals(values):
            return values
        case Ordered(_, value) | Contains(value):
            return (value,)
        case Matches():  # pragma: no cover - check_operator refuses it for every kind that asks
            return ()


def _with_key(test: Test, key: str) -> Test:
    return _rebuilt(test, key, lambda value: value)


def _with_values(test: Test, change: Callable[[Value], str]) -> Test:
    return _rebuilt(test, "", lambda value: Value(change(value), quoted=True))


def _rebuilt(test: Test, key: str, change: Callable[[Value], Value]) -> Test:
    match test:
        case Equals(values):
            return Equals(tuple(change(value) for value in values), key)
        case Ordered(operator, value):
            return Ordered(operator, change(value), key)
        case _:  # pragma: no cover - check_operator refuses the rest
            return test


_CONDITIONS: dict[Kind, Callable[[Target, Test], Sql]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.DURATION: _duration,
    Kind.TIME: _time,
    Kind.NAMED: _named,
    Kind.SEVERITY: _severity,
    Kind.ID: _id,
    Kind.BOOLEAN: _boolean,
    Kind.ABSENCE: _absence,
}
