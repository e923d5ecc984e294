"""What the server keeps itself as tables for readers' SQL: by columns, each a type and how it is read of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    R = TypeVar("R")
    Columns = Mapping[str, tuple[pa.DataType, Callable[[R], Any]]]

TEXT: Final = pa.string()
NUMBER: Final = pa.float64()
WHOLE: Final = pa.int64()
FLAG: Final = pa.bool_()
TIME: Final = pa.timestamp("ns")


def table_of(columns: Columns[R], rows: Iterable[R]) -> pa.Table:
    """Return the table of these rows."""
    listed = list(rows)
    return pa.table({name: pa.array([read(row) for row in listed], kind) for name, (kind, read) in columns.items()})


class Versioned(Protocol):
    """A store that says when something in it has changed."""

    def version(self) -> int:
        """A number that is another one after every change."""


class KeptTable:
    """Rows of a store as a table, which is made anew when one has changed. May be called in any thread."""

    def __init__(self, columns: Columns[R], store: Versioned, rows: Callable[[], Iterable[R]]) -> None:
        self._make: Callable[[], pa.Table] = lambda: table_of(columns, rows())
        self._store = store
        self._made: tuple[int, pa.Table] | None = None

    def __call__(self) -> pa.Table:
        """The table as it is now."""
        version, made = self._store.version(), self._made
        if made is None or made[0] != version:
            made = self._made = (version, self._make())
        return made[1]
