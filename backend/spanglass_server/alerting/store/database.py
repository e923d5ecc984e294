"""The file of the alert store: its schema, and what is said of one that can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.alerting.ports import AlertStoreDamagedError, AlertStoreVersionError
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from pathlib import Path

#: What each version of the schema adds to the one before it; the last is the one that this server writes.
_SCHEMAS = ("schema_1", "schema_2")
SCHEMA_VERSION = len(_SCHEMAS)
_WORDING = Wording(
    "the alert store",
    "rules and telemetry are kept, but alerts, their history and notes are lost, and what fires now fires anew",
    AlertStoreVersionError,
    AlertStoreDamagedError,
)


def open_file(path: Path) -> SqliteFile:
    """Open the file, brought to the newest schema. Raises ``OSError`` or ``AlertStoreError``."""
    scripts = [read_sql(__package__, name) for name in _SCHEMAS]
    return SqliteFile(path, scripts, _WORDING)
