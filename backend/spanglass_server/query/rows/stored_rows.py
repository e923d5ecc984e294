"""Whole stored records of any signal: fetched with all their columns, and read row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.query.rows.attributes import StoredAttributes

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from spanglass_server.query.language.sql import Sql
    from spanglass_server.signals import Signal
    from spanglass_server.store.ports import QuerySession, Window


def fetch_rows(
    session: QuerySession, signal: Signal, window: Window, where: Sql, *, trace_ids: Collection[bytes] = ()
) -> pa.Table:
    """Fetch all columns of the few records of a window for which ``where``, over fixed columns, holds."""
    return session.whole_rows(signal, window, where.text, list(where.parameters), trace_ids=trace_ids)


class Rows:
    """A table of stored rows of one signal, by row and column; a column that is not there is null."""

    def __init__(self, table: pa.Table) -> None:
        self.attributes = StoredAttributes(table)
        self._columns = {name: table[name].to_pylist() for name in table.column_names if "." not in name}
        self.count = table.num_rows

    def value(self, name: str, row: int) -> Any:
        """Give the stored value, None where there is none."""
        column = self._columns.get(name)
        return None if column is None else column[row]

    def items(self, name: str, row: int) -> list[Any]:
        """Give the values of a list column, none where there is none."""
        return self.value(name, row) or []

    def item(self, name: str, row: int, index: int) -> Any:
        """One value of a list column, None where it is missing."""
        values = self.value(name, row)
        return values[index] if values else None
