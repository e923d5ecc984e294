"""The overflow lists of stored rows: attributes that are no columns, because there would be too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.signals import OVERFLOW_COLUMNS, AttributeColumn, ValueType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

_FROM_TEXT: dict[ValueType, Callable[[str], Any]] = {
    ValueType.STR: str,
    ValueType.INT: int,
    ValueType.DOUBLE: float,
    ValueType.BOOL: "true".__eq__,
    ValueType.JSON: str,
    ValueType.BYTES: bytes.fromhex,
}


def overflow_entries(table: pa.Table) -> Iterator[tuple[int, int, AttributeColumn, Any]]:
    """List what a table's overflow holds: the row, the index in it of an event, link or exemplar, what, the value."""
    if "overflow_name" not in table.column_names or table["overflow_name"].null_count == table.num_rows:
        return
    columns = (table[name].to_pylist() for name in OVERFLOW_COLUMNS)
    for row, (names, texts, indexes) in enumerate(zip(*columns, strict=True)):
        for name, text, index in zip(names or (), texts or (), indexes or (), strict=True):
            attribute = AttributeColumn.parse(name)
            if attribute is not None:
                yield row, index, attribute, value_of_text(attribute.type, text)


def value_of_text(kind: ValueType, text: str) -> Any:
    """Read a value back that was stored as text: one of the overflow, or a log record's body."""
    return _FROM_TEXT[kind](text)
