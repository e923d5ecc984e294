"""The file of what is saved: its schema, its views and its pins, and what is said of one that can't be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.saved.model import SavedStoreError
from spanglass_server.saved.store.pins import Pins
from spanglass_server.saved.store.views import Views
from spanglass_server.store.sqlite_file import SqliteFile, Wording, read_sql

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "saved.sqlite"
_SCHEMAS: Final = ("schema_1", "schema_2")
_WORDING: Final = Wording(
    "the store of saved views and pinned traces",
    "views and pins are lost, and pinned traces are deleted with the others",
    SavedStoreError,
    SavedStoreError,
)


class SavedStore:
    """Everything in one file; ``OSError`` or ``SavedStoreError`` where it can't be used."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, [read_sql(__package__, name) for name in _SCHEMAS], _WORDING)
        self.views = Views(self._file)
        self.pins = Pins(self._file)

    def close(self) -> None:
        """Release the file."""
        self._file.close()
