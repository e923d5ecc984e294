"""The file of what is saved, opened: its views and its pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.saved.store.database import Database
from spanglass_server.saved.store.pins import Pins
from spanglass_server.saved.store.views import Views

if TYPE_CHECKING:
    from pathlib import Path


class SavedStore:
    """Everything in one file; ``OSError`` or ``SavedStoreError`` where it can't be used."""

    def __init__(self, path: Path) -> None:
        self._file = Database(path)
        self.views = Views(self._file)
        self.pins = Pins(self._file)

    def close(self) -> None:
        """Release the file."""
        self._file.close()
