"""The journal: every request's bytes, appended and fsynced before it is acknowledged.

One file a generation. A file begins with a magic number; each record is a header and a body, and the header carries
the length and a CRC-32 of both. Reading stops at the first record that is not whole: a torn tail is cut, never fatal.
Not thread-safe: one thread appends.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.signals import Signal
from spanglass_server.store.disk import sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_MAGIC = b"SGJ1\0\0\0\0"
_HEADER = struct.Struct("<IIBxxxQ16s")  # body length, crc, signal, received ns, digest
_SIGNALS = (Signal.SPANS, Signal.LOGS, Signal.METRICS)
_CODES = {signal: code for code, signal in enumerate(_SIGNALS)}
_IOV_MAX = 512  # parts of one writev; Linux takes 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as it is journaled."""

    signal: Signal
    received_ns: int
    digest: bytes
    body: bytes


class JournalError(OSError):
    """The journal could not be written; nothing of the batch counts as stored."""


class JournalFile:
    """The file of one generation, open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._write_all([_MAGIC])
            sync(path.parent)
        except OSError:
            self.close()
            raise
        self.size = len(_MAGIC)

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries and return once they are on disk. On ``JournalError`` the file is as it was before."""
        parts: list[bytes] = []
        for entry in entries:
            parts += (_header(entry), entry.body)
        try:
            for start in range(0, len(parts), _IOV_MAX):
                self._write_all(parts[start : start + _IOV_MAX])
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._undo()
            raise JournalError(error.errno, f"the journal could not be written: {error.strerror}") from error
        self.size += sum(map(len, parts))

    def _write_all(self, parts: list[bytes]) -> None:
        views = [memoryview(part) for part in parts]
        while views:
            written = os.writev(self._descriptor, views)
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if written:
                views[0] = views[0][written:]

    def _undo(self) -> None:
        """Forget what a failed write left; should that fail too, reading stops at it all the same."""
        try:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
        except OSError:
            pass

    def close(self) -> None:
        """Close the file; it stays on disk."""
        os.close(self._descriptor)


def read_entries(path: Path) -> Iterator[Entry]:
    """The whole records of a file, in order, up to the first that is torn or damaged."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(len(_MAGIC)) != _MAGIC:
            return
        while True:
            header = file.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return
            length, crc, code, received_ns, digest = _HEADER.unpack(header)
            if length > size - file.tell():  # never asks for the 4 GB that a broken length may name
                return
            body = file.read(length)
            if len(body) < length or code >= len(_SIGNALS) or _crc(header, body) != crc:
                return
            yield Entry(_SIGNALS[code], received_ns, digest, body)


def whole_bytes(path: Path) -> int:
    """How many bytes of a file are whole records; less than its size where the tail is torn."""
    return len(_MAGIC) + sum(_HEADER.size + len(entry.body) for entry in read_entries(path))


def _header(entry: Entry) -> bytes:
    bare = _HEADER.pack(len(entry.body), 0, _CODES[entry.signal], entry.received_ns, entry.digest)
    return _HEADER.pack(len(entry.body), _crc(bare, entry.body), _CODES[entry.signal], entry.received_ns, entry.digest)


def _crc(header: bytes, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(header[8:], zlib.crc32(header[:4])))


def journal_path(directory: Path, generation: int) -> Path:
    """Where a generation's file lies."""
    return directory / f"{generation:012d}.journal"


def journal_files(directory: Path) -> dict[int, Path]:
    """All generations on disk, oldest first."""
    return {int(path.stem): path for path in sorted(directory.glob("*.journal")) if path.stem.isdigit()}
