"""Whole stored records of any signal: fetched with all their columns, and read row by row."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from spanglass_server.query.rows.attributes import StoredAttributes
from spanglass_server.query.rows.plain_attributes import PlainAttributes

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from spanglass_server.query.language.compiling.sql import Sql
    from spanglass_server.signals import Signal
    from spanglass_server.store.ports import QuerySession, Window


def fetch_rows(
    session: QuerySession, signal: Signal, window: Window, where: Sql, *, trace_ids: Collection[bytes] = ()
) -> pa.Table:
    """Fetch all columns of the few records of a window for which ``where``, over fixed columns, holds."""
    return session.whole_rows(signal, window, where.text, list(where.parameters), trace_ids=trace_ids)


class _Columns(dict[str, list[Any]]):
    """The columns of a table as Python values, each made when it is first asked for."""

    def __init__(self, table: pa.Table) -> None:
        super().__init__()
        self._table = table
        self._names = frozenset(table.column_names)

    def __missing__(self, name: str) -> list[Any]:
        is_there = name in self._names
        values: list[Any] = self._table[name].to_pylist() if is_there else [None] * self._table.num_rows
        self[name] = values
        return values


class Rows:
    """A table of stored rows of one signal, by row and column; a column that is not there is null."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.count = table.num_rows
        self.columns = _Columns(table)

    @cached_property
    def attributes(self) -> StoredAttributes:
        """Attributes with their stored types."""
        return StoredAttributes(self.table)

    @cached_property
    def plain(self) -> PlainAttributes:
        """Attributes as the API shows them."""
        return PlainAttributes(self.table)

    def value(self, name: str, row: int) -> Any:
        """Return the stored value, None where there is none."""
        return self.columns[name][row]

    def items(self, name: str, row: int) -> list[Any]:
        """Return the values of a list column, none where there is none."""
        return self.value(name, row) or []

    def item(self, name: str, row: int, index: int) -> Any:
        """One value of a list column, None where it is missing."""
        values = self.value(name, row)
        return values[index] if values else None
