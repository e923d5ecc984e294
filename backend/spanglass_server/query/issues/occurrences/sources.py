"""The records that tell of stored occurrences, as far as they are stored still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from spanglass_server.issues.occurrences.told import exception_columns, told
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import run, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import TIME_COLUMN, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from spanglass_server.issues.occurrences.told import Told
    from spanglass_server.store.ports import QuerySession

#: Columns of occurrences that lead to the record.
PLACE = ("source", "record_time_ns", "trace_id", "span_id", "event_index", "record_order")
_SOURCES = (Signal.SPANS, Signal.LOGS)
_FIXED = {
    Signal.SPANS: ("trace_id", "span_id", "parent_span_id", "start_time_ns", "event_time_ns"),
    Signal.LOGS: ("trace_id", "span_id", "time_ns", "arrival_order"),
}
_SAME = {
    Signal.SPANS: Sql("told.span_id = wanted.span_id AND told.start_time_ns = wanted.record_time_ns"),
    Signal.LOGS: Sql("told.arrival_order = wanted.record_order AND told.time_ns = wanted.record_time_ns"),
}


def told_of(session: QuerySession, occurrences: pa.Table, keys: Sequence[str] = ()) -> list[Told | None]:
    """Return what the record of each occurrence tells, None where it is deleted; ``keys``: attributes wanted beside.

    ``occurrences`` has the columns of ``PLACE``. Meant for some ten thousand at once: their stacks are held in memory.
    """
    found: dict[tuple[Any, ...], Told] = {}
    for source, signal in enumerate(_SOURCES):
        wanted = occurrences.filter(pc.equal(occurrences["source"], source))
        if wanted.num_rows:
            found.update((_place(one), one) for one in _told_in(session, signal, wanted, keys))
    places = zip(*(occurrences[name].to_pylist() for name in PLACE), strict=True)
    return [found.get(_place_of(*place)) for place in places]


def _told_in(session: QuerySession, signal: Signal, wanted: pa.Table, keys: Sequence[str]) -> Iterator[Told]:
    low, high = pc.min_max(wanted["record_time_ns"]).values()
    window = clamp(low.as_py(), high.as_py() + 1)
    columns = [*_FIXED[signal], *exception_columns(session.columns(signal, window), keys)]
    ids = set(wanted["trace_id"].drop_null().to_pylist()) if not wanted["trace_id"].null_count else set()
    records = session.relation(signal, window, dict.fromkeys((TIME_COLUMN[signal], *columns)), trace_ids=ids)
    parts = {"records": Sql(records), "wanted": Sql(session.table(wanted)), "same": _SAME[signal]}
    return told(signal, run(session, statement("issues/sources", **parts)), keys)


def _place(one: Told) -> tuple[Any, ...]:
    ids = (one.trace_id or None, one.span_id or None)
    return _place_of(0 if one.is_span_event else 1, one.record_time_ns, *ids, one.event_index, one.record_order)


def _place_of(source: int, time_ns: int, *rest: Any) -> tuple[Any, ...]:
    """Return what tells the places of occurrences apart: ids and event of a span, the order of a log record."""
    return (source, time_ns, rest[-1]) if source else (source, time_ns, *rest[:-1])
