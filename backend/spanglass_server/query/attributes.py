"""From stored columns back to attributes: one JSON object for each position of a record.

The inverse of what ingest does with attributes (``signals.py``); values follow docs/api.md, "Attributes".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.query.json_values import json_value
from spanglass_server.signals import OVERFLOW_COLUMNS, POSITIONS, AttributeColumn, Signal, ValueType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]
Attributes = dict[str, Any]

#: How the text of an overflowed value is read, by its stored type.
_FROM_TEXT: dict[ValueType, Callable[[str], Any]] = {
    ValueType.STR: str,
    ValueType.INT: int,
    ValueType.DOUBLE: float,
    ValueType.BOOL: lambda text: text == "true",
    ValueType.JSON: str,
    ValueType.BYTES: bytes.fromhex,
}


@dataclass(frozen=True, slots=True)
class AttributeReader:
    """The attribute columns of a signal at some positions, and how rows that hold them become attributes."""

    attributes: tuple[AttributeColumn, ...]

    @classmethod
    def of(
        cls, session: QuerySession, signal: Signal, window: Window, positions: Collection[str] | None = None
    ) -> AttributeReader:
        """Take the columns present in the window; of all positions unless some are named."""
        wanted = POSITIONS[signal] if positions is None else positions
        parsed = (AttributeColumn.parse(name) for name in session.columns(signal, window))
        return cls(tuple(column for column in parsed if column is not None and column.position in wanted))

    @property
    def columns(self) -> list[str]:
        """The stored columns that rows must hold."""
        return [*(column.name for column in self.attributes), *OVERFLOW_COLUMNS]

    def record(self, row: Row, position: str) -> Attributes:
        """Give the attributes of the record itself, its resource or its scope."""
        found = {
            column.key: attribute_value(column.type, row[column.name])
            for column in self.attributes
            if column.position == position and row[column.name] is not None
        }
        for column, value, index in _overflow(row):
            if column.position == position and index is None:
                found[column.key] = value
        return dict(sorted(found.items()))

    def items(self, row: Row, position: str, count: int) -> list[Attributes]:
        """Give the attributes of each of the record's ``count`` events, links or exemplars."""
        found: list[Attributes] = [{} for _ in range(count)]
        for column in self.attributes:
            if column.position == position:
                for item, value in zip(found, row[column.name] or (), strict=False):
                    if value is not None:
                        item[column.key] = attribute_value(column.type, value)
        for column, value, index in _overflow(row):
            if column.position == position and index is not None and index < count:
                found[index][column.key] = value
        return [dict(sorted(item.items())) for item in found]


def attribute_value(kind: ValueType, value: Any) -> Any:
    """Turn a stored value that is not null to plain JSON."""
    if kind is not ValueType.JSON:
        return json_value(value)
    try:
        return json_value(orjson.loads(value))
    except orjson.JSONDecodeError:  # a text cut at the limit of value length is JSON no more
        return value


def _overflow(row: Mapping[str, Any]) -> list[tuple[AttributeColumn, Any, int | None]]:
    """List the overflowed attributes of a row, with the index of their event, link or exemplar."""
    found = []
    names, values, indexes = (row.get(name) or () for name in OVERFLOW_COLUMNS)
    for name, value, index in zip(names, values, indexes, strict=True):
        column = AttributeColumn.parse(name)
        if column is not None:
            found.append((column, attribute_value(column.type, _FROM_TEXT[column.type](value)), index))
    return found
