"""SQL: drivers by the DB-API, and the libraries above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def sqlite3(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:  # noqa: ARG001 - one signature for all
    """Turn the instrumentation of sqlite3 on; gives what takes that back."""
    from spanglass.instrumentors.databases import sqlite  # noqa: PLC0415 - it imports sqlite3

    return sqlite.instrument(instrumentor, options)


def aiosqlite(module: ModuleType) -> Callable[[], None]:
    """Correct aiosqlite, when its import has ended: it imports sqlite3 in the middle; gives what takes that back."""
    from spanglass.instrumentors.databases.aiosqlite import hook  # noqa: PLC0415 - it imports sqlite3

    return hook(module)
