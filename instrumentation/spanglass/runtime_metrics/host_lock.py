"""Which process speaks for its host: the one that holds a lock file in the temporary directory.

Workers of one service see the same host; sent by each, its numbers would be there as often as there are workers. The
system releases the lock when its holder dies, however it dies, and the next process that asks takes it.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

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
        self._file: int | None = None
        self._held = False

    def held(self) -> bool:
        """Whether this process holds the lock, after it has tried to take it."""
        if not self._held and self._path is not None:
            if self._file is None:
                # no link is followed: the directory is everybody's
                flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
                try:
                    self._file = os.open(self._path, flags, 0o600)
                except OSError:
                    return True
            self._held = _try_lock(self._file)
        return self._held or self._path is None

    def release(self) -> None:
        """Let another process speak; also what a forked child does: the lock stays with the parent."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self._held = False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        # flock, not lockf: that one is lost when any descriptor of the file is closed
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
