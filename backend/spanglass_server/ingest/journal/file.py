"""The journal: every request's bytes, appended and fsynced before it is acknowledged.

One file a generation. A file begins with a magic number; each record is a header and a body, and the header carries
the length and a CRC-32 of both. A torn tail is cut, never fatal. What is damaged is left out, and reading goes on with
the next record that is whole. Not thread-safe: one thread appends.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.ingest.ports import Form
from spanglass_server.signals import Signal
from spanglass_server.store.disk import DISK, Disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_MAGIC = b"SGJ1\0\0\0\0"
_HEADER = struct.Struct("<IIBxxxQ16s")  # body length, crc, code of signal and form, received ns, digest
_CONTENTS = (
    (Signal.SPANS, Form.OTLP),
    (Signal.LOGS, Form.OTLP),
    (Signal.METRICS, Form.OTLP),
    (Signal.METRICS, Form.REMOTE_WRITE_1),
    (Signal.METRICS, Form.REMOTE_WRITE_2),
)
_CODES = {content: code for code, content in enumerate(_CONTENTS)}
_IOV_MAX = 512  # parts of one writev; Linux takes 1024
#: As in ``digests``: past 5 KiB ``zlib`` lets other threads run, and waits for its turn again.
_PIECE_BYTES = 5000
_ALONE_BYTES = 512 << 10

#: What a header has behind its length and checksum: a code, three zeros and a time from the year 1970 to 2262.
_HEADER_LIKE = re.compile(rb"(?s)(?=[\0-\4]\0\0\0.{7}[\0-\x7f])")
_LIKE_AT = 8
_SEARCH_BYTES = 1 << 30  # checksummed at most in search of the next record: about a second
_SEARCH_STEP = 4096  # what a candidate costs besides, in such bytes


class Entry(NamedTuple):
    """One request as it is journaled. A tuple: a frozen dataclass takes five times as long to make."""

    signal: Signal
    received_ns: int
    digest: bytes
    body: bytes
    form: Form = Form.OTLP


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file is made of, in bytes besides its whole records."""

    torn_bytes: int = 0  # after the last whole record: a write that was never acknowledged
    damaged_bytes: int = 0  # before a whole record: something altered what was written
    damaged_places: int = 0


class JournalError(OSError):
    """The journal could not be written; nothing of the batch counts as stored."""


class JournalFile:
    """The file of one generation, open for appending."""

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        self.torn = False  # a failed write left something that could not be undone: nothing may follow it
        self._disk = disk
        self._descriptor = disk.create(path)
        try:
            self._write_all([_MAGIC])
            disk.sync(path.parent)
        except BaseException:
            with suppress(Exception):  # what is left is cut when the generation begins again, or is read as empty
                self.close()
                disk.unlink(path)
            raise
        self.size = len(_MAGIC)

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries and return once they are on disk. On an error the file is as it was before, or ``torn``.

        Raises ``JournalError`` when the disk refuses.
        """
        parts: list[bytes] = []
        for entry in entries:
            parts += (_header(entry), entry.body)
        size = sum(map(len, parts))
        try:
            for start in range(0, len(parts), _IOV_MAX):
                self._write_all(parts[start : start + _IOV_MAX])
            self._disk.sync_data(self._descriptor)
        except BaseException as error:
            self.undo_to(self.size)
            if isinstance(error, OSError):
                raise JournalError(error.errno, f"the journal could not be written: {error.strerror}") from error
            raise
        self.size += size

    def _write_all(self, parts: Sequence[bytes | memoryview]) -> None:
        while parts:
            written = self._disk.write(self._descriptor, parts)
            if written == sum(map(len, parts)):
                return
            parts = _behind(parts, written)

    def undo_to(self, size: int) -> None:
        """Forget what was written past a size that the file had."""
        try:
            self._disk.truncate(self._descriptor, size)
        except Exception:  # noqa: BLE001 - the reason is reported by what made it necessary
            self.torn = True
        self.size = size

    def close(self) -> None:
        """Close the file; it stays on disk."""
        self._disk.close(self._descriptor)


def _behind(parts: Sequence[bytes | memoryview], size: int) -> Sequence[memoryview]:
    """What comes after so many bytes."""
    left = []
    for part in parts:
        if size < len(part):
            left.append(memoryview(part)[size:])
        size = max(0, size - len(part))
    return left


def read_entries(path: Path) -> Iterator[Entry]:
    """The whole records of a file, in order."""
    for _, entry in _walk(path):
        yield entry


def survey(path: Path) -> Survey:
    """What of a file ``read_entries`` leaves out."""
    with path.open("rb") as file:
        end = len(_MAGIC) if file.read(len(_MAGIC)) == _MAGIC else 0
        size = file.seek(0, 2)
    damaged = places = 0
    for start, entry in _walk(path):
        damaged += start - end
        places += start > end
        end = start + _HEADER.size + len(entry.body)
    return Survey(size - end, damaged, places)


def _walk(path: Path) -> Iterator[tuple[int, Entry]]:
    """The whole records of a file and where they begin."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < len(_MAGIC) + _HEADER.size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            position: int | None = len(_MAGIC)
            while position is not None and position < size:
                entry = _entry_at(content, position, size)
                if entry is None:
                    position = _next_whole(content, position, size)
                    continue
                yield position, entry
                position += _HEADER.size + len(entry.body)


def _entry_at(content: mmap.mmap, position: int, size: int) -> Entry | None:
    """The record that begins here, if one does and is whole."""
    start = position + _HEADER.size
    if start > size:
        return None
    header = content[position:start]
    length, crc, code, received_ns, digest = _HEADER.unpack(header)
    if length > size - start or code >= len(_CONTENTS):  # never asks for the 4 GB that a broken length may name
        return None
    body = content[start : start + length]
    if _crc(header, body) != crc:
        return None
    signal, form = _CONTENTS[code]
    return Entry(signal, received_ns, digest, body, form)


def _next_whole(content: mmap.mmap, position: int, size: int) -> int | None:
    """Where the first whole record behind a damaged one begins."""
    searched = 0
    for match in _HEADER_LIKE.finditer(content, position + _LIKE_AT + 1):
        candidate = match.start() - _LIKE_AT
        if searched > _SEARCH_BYTES:
            return None
        length = int.from_bytes(content[candidate : candidate + 4], "little")
        searched += _SEARCH_STEP + (length if length < size - candidate else 0)
        if _entry_at(content, candidate, size) is not None:
            return candidate
    return None


def _header(entry: Entry) -> bytes:
    code = _CODES[entry.signal, entry.form]
    bare = _HEADER.pack(len(entry.body), 0, code, entry.received_ns, entry.digest)
    return bare[:4] + _crc(bare, entry.body).to_bytes(4, "little") + bare[8:]


def _crc(header: bytes, body: bytes) -> int:
    crc = zlib.crc32(header[8:], zlib.crc32(header[:4]))
    if len(body) > _ALONE_BYTES:
        return zlib.crc32(body, crc)
    view = memoryview(body)
    for start in range(0, len(body), _PIECE_BYTES):
        crc = zlib.crc32(view[start : start + _PIECE_BYTES], crc)
    return crc
