"""The file of the incident store: its schema, and what is said of one that can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.incidents.ports import IncidentStoreDamagedError, IncidentStoreVersionError
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from pathlib import Path

#: What each version of the schema adds to the one before it; the last is the one that this server writes.
_SCHEMAS = ("schema_1",)
SCHEMA_VERSION = len(_SCHEMAS)
_WORDING = Wording(
    "the incident store",
    "telemetry and alerts are kept, but incidents, their timelines and postmortems are lost",
    IncidentStoreVersionError,
    IncidentStoreDamagedError,
)


def open_file(path: Path) -> SqliteFile:
    """Open the file, brought to the newest schema. Raises ``OSError`` or ``IncidentStoreError``."""
    scripts = [read_sql(__package__, name) for name in _SCHEMAS]
    return SqliteFile(path, scripts, _WORDING)
