"""Attributes past the limit of columns: found in the overflow lists, by name, with the value as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.conditions import Contains, Equals, Matches, Test, scalar_condition
from spanglass_server.query.language.compiling.parts import Part
from spanglass_server.query.language.compiling.sql import FALSE, Sql, any_of
from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS = frozenset({"overflow_name", "overflow_value"})
_VALUE = '"overflow_value"[place]'


def overflow_condition(names: Sequence[str], test: Test | None) -> Part:
    """Test the overflowed values of any of these full column names; without a test, that there is one."""
    required = frozenset({"overflow_name"})
    present = '"overflow_name" IS NOT NULL AND '
    if test is None:
        return Part(Sql(f'{present}list_has_any("overflow_name", ?)', (list(names),)), required, required)
    inner = _value_condition(test)
    entries = f'list_filter("overflow_name", lambda entry, place: list_contains(?, entry) AND ({inner.text}))'
    return Part(Sql(f"{present}len({entries}) > 0", (list(names), *inner.parameters)), _COLUMNS, required)


def _value_condition(test: Test) -> Sql:
    """Test a value's text, and the number it may be: the type is only in the name, and ``5`` must find ``5.0``."""
    parts = [scalar_condition(_VALUE, ValueType.STR, test)]
    if isinstance(test, Equals) and (test.numbers() or test.has_nan() or test.infinities()):
        parts.append(scalar_condition(f"TRY_CAST({_VALUE} AS DOUBLE)", ValueType.DOUBLE, test))
    as_json = scalar_condition(_VALUE, ValueType.JSON, test)
    if as_json is not FALSE and not isinstance(test, Matches | Contains):  # the text has seen those
        parts.append(Sql(f"ends_with(entry, ':json') AND ({as_json.text})", as_json.parameters))
    return any_of(parts)
