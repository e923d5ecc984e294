"""``Connection.execute`` of sqlite3, which upstream does not see: it knows cursors only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import wrapt

if TYPE_CHECKING:
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy  # a subscript only for the type checker


class Connection(_Proxy):
    """An instrumented connection whose shortcuts go through its instrumented cursors, which is what sqlite3 does."""

    def execute(self, *arguments: Any) -> Any:
        """Run a statement with a new cursor, and give the cursor."""
        return self.__wrapped__.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        """Run a statement for each of some parameters with a new cursor, and give the cursor."""
        return self.__wrapped__.cursor().executemany(*arguments)

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self
