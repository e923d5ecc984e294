"""The file of the issue store: its statements, its schema, and what is said of one that can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.issues.ports import IssueStoreDamagedError, IssueStoreVersionError
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from pathlib import Path

#: What each version of the schema adds to the one before it; the last is the one that this server writes.
_SCHEMAS = ("schema_1",)
SCHEMA_VERSION = len(_SCHEMAS)
_WORDING = Wording(
    "the issue store",
    "exceptions are kept, but states, assignments, comments, merges and grouping rules are lost",
    IssueStoreVersionError,
    IssueStoreDamagedError,
)


def statement(name: str) -> str:
    """Read ``sql/<name>.sql``."""
    return read_sql(__package__, name)


class Database(SqliteFile):
    """The issue store's file, brought to the newest schema."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, [statement(name) for name in _SCHEMAS], _WORDING)
