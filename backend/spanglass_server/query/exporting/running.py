"""An export under way: pieces of a range, or of an answer, that become a file one after the other."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.query.exporting.forms import form_of
from spanglass_server.query.exporting.plan import pieces
from spanglass_server.query.exporting.records import columns_of, read_records, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from spanglass_server.query.exporting.forms import Form
    from spanglass_server.query.exporting.records import Wanted
    from spanglass_server.store.ports import QuerySession, Window

#: Records that are read at once: 30 MB with 70 columns, and a third of a second.
PIECE_ROWS = 65_536
#: What stands before each frame: how long it is, and how many records are in it.
FRAME = struct.Struct(">II")


class Written(NamedTuple):
    """How a file is written: its form; ``framed`` with a frame around each piece; ``guarded`` as ``form_of`` says."""

    form: str
    framed: bool = False
    guarded: bool = True


@dataclass(slots=True)
class Running:
    """An export between two of its pieces, which are ``count``, at least one; the next one is ``at``.

    ``read`` makes the table of a piece.
    """

    form: Form
    count: int
    read: Callable[[QuerySession, int], pa.Table]
    framed: bool
    at: int = 0


def begin_export(session: QuerySession, wanted: Wanted, written: Written, part: Window | None = None) -> Running:
    """Begin a file of what is wanted, or of a part of it, which has the columns of all.

    BadQuestionError for columns or a form that can't be.
    """
    columns = columns_of(session, wanted)
    schema = schema_of(session, wanted, columns)
    signal = None if wanted.readable else wanted.signal
    form = form_of(written.form, schema, signal=signal, guarded=written.guarded)
    cut = pieces(session, wanted.signal, part or wanted.window, PIECE_ROWS)

    def read(session: QuerySession, place: int) -> pa.Table:
        return read_records(session, wanted, columns, schema, cut[place].window)

    return Running(form, len(cut), read, written.framed)


def begin_table(rows: pa.Table, written: Written) -> Running:
    """Begin a file of a table; BadQuestionError for a type that the form lacks."""
    form = form_of(written.form, rows.schema, guarded=written.guarded)
    count = max(1, -(-rows.num_rows // PIECE_ROWS))
    return Running(form, count, lambda _, place: rows.slice(place * PIECE_ROWS, PIECE_ROWS), written.framed)


def next_bytes(session: QuerySession, running: Running) -> tuple[bytes, Running | None]:
    """Return the next bytes of a file, and its export if there are more. FilterError, QueryError."""
    table = running.read(session, running.at)
    content = running.form.begin() if not running.at else b""
    if table.num_rows:
        content += running.form.write(table)
    running.at += 1
    is_last = running.at == running.count
    if is_last:
        content += running.form.end()
    if running.framed:
        content = _framed(content, table.num_rows, is_last=is_last)
    return content, None if is_last else running


def _framed(content: bytes, rows: int, *, is_last: bool) -> bytes:
    """Put a frame around bytes, and an empty one behind the last of a file: without it the file is not whole."""
    frame = FRAME.pack(len(content), rows) + content if content else b""
    return frame + (FRAME.pack(0, 0) if is_last else b"")
