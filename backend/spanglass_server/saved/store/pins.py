"""Pinned traces in the file: which they are, and what is said of them. Their rows are in storage."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from spanglass_server.saved.model import MOST_PINS, Pin, SavedError, UnknownPinError
from spanglass_server.store.sqlite_file import Kept, read_sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from spanglass_server.store.sqlite_file import SqliteFile

_COLUMNS = "trace_id, note, actor, pinned_ns, service, name, start_ns, duration_ns, spans, errors, bytes"


class Pins:
    """Methods may be called from any thread. A change is durable when it returns; ``OSError`` if it can't be."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._kept = Kept(file, _read)
        self._adding = threading.RLock()

    def by_id(self) -> dict[bytes, Pin]:
        """All pins by the id of their trace, the newest first; read anew only after a change."""
        return self._kept.now()

    def ids(self) -> frozenset[bytes]:
        """The ids of all pinned traces."""
        return frozenset(self.by_id())

    def one(self, trace_id: bytes) -> Pin:
        """The pin of a trace; ``UnknownPinError``."""
        found = self.by_id().get(trace_id)
        if found is None:
            raise UnknownPinError(f"trace {trace_id.hex()} is not pinned")
        return found

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Let nobody else pin a trace until the block ends, and retention delete nothing.

        Who pins a trace reads it within: what is read there is kept.
        """
        with self._adding:
            yield

    def pin(self, pin: Pin, max_bytes: int) -> None:
        """Pin a trace, or change what is said of one that is; ``SavedError`` where its bytes find no room."""
        with self.adding(), self._file.write() as connection:
            others = "SELECT count(*), coalesce(sum(bytes), 0) FROM pins WHERE trace_id <> ?"
            count, held = connection.execute(others, (pin.trace_id,)).fetchone()
            hint = "unpin traces that nobody needs any more"
            if count >= MOST_PINS:
                raise SavedError(f"{MOST_PINS} traces are pinned already", "trace_id", hint)
            if held + pin.bytes > max_bytes:
                message = f"the trace has {pin.bytes} bytes, and pinned ones {held} of {max_bytes}"
                raise SavedError(message, "trace_id", f"{hint}, or raise retention.max_pinned_bytes")
            connection.execute(read_sql(__package__, "insert_pin"), asdict(pin))

    def note(self, trace_id: bytes, note: str, actor: str) -> None:
        """Change what is said of a pinned trace, and by whom; ``UnknownPinError``."""
        with self._file.write() as connection:
            asked = "UPDATE pins SET note = ?, actor = ? WHERE trace_id = ?"
            if not connection.execute(asked, (note, actor, trace_id)).rowcount:
                raise UnknownPinError(f"trace {trace_id.hex()} is not pinned")

    def unpin(self, trace_id: bytes) -> None:
        """Have a trace go with the others of its age; ``UnknownPinError``."""
        with self._file.write() as connection:
            if not connection.execute("DELETE FROM pins WHERE trace_id = ?", (trace_id,)).rowcount:
                raise UnknownPinError(f"trace {trace_id.hex()} is not pinned")


def _read(connection: sqlite3.Connection) -> dict[bytes, Pin]:
    asked = f"SELECT {_COLUMNS} FROM pins ORDER BY pinned_ns DESC, trace_id"  # noqa: S608 - a constant
    return {row[0]: Pin(*row) for row in connection.execute(asked)}
