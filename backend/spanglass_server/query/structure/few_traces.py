"""The traces of the records that a filter finds, if they are few: then nothing else has to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import TIME_COLUMN

if TYPE_CHECKING:
    from spanglass_server.query.language import CompiledFilter
    from spanglass_server.signals import Signal
    from spanglass_server.store.ports import QuerySession, Window

#: Finding that there are more records takes little: the scan ends with them.
_FEW_RECORDS = 2_000
#: Of so many traces storage reads little else; each is compared with those of each row group.
FEW_TRACES = 200
#: Such a part of a range is looked at before all of it.
_PARTS = 16


def traces_of(
    session: QuerySession, signal: Signal, window: Window, matching: CompiledFilter
) -> frozenset[bytes] | None:
    """The traces of a range's records that match; None if they are many, or if a record belongs to none."""
    for part in _parts(window):  # many are many in a part of the range already, which takes less to see
        found = _traces_of(session, signal, part, matching)
        if found is None:
            return None
    return found


def _parts(window: Window) -> tuple[Window, Window]:
    """Return the newest part of a range, and all of it."""
    length_ns = (window.end_ns - window.start_ns) // _PARTS
    return clamp(window.end_ns - max(1, length_ns), window.end_ns), window


def _traces_of(
    session: QuerySession, signal: Signal, window: Window, matching: CompiledFilter
) -> frozenset[bytes] | None:
    relation = session.relation(
        *(signal, window, {"trace_id", TIME_COLUMN[signal], *matching.columns}),
        require=matching.require,
        trace_ids=matching.trace_ids,
        values=matching.values,
    )
    where = Sql(matching.sql, tuple(matching.parameters))
    found = rows(session, statement("structure/left", relation=Sql(relation), where=where, count=_FEW_RECORDS + 1))
    traces = frozenset(row["trace_id"] for row in found)
    if None in traces or len(traces) > FEW_TRACES or sum(row["records"] for row in found) > _FEW_RECORDS:
        return None
    return traces
