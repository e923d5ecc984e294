"""The journal's directory: the names of its files, and what becomes of them.

``*.journal``      a generation that is open, or sealed and not in segments yet
``*.quarantined``  one that could not become segments; it is tried again at the next start
``*.damaged``      one in segments of which some records could not be read or become columns: kept for whoever looks
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from spanglass_server.ingest.journal.file import JournalFile
from spanglass_server.store.disk import DISK, Disk

if TYPE_CHECKING:
    from pathlib import Path

_MIB = 1 << 20


def journal_path(directory: Path, generation: int) -> Path:
    """Where a generation's file lies."""
    return directory / f"{generation:012d}.journal"


def journal_files(directory: Path) -> dict[int, Path]:
    """All generations on disk, oldest first."""
    return _numbered(directory, "journal")


def _numbered(directory: Path, suffix: str) -> dict[int, Path]:
    return {int(path.stem): path for path in sorted(directory.glob(f"*.{suffix}")) if path.stem.isdigit()}


class JournalFolder:
    """The directory; made if it is not there."""

    def __init__(self, directory: Path, disk: Disk = DISK) -> None:
        self.directory = directory
        self.probe = directory / "probe"  # a file written in trial, see ``refusal``; a crash may leave it
        self._disk = disk
        disk.make_directory(directory)

    def open(self, generation: int) -> JournalFile:
        """Begin a generation's file."""
        return JournalFile(journal_path(self.directory, generation), self._disk)

    def files(self) -> dict[int, Path]:
        """The generations in ``*.journal`` and ``*.quarantined``, oldest first."""
        return dict(sorted({**journal_files(self.directory), **_numbered(self.directory, "quarantined")}.items()))

    def file_of(self, generation: int) -> Path:
        """A generation's file under the name that it has now."""
        aside = self._aside(generation)
        return aside if aside.exists() else journal_path(self.directory, generation)

    def is_aside(self, generation: int) -> bool:
        """Whether a generation is quarantined."""
        return self._aside(generation).exists()

    def set_aside(self, generation: int) -> None:
        """Quarantine a generation's file, durably: later ones may be flushed before it from now on."""
        path = journal_path(self.directory, generation)
        if path.exists():
            self._disk.rename(path, self._aside(generation))
        else:  # renamed before, and an error came after
            self._disk.sync(self.directory)

    def dispose(self, generation: int, *, keep: bool) -> None:
        """Delete the file of a generation that is in segments, or keep it as ``*.damaged``."""
        path = self.file_of(generation)
        if keep and path.exists():
            self._disk.rename(path, path.with_suffix(".damaged"))
        else:
            self._disk.unlink(path)

    @property
    def size_bytes(self) -> int:
        """Size of what is not in segments yet."""
        total = 0
        for path in self.files().values():
            with suppress(FileNotFoundError):  # flushed meanwhile
                total += path.stat().st_size
        return total

    def shortage(self, min_free_bytes: int) -> str | None:
        """Why there is too little room, in words for people; None if there is enough."""
        status = os.statvfs(self.directory)
        free = status.f_bavail * status.f_frsize
        if free >= min_free_bytes:
            return None
        return (
            f"the disk has {free // _MIB} MiB free, less than the setting storage.min_free_disk_bytes "
            f"({min_free_bytes // _MIB} MiB)"
        )

    def refusal(self) -> str | None:
        """Why nothing can be written, in words for people, after a try; None if it can."""
        try:
            descriptor = self._disk.create(self.probe)
            try:
                self._disk.write(descriptor, [memoryview(bytes(4096))])
                self._disk.sync_data(descriptor)
            finally:
                self._disk.close(descriptor)
                self._disk.unlink(self.probe)
        except OSError as error:
            return f"the data directory can't be written ({error.strerror})"
        return None

    def _aside(self, generation: int) -> Path:
        return journal_path(self.directory, generation).with_suffix(".quarantined")
