"""Bodies that could not be delivered, kept on disk until they can be.

    <spool_dir>/<destination>/<process>/lock                       locked as long as the process lives
                                       /<time>-<pid>-<n>-<signal>-<records>.otlp.gz
                             /bad/                                 what could not be read, the last 16

One process writes and replays in one directory, which it holds by a lock that the kernel drops when it dies, also
across containers that share the directory. Whoever gets the lock of a directory takes its files over. The bodies are
protobuf without any header, gzipped for its checksum, and readable by their owner only.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import secrets
import threading
import time
import zlib
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from spanglass.delivery.signals import SIGNALS
from spanglass.process.file_lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_NAME = re.compile(r"\d{20}-\d+-\d+-([a-z]+)-(\d{1,9})\.otlp\.gz")
_LOCK = "lock"
_BAD = "bad"
_MAX_BAD = 16
_MAX_BODY_BYTES = 64 * 1024**2  # what OTLP recommends as the largest body
_GZIP = 31  # zlib's number for a gzip header


class CorruptError(Exception):
    """A file of the spool can't be read as what was written."""


class Entry(NamedTuple):
    """One body on disk."""

    name: str
    signal: str
    records: int
    size_bytes: int


class Spool:
    """One process's part of the spool. Thread-safe; files are made, read and removed by this process alone.

    ``destination`` tells servers apart: a body is only replayed to where it was meant to go.
    """

    def __init__(
        self, directory: Path, destination: str, max_bytes: int, *, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        digest = hashlib.blake2b(destination.encode(), digest_size=8).hexdigest()
        self._root = directory / digest
        self._max_bytes = max_bytes
        self._now_ns = now_ns
        self.after_fork()

    def after_fork(self) -> None:
        """Leave the parent's files to the parent: a child has a directory of its own, made when it needs one."""
        if held := getattr(self, "_held", None):
            held.forget()
        self._mutex = threading.Lock()
        self._held: FileLock | None = None
        self._own: Path | None = None
        self._entries: deque[Entry] = deque()
        self._size_bytes = 0
        self._written = 0

    @property
    def size_bytes(self) -> int:
        """Bytes on disk that this process answers for."""
        return self._size_bytes

    def save(self, signal: str, body: bytes, records: int) -> list[Entry]:
        """Write a body. Gives the entries that had to go for it: the oldest, or itself. Raises ``OSError``."""
        packed = gzip.compress(body, 1, mtime=0)
        with self._mutex:
            own = self._own_directory()
            self._written += 1
            name = f"{self._now_ns():020d}-{os.getpid()}-{self._written}-{signal}-{records}.otlp.gz"
            entry = Entry(name, signal, records, len(packed))
            if entry.size_bytes > self._max_bytes:
                return [entry]
            gone = self._make_room(entry.size_bytes)
            _write(own / name, packed)
            self._entries.append(entry)
            self._size_bytes += entry.size_bytes
            return gone

    def oldest(self) -> Entry | None:
        """Return the entry that is replayed next."""
        with self._mutex:
            return self._entries[0] if self._entries else None

    def read(self, entry: Entry) -> bytes:
        """Read a body. Raises ``CorruptError``, and ``FileNotFoundError`` when it had to go in the meantime."""
        unpack = zlib.decompressobj(_GZIP)
        try:
            body = unpack.decompress((self._directory() / entry.name).read_bytes(), _MAX_BODY_BYTES)
        except zlib.error as error:
            raise CorruptError(str(error)) from None
        if not unpack.eof or unpack.unused_data:
            raise CorruptError("its end is missing, or something follows it")
        return body

    def remove(self, entry: Entry) -> bool:
        """Delete an entry; False if it had gone before."""
        with self._mutex:
            known = self._forget(entry)
            if known:
                (self._directory() / entry.name).unlink(missing_ok=True)
            return known

    def set_aside(self, entry: Entry) -> bool:
        """Move an entry that can't be read out of the way, for people to look at."""
        bad = self._root / _BAD
        with self._mutex:
            known = self._forget(entry)
            if known:
                bad.mkdir(mode=0o700, exist_ok=True)
                (self._directory() / entry.name).replace(bad / entry.name)
                for old in sorted(bad.iterdir())[:-_MAX_BAD]:
                    old.unlink(missing_ok=True)
            return known

    def adopt(self) -> list[Entry]:
        """Take over the files of processes that are gone; gives entries that had to go for them. Raises ``OSError``."""
        with self._mutex:
            if not self._root.is_dir():
                return []
            for directory in sorted(self._root.iterdir()):
                if directory != self._own and directory.name != _BAD:
                    self._take_over(directory)
            return self._make_room(0)

    def close(self) -> None:
        """Let go of the directory; what is in it goes to the next process that looks. An empty one is removed."""
        with self._mutex:
            if self._own is None or self._held is None:
                return
            if not self._entries:
                _remove_directory(self._own)
            self._held.release()
            self._own = self._held = None
            self._entries.clear()
            self._size_bytes = 0

    def _directory(self) -> Path:
        if self._own is None:
            raise FileNotFoundError("the spool is closed")
        return self._own

    def _own_directory(self) -> Path:
        if self._own is None:
            own = self._root / f"{os.getpid()}-{secrets.token_hex(4)}"
            own.mkdir(mode=0o700, parents=True)
            held = FileLock.acquire(own / _LOCK, create=True)
            if held is None:
                raise OSError(f"{own / _LOCK} is locked by another process")
            self._own, self._held = own, held
        return self._own

    def _take_over(self, directory: Path) -> None:
        held = FileLock.acquire(directory / _LOCK, create=False)
        if held is None:
            return
        try:
            found = _entries_of(directory)
            for entry in found:
                (directory / entry.name).rename(self._own_directory() / entry.name)
            self._entries = deque(sorted([*self._entries, *found], key=lambda entry: entry.name))
            self._size_bytes += sum(entry.size_bytes for entry in found)
            _remove_directory(directory)
        finally:
            held.release()

    def _make_room(self, needed_bytes: int) -> list[Entry]:
        """Delete the oldest until so many bytes more fit."""
        gone = []
        while self._entries and self._size_bytes + needed_bytes > self._max_bytes:
            entry = self._entries.popleft()
            self._size_bytes -= entry.size_bytes
            (self._directory() / entry.name).unlink(missing_ok=True)
            gone.append(entry)
        return gone

    def _forget(self, entry: Entry) -> bool:
        if entry not in self._entries:
            return False
        self._entries.remove(entry)
        self._size_bytes -= entry.size_bytes
        return True


def _write(path: Path, content: bytes) -> None:
    """Make a file that is there whole or not at all."""
    unfinished = path.with_suffix(".tmp")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def _entries_of(directory: Path) -> list[Entry]:
    matches: Iterable[tuple[os.DirEntry[str], re.Match[str] | None]]
    with os.scandir(directory) as listing:
        matches = [(each, _NAME.fullmatch(each.name)) for each in listing]
    return [
        Entry(each.name, match[1], int(match[2]), each.stat().st_size)
        for each, match in matches
        if match and match[1] in SIGNALS and each.is_file(follow_symlinks=False)
    ]


def _remove_directory(directory: Path) -> None:
    """Remove a process's directory with its lock and unfinished files; anything else in it keeps it."""
    for unfinished in directory.glob("*.tmp"):
        unfinished.unlink(missing_ok=True)
    (directory / _LOCK).unlink(missing_ok=True)
    with suppress(OSError):
        directory.rmdir()
