"""Which process speaks for its host: the one that holds a lock file in the temporary directory.

Workers of one service see the same host; sent by each, its numbers would be there as often as there are workers. The
system releases the lock when its holder dies, however it dies, and the next process that asks takes it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from spanglass.process.file_lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterable


def lock_path(parts: Iterable[str], directory: Path | None = None) -> Path | None:
    """Name the lock file of what ``parts`` identify, for this user; None where no temporary file can be written."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    digest = hashlib.sha256("\0".join(parts).encode(errors="backslashreplace")).hexdigest()[:16]
    if directory is None:
        try:
            directory = Path(tempfile.gettempdir())
        except FileNotFoundError:  # a container whose file system is read-only
            return None
    return directory / f"spanglass-host-{user}-{digest}.lock"


class HostLock:
    """A lock between processes, asked for without waiting.

    Without a file to lock each process holds it: numbers that are there twice are better than none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock: FileLock | None = None

    def held(self) -> bool:
        """Whether this process holds the lock, after it has tried to take it."""
        if self._path is None or self._lock is not None:
            return True
        try:
            self._lock = FileLock.acquire(self._path, create=True)
        except OSError:
            return True
        return self._lock is not None

    def release(self) -> None:
        """Let another process speak; also what a forked child does: the lock stays with the parent."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
