"""Row groups as they lie in a Parquet file: their bytes, and what the footer says of their columns.

https://parquet.apache.org/docs/file-format/metadata/ has the numbers of the fields.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from spanglass_server.parquet.thrift import Struct, integer, of_struct, struct_at, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.parquet.thrift import Inner

MAGIC = b"PAR1"
#: Behind the footer: how long it is, and four letters.
TAIL = struct.Struct("<I4s")


class FileFields:
    """Numbers of fields of the whole file's metadata."""

    VERSION, SCHEMA, ROWS, ROW_GROUPS, CREATED_BY, ORDERS = 1, 2, 3, 4, 6, 7


class GroupFields:
    """Of those of a row group."""

    COLUMNS, BYTES, ROWS, AT, COMPRESSED = 1, 2, 3, 5, 6


class ChunkFields:
    """Of those of a column chunk."""

    AT, METADATA = 2, 3


class ColumnFields:
    """Of those of a column chunk's metadata."""

    COMPRESSED, DATA_AT, DICTIONARY_AT = 7, 9, 11


_NAME, _CHILDREN = 4, 5  # of an element of a schema
#: What is taken apart: elements of the schema, and of row groups the metadata of their columns.
_INNER: Inner = {
    FileFields.SCHEMA: {},
    FileFields.ROW_GROUPS: {GroupFields.COLUMNS: {ChunkFields.METADATA: {}}},
}


class Layout:
    """What a file says of itself. ``OSError`` if it can't be read, ValueError if it is not of Parquet.

    Each column has one leaf: lists have, structs and maps do not.
    """

    def __init__(self, file: BinaryIO) -> None:
        end = file.seek(-TAIL.size, 2)
        length, magic = TAIL.unpack(file.read(TAIL.size))
        if magic != MAGIC or length > end:
            raise ValueError("this is no file of Parquet")
        file.seek(end - length)
        try:
            self.fields, _ = struct_at(file.read(length), 0, _INNER)
        except IndexError:
            raise ValueError("the footer of this file is cut") from None

    @cached_property
    def columns(self) -> Mapping[str, bytes]:
        """The columns in their order, and what the schema says of each: two columns of which it says the same fit."""
        elements = iter(self.fields[FileFields.SCHEMA])
        root = next(elements)
        return dict(_column(elements) for _ in range(integer(root[_CHILDREN])))

    def row_groups(self) -> list[Struct]:
        """The fields of each row group."""
        groups: list[Struct] = self.fields[FileFields.ROW_GROUPS]
        return groups


def _column(elements: Iterator[Struct]) -> tuple[str, bytes]:
    """The name of the next column, and all that is said of it and what it consists of."""
    first = next(elements)
    said, missing = of_struct(first).value, _children(first)
    while missing:
        each = next(elements)
        said += of_struct(each).value
        missing += _children(each) - 1
    return text(first[_NAME]), said


def _children(element: Struct) -> int:
    return integer(element[_CHILDREN]) if _CHILDREN in element else 0


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group that was read as it is: ``content`` are its column chunks, which began at ``at`` in their file.

    ``chunks`` are the fields of the column chunks by names of columns, ``schema`` what their file says of these.
    """

    rows: int
    size: int
    at: int
    content: bytes
    chunks: Mapping[str, Struct]
    schema: Mapping[str, bytes]

    @classmethod
    def read(cls, file: BinaryIO, layout: Layout, number: int) -> RowGroup:
        """Read one of a file; ``OSError`` if it can't be, ValueError if there is less than it should be."""
        fields = layout.row_groups()[number]
        chunks = fields[GroupFields.COLUMNS]
        places = [_place(chunk[ChunkFields.METADATA]) for chunk in chunks]
        start = min(at for at, _ in places)
        size = max(at + length for at, length in places) - start
        file.seek(start)
        content = file.read(size)
        if len(content) != size:
            raise ValueError("a row group of this file is cut")
        rows, unpacked = integer(fields[GroupFields.ROWS]), integer(fields[GroupFields.BYTES])
        by_name = dict(zip(layout.columns, chunks, strict=True))
        return cls(rows, unpacked, start, content, by_name, layout.columns)


def _place(column: Struct) -> tuple[int, int]:
    """Where a column chunk begins in its file, and how long it is."""
    at = integer(column[ColumnFields.DATA_AT])
    if ColumnFields.DICTIONARY_AT in column:
        at = min(at, integer(column[ColumnFields.DICTIONARY_AT]))
    return at, integer(column[ColumnFields.COMPRESSED])
