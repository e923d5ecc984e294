"""Every operation by which storage changes files, in one object: passed in, so that a test can let any of them fail."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


class Disk:
    """The file system. Each method raises ``OSError`` when it fails; it has no state and any thread may call it."""

    def sync(self, path: Path) -> None:
        """Return when a file's content, or the names in a directory, are on disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def unlink(self, path: Path) -> None:
        """Delete a file; one that is not there, or whose directory is none, is no error."""
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

    def rename(self, old: Path, new: Path) -> None:
        """Rename a file within its directory, durably."""
        old.rename(new)
        self.sync(new.parent)

    def make_directory(self, path: Path) -> None:
        """Make a directory and those above it, unless they are there."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path) -> int:
        """Open an empty file for writing, only for this user; returns its descriptor."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, parts: Sequence[bytes | memoryview]) -> int:
        """Write some bytes of the parts at the descriptor's position; returns how many."""
        return os.writev(descriptor, parts)

    def sync_data(self, descriptor: int) -> None:
        """Return when what was written to an open file is on disk."""
        os.fdatasync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut an open file, and go on writing at its new end."""
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)

    def close(self, descriptor: int) -> None:
        """Close an open file."""
        os.close(descriptor)

    @contextmanager
    def parquet(self, path: Path, schema: Any, options: Mapping[str, Any]) -> Iterator[Any]:
        """Open a Parquet file for ``write_table``; its footer is written when the block ends."""
        with pq.ParquetWriter(path, schema, **options) as writer:
            yield writer

    def write_table(self, writer: Any, table: Any, row_group_rows: int) -> None:
        """Append a table's rows to a Parquet file."""
        writer.write_table(table, row_group_size=row_group_rows)

    def write_streams(self, path: Path, tables: Iterable[Any]) -> list[int]:
        """Write a file of tables, each an Arrow stream; returns where each begins, and the end of the last."""
        places = [0]
        with pa.OSFile(str(path), "wb") as sink:
            for table in tables:
                with pa.ipc.new_stream(sink, table.schema) as stream:
                    stream.write_table(table)
                places.append(sink.tell())
        return places


#: The real one.
DISK = Disk()


def replace_file(path: Path, content: bytes, disk: Disk) -> None:
    """Write a small file whole, durably and in one step, or leave it as it is."""
    fresh = path.with_name(f".{path.name}.new")
    descriptor = disk.create(fresh)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[disk.write(descriptor, [rest]) :]
        disk.sync_data(descriptor)
    finally:
        disk.close(descriptor)
    disk.rename(fresh, path)
