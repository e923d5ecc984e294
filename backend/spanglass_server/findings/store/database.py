"""The file of findings: its statements, its schema, and what is said of one that can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.findings.model import FindingStoreError
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMAS = ("schema_1", "schema_2")
_WORDING = Wording(
    "the store of performance findings",
    "spans are kept and looked at again, but dismissals are lost",
    FindingStoreError,
    FindingStoreError,
)


def statement(name: str) -> str:
    """Read ``sql/<name>.sql``."""
    return read_sql(__package__, name)


class Database(SqliteFile):
    """The file, brought to the newest schema."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, [statement(name) for name in _SCHEMAS], _WORDING)
