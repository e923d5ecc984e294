"""Attributes of stored rows, put together again from their columns and from the overflow lists."""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.overflow import overflow_entries
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.signals import LIST_POSITIONS, AttributeColumn, ValueType

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

#: Attributes of one record, event, link or exemplar as stored: key, type and value.
Entries = list[tuple[str, ValueType, Any]]


class StoredAttributes:
    """The attributes of a table of stored rows (an Arrow table whose columns have their stored names).

    Columns are walked one by one and only where they have values: most rows lack most columns.
    """

    def __init__(self, table: pa.Table) -> None:
        self._records: dict[tuple[str, int], Entries] = defaultdict(list)
        self._items: dict[tuple[str, int, int], Entries] = defaultdict(list)
        for name in table.column_names:
            attribute = AttributeColumn.parse(name)
            if attribute is not None and table[name].null_count < table.num_rows:
                self._add_column(attribute, table[name].to_pylist())
        self._add_overflow(table)

    def of_record(self, position: str, row: int) -> Entries:
        """Return the attributes of a row's span, log record or point, of its resource or of its scope."""
        return self._records.get((position, row), [])

    def of_item(self, position: str, row: int, index: int) -> Entries:
        """Return the attributes of one of a row's events, links or exemplars."""
        return self._items.get((position, row, index), [])

    def _add_column(self, attribute: AttributeColumn, values: list[Any]) -> None:
        """Spread one column's values over their rows, a list's over the row's items."""
        for row, value in enumerate(values):
            if value is None:
                continue
            if attribute.is_list:
                for index, item in enumerate(value):
                    if item is not None:
                        self._items[attribute.position, row, index].append((attribute.key, attribute.type, item))
            else:
                self._records[attribute.position, row].append((attribute.key, attribute.type, value))

    def _add_overflow(self, table: pa.Table) -> None:
        """Spread the overflow lists over their rows and items."""
        for row, index, attribute, value in overflow_entries(table):
            entry = (attribute.key, attribute.type, value)
            if attribute.position in LIST_POSITIONS:
                self._items[attribute.position, row, index].append(entry)
            else:
                self._records[attribute.position, row].append(entry)


def plain(entries: Iterable[tuple[str, ValueType, Any]]) -> dict[str, Any]:
    """Make attributes plain JSON values by key, in the order of keys, as the API shows them (docs/api.md)."""
    return {key: plain_value(kind, value) for key, kind, value in sorted(entries, key=itemgetter(0))}


def plain_value(kind: ValueType, value: Any) -> Any:
    """Make one stored value plain JSON."""
    if kind is not ValueType.JSON:
        return json_value(value)
    try:
        return json_value(orjson.loads(value))
    except orjson.JSONDecodeError:  # a text that was cut at the limit of value length is JSON no more
        return value
