"""Free text: one word or phrase, looked for in every text of a record, whatever the case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.conditions import Contains, list_condition, scalar_condition
from spanglass_server.query.language.compiling.parts import Part, either
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.language.fields import OVERFLOW
from spanglass_server.signals import FIXED_COLUMNS, AttributeColumn, Signal, ValueType, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from spanglass_server.query.language.parsing.ast import Value

_FIXED = {
    Signal.SPANS: ("name", "status_message", "event_name"),
    Signal.LOGS: ("body", "event_name", "severity_text"),
    Signal.METRICS: ("metric_name", "metric_description"),
    Signal.OCCURRENCES: ("type", "message", "culprit"),
}

#: Ids are searched when the text is exactly as long as one: someone pasted it.
_IDS = {32: "trace_id", 16: "span_id"}


def free_text(value: Value, signal: Signal, columns: Collection[str]) -> Part:
    """Search a text in names, bodies and messages, and in all attributes that hold text."""
    test = Contains(value)
    parts = [*_ids(value, signal)]
    for name in _FIXED[signal]:
        condition = list_condition if FIXED_COLUMNS[signal][name].endswith("[]") else scalar_condition
        parts.append(Part(condition(quote_identifier(name), ValueType.STR, test), frozenset((name,))))
    for name in sorted(columns):
        stored = AttributeColumn.parse(name)
        if stored is not None and stored.type in (ValueType.STR, ValueType.JSON):
            condition = list_condition if stored.is_list else scalar_condition
            # The text of JSON is searched as it stands: an element of an array is part of it.
            parts.append(Part(condition(quote_identifier(name), ValueType.STR, test), frozenset((name,))))
    if OVERFLOW in columns:
        parts.append(Part(list_condition('"overflow_value"', ValueType.STR, test), frozenset(("overflow_value",))))
    return either(parts)


def _ids(value: Value, signal: Signal) -> Iterator[Part]:
    column = _IDS.get(len(value.text))
    if column in FIXED_COLUMNS[signal]:
        try:
            wanted = bytes.fromhex(value.text)
        except ValueError:
            return
        yield Part(Sql(f'"{column}" = ?', (wanted,)), frozenset((column,)))
