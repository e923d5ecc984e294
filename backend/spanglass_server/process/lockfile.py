"""One server a data directory: a lock that the kernel drops when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = "lock"


class DataDirectoryError(Exception):
    """The data directory can't be used; the message says why and what to do."""


@contextmanager
def data_directory_lock(directory: Path) -> Iterator[None]:
    """Make the directory if it is missing and hold it alone for the length of the block.

    Raises ``DataDirectoryError`` when another process holds it (with that process's id) or it can't be written. The
    file stays behind, which is harmless: its lock is what counts, and deleting it would let two servers in.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DataDirectoryError(
            f"the data directory {directory} can't be written ({error.strerror}): "
            "give another with --data, or change its owner or permissions"
        ) from None
    try:
        _acquire(descriptor, directory)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)  # drops the lock


def _acquire(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        raise DataDirectoryError(
            f"the data directory {directory} is in use by another server (process {holder}): "
            "stop that one, or give another directory with --data"
        ) from None
