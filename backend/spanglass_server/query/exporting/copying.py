"""Stored records as Parquet without reading most of them: row groups are copied as they stand in storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from spanglass_server.parquet.row_groups import RowGroup
from spanglass_server.query.exporting.records import conformed
from spanglass_server.query.rows.slices import slices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.parquet.joining import Joined
    from spanglass_server.signals import Signal
    from spanglass_server.store.ports import QuerySession, Window

#: Rows that are not copied are written so many together; when so much of them was read, in any case.
_GROUP_ROWS, _GROUP_BYTES = 65_536, 64 << 20
#: What is sent at once: a row group of 16,384 spans is some 0.6 MB.
_SENT_BYTES = 4 << 20


class Encoded(NamedTuple):
    """Bytes of a file, and how many records are in them."""

    content: bytes
    rows: int


def copied(session: QuerySession, signal: Signal, window: Window, file: Joined, schema: pa.Schema) -> list[Encoded]:
    """Add all records of a window to a file with the columns of a schema; what is to be sent, a few MB each.

    Row groups of which a part lies in the window are read, and those in memory and small ones, and written anew.
    QueryError for records with other columns.
    """
    sent: list[Encoded] = []
    parts: list[Encoded] = []
    for part in _parts(session, signal, window, file, schema):
        parts.append(part)
        if sum(len(each.content) for each in parts) >= _SENT_BYTES:
            sent.append(_together(parts))
            parts = []
    return [*sent, _together(parts)] if parts else sent


def _together(parts: Sequence[Encoded]) -> Encoded:
    return Encoded(b"".join([part.content for part in parts]), sum(part.rows for part in parts))


def _parts(session: QuerySession, signal: Signal, window: Window, file: Joined, schema: pa.Schema) -> Iterator[Encoded]:
    read: list[pa.Table] = []
    for rows in session.copies(signal, window, file.fits):
        if isinstance(rows, RowGroup):
            yield Encoded(file.add(rows), rows.rows)
        elif rows.num_rows:
            read.append(conformed(rows, schema))
            if sum(table.nbytes for table in read) >= _GROUP_BYTES:
                yield from _written(read, file)
                read = []
    yield from _written(read, file)


def _written(read: Sequence[pa.Table], file: Joined) -> Iterator[Encoded]:
    if read:
        for table in slices(pa.concat_tables(read), _GROUP_ROWS, _GROUP_BYTES):
            yield Encoded(file.write(table), table.num_rows)
