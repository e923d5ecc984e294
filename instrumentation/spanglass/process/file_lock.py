"""A lock on a file that the system drops when its holder dies, however it dies."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":  # pragma: no cover - the other branch is what Linux and macOS have
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        # flock, not lockf: that one is lost when any descriptor of the file is closed
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """A lock that this process holds."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path, *, create: bool) -> Self | None:
        """Lock a file without waiting; None if another process holds it or, without ``create``, it is not there.

        No link is followed: the directory may be everybody's. Raises ``OSError`` where files can't be opened or locked
        at all.
        """
        flags = os.O_RDWR | (os.O_CREAT if create else 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(path, flags, 0o600)
        except (FileNotFoundError, NotADirectoryError):
            if create:
                raise
            return None
        try:
            _try_lock(descriptor)
        except (BlockingIOError, PermissionError):  # the second on Windows
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._descriptor)

    def forget(self) -> None:
        """In a forked child: close the copy; the parent goes on holding the lock."""
        os.close(self._descriptor)
