"""An export under way: pieces of a range, or of an answer, that become a file one after the other."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from spanglass_server.parquet.joining import Joined
from spanglass_server.query.exporting.copying import Encoded, copied
from spanglass_server.query.exporting.forms import form_of
from spanglass_server.query.exporting.plan import lighter, pieces, stored
from spanglass_server.query.exporting.records import Finder, columns_of, read_records, schema_of
from spanglass_server.query.rows.slices import slices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

    from spanglass_server.query.exporting.forms import Form
    from spanglass_server.query.exporting.records import Wanted
    from spanglass_server.store.ports import QuerySession, Window

#: Records that are read at once: 30 MB with 70 columns, and a third of a second.
PIECE_ROWS = 65_536
#: What is read at once, as it is stored, and what is written at once, as it is sent; less for larger records than most.
_READ_BYTES, _WRITTEN_BYTES = 64 << 20, 64 << 20
#: What is copied by one question, as it is stored.
_COPIED_BYTES = 32 << 20
#: What stands before each frame: how long it is, and how many records are in it.
FRAME = struct.Struct(">II")


class Written(NamedTuple):
    """How a file is written: its form; ``framed`` with a frame around each piece; ``guarded`` as ``form_of`` says."""

    form: str
    framed: bool = False
    guarded: bool = True


@dataclass(slots=True)
class Running:
    """An export between two answers. ``read`` gives what comes next, and is asked until ``left`` is empty.

    ``made`` is what was read and is not sent yet: tables that the form writes, or what is written already.
    """

    form: Form
    left: deque[Window]
    read: Callable[[QuerySession], Iterable[pa.Table | Encoded]]
    framed: bool
    has_begun: bool = False
    made: deque[pa.Table | Encoded] = field(default_factory=deque)


def begin_export(session: QuerySession, wanted: Wanted, written: Written, part: Window | None = None) -> Running:
    """Begin a file of what is wanted, or of a part of it, which has the columns of all.

    BadQuestionError for columns or a form that can't be.
    """
    columns = columns_of(session, wanted)
    schema = schema_of(session, wanted, columns)
    if written.form == "parquet" and wanted.is_everything:
        return _begin_copy(session, wanted, schema, part or wanted.window, framed=written.framed)
    signal = None if wanted.readable else wanted.signal
    form = form_of(written.form, schema, signal=signal, guarded=written.guarded)
    left = deque(piece.window for piece in pieces(session, wanted.signal, part or wanted.window, PIECE_ROWS))
    finder = Finder(wanted)
    known = 0  # so many at the begin of what is left are known not to be too large

    def read(session: QuerySession) -> Iterable[pa.Table]:
        nonlocal known
        if not known:
            found = lighter(session, wanted.signal, left.popleft(), _READ_BYTES)
            left.extendleft(reversed(found))
            known = len(found)
        known -= 1
        return _cut(read_records(session, finder, columns, schema, left.popleft()))

    return Running(form, left, read, written.framed)


def _begin_copy(session: QuerySession, wanted: Wanted, schema: pa.Schema, window: Window, *, framed: bool) -> Running:
    file = Joined(schema)
    left = deque(stored(session, wanted.signal, window, _COPIED_BYTES))
    return Running(file, left, lambda session: copied(session, wanted.signal, left.popleft(), file, schema), framed)


def begin_table(rows: pa.Table, written: Written) -> Running:
    """Begin a file of a table; BadQuestionError for a type that the form lacks."""
    form = form_of(written.form, rows.schema, guarded=written.guarded)
    running = Running(form, deque(), lambda _: (), written.framed)
    running.made.extend(_cut(rows))
    return running


def next_bytes(session: QuerySession, running: Running) -> tuple[bytes, Running | None]:
    """Return the next bytes of a file, and its export if there are more. FilterError, QueryError."""
    if not running.made and running.left:
        running.made.extend(running.read(session))
    content = b"" if running.has_begun else running.form.begin()
    running.has_begun = True
    rows = 0
    if running.made:
        made = running.made.popleft()
        encoded = made if isinstance(made, Encoded) else Encoded(running.form.write(made), made.num_rows)
        content, rows = content + encoded.content, encoded.rows
    is_last = not running.made and not running.left
    if is_last:
        content += running.form.end()
    if running.framed:
        content = _framed(content, rows, is_last=is_last)
    return content, None if is_last else running


def _cut(table: pa.Table) -> Iterator[pa.Table]:
    return slices(table, PIECE_ROWS, _WRITTEN_BYTES)


def _framed(content: bytes, rows: int, *, is_last: bool) -> bytes:
    """Put a frame around bytes, far fewer than it can tell, and an empty one behind the last of a file.

    Without that the file is not whole.
    """
    frame = FRAME.pack(len(content), rows) + content if content else b""
    return frame + (FRAME.pack(0, 0) if is_last else b"")
