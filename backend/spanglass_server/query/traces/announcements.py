"""Spans that have not ended: what their processes last said of them.

A process announces a span that is open for long by a log record, again and again (docs/app/in-progress-spans.md). It is
*running* while the records keep coming, and *lost* when they stay away for three times as long as they should. What
counts is when the server received them: the clock of the span's process may be off by hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_core import attribute_names as names
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.language.intrinsics import SPAN_KINDS, STATUSES
from spanglass_server.query.statements import one_of, rows, run, statement
from spanglass_server.query.traces.identity import Identity
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import FIXED_COLUMNS, AttributeColumn, Signal, ValueType, quote_identifier
from spanglass_server.store.ports import ALL_TIME, OfTraces, Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pyarrow as pa

    from spanglass_server.query.answers import OpenState, SpanKind, SpanStatus
    from spanglass_server.query.rows.log_rows import LogRows
    from spanglass_server.store.ports import QuerySession

RUNNING: Final = "running"
LOST: Final = "lost"
ENDED: Final = "ended"
#: A process is lost when it has been silent for so many times the pause that it announced ...
SILENCES = 3
#: ... or that it keeps if it does not say, and never for longer than this: a wrong number must not hide a loss.
REPEAT_NS = 10 * NS_PER_SECOND
_MOST_REPEAT_NS = 3_600 * NS_PER_SECOND
#: Most open spans that are looked at, those heard of last: beyond, the oldest are left out.
MOST = 2_000

#: The one column that announcements have and no other record: what lacks it is not read.
RECEIVED = "received_time_ns"
#: An attribute that all of them have, and that is known to be in a range without reading anything.
START = AttributeColumn("log", names.SPAN_START_UNIX_NANO, ValueType.INT).name
_ATTRIBUTES = {
    "start": START,
    "repeat": AttributeColumn("log", names.SPAN_REPEAT_NANO, ValueType.INT).name,
    "operation": AttributeColumn("log", names.SPAN_NAME, ValueType.STR).name,
    "kind": AttributeColumn("log", names.SPAN_KIND, ValueType.STR).name,
    "parent": AttributeColumn("log", names.SPAN_PARENT_ID, ValueType.STR).name,
    "status": AttributeColumn("log", names.SPAN_STATUS, ValueType.STR).name,
    "ended": AttributeColumn("log", names.SPAN_ENDED, ValueType.BOOL).name,
}
_COLUMNS = ("trace_id", "span_id", "time_ns", "event_name", RECEIVED, SERVICE, *_ATTRIBUTES.values())


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """A span that has not ended, as it was last announced; ``heard_ns`` is by the server's clock, all else its own."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    service: str
    name: str
    kind: SpanKind
    status: SpanStatus
    start_ns: int
    time_ns: int
    heard_ns: int
    end_ns: int  # now, or when it was last heard of, by the clock of its process
    state: OpenState

    @property
    def identity(self) -> Identity:
        """What tells the span from others of its trace."""
        return Identity(self.span_id, self.kind, self.service, self.start_ns, self.duration_ns)

    @property
    def announced_as(self) -> tuple[bytes, str, int]:
        """What all announcements of the span have in common."""
        return self.span_id, self.service, self.start_ns

    @property
    def duration_ns(self) -> int:
        """How long it has been running, or was when it was last heard of."""
        return max(0, self.end_ns - self.start_ns)


def open_spans(
    session: QuerySession,
    window: Window,
    now_ns: int,
    *,
    before_ns: int = ALL_TIME.end_ns,
    where: Sql = TRUE,
    trace_ids: Collection[bytes] = (),
) -> list[OpenSpan]:
    """List the spans announced in a window whose end was not told, those heard of last first, at most ``MOST``.

    ``before_ns`` leaves out those that began later. The window must reach to the present, or what was announced after
    it counts as lost. Some of them may be stored: a process can die between a span's end and the word of it.
    """
    if not _may_be_announced(session, window, trace_ids):
        return []
    relation = session.relation(Signal.LOGS, window, _COLUMNS, require=(RECEIVED,), trace_ids=trace_ids)
    found = rows(
        session,
        statement(
            "announcements",
            relation=Sql(relation),
            event=names.SPAN_RUNNING_EVENT,
            where=where,
            before_ns=before_ns,
            service=SERVICE_NAME,
            count=MOST,
            **{name: Sql(quote_identifier(column)) for name, column in _ATTRIBUTES.items()},
        ),
    )
    ahead_ns = _clocks(found)
    return [_open_span(row, now_ns, ahead_ns[row["trace_id"], row["service"]]) for row in found]


def _may_be_announced(session: QuerySession, window: Window, trace_ids: Collection[bytes]) -> bool:
    """Whether a window has announcements, of some traces if there are any; quick where it has none, as usual."""
    if not trace_ids:
        return session.has_column(Signal.LOGS, window, RECEIVED)
    wanted = OfTraces(trace_ids, columns=(RECEIVED,), require=(RECEIVED,))
    found = session.trace_rows(Signal.LOGS, window, wanted)
    return RECEIVED in found.column_names and found[RECEIVED].null_count < found.num_rows


def _clocks(found: Sequence[dict[str, Any]]) -> dict[tuple[bytes, str], int]:
    """How far the server's clock is ahead of each service's in a trace, the way included.

    The least of what its announcements took: each waits up to a second in a queue, and a child must not seem to be
    longer than its parent because it waited less.
    """
    ahead_ns: dict[tuple[bytes, str], int] = {}
    for row in found:
        key, taken_ns = (row["trace_id"], row["service"]), row["heard_ns"] - row["time_ns"]
        ahead_ns[key] = min(taken_ns, ahead_ns.get(key, taken_ns))
    return ahead_ns


def _open_span(row: dict[str, Any], now_ns: int, ahead_ns: int) -> OpenSpan:
    repeat_ns = row["repeat_ns"] if row["repeat_ns"] is not None else REPEAT_NS
    silent_ns = max(0, now_ns - row["heard_ns"])
    is_lost = silent_ns > SILENCES * min(max(repeat_ns, 0), _MOST_REPEAT_NS)
    return OpenSpan(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_id=_span_id(row["parent_id"]),
        service=row["service"],
        name=row["name"] or "",
        kind=row["kind"] if row["kind"] in SPAN_KINDS else SPAN_KINDS[0],
        status=row["status"] if row["status"] in STATUSES else STATUSES[0],
        start_ns=row["start_ns"],
        time_ns=row["time_ns"],
        heard_ns=row["heard_ns"],
        end_ns=row["time_ns"] if is_lost else max(row["time_ns"], now_ns - ahead_ns),
        state=LOST if is_lost else RUNNING,
    )


def _span_id(text: str | None) -> bytes | None:
    """Read a parent's id; what is none counts as absent."""
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        return None
    return found if len(found) == 8 and any(found) else None  # noqa: PLR2004 - bytes of a span id


def announced_rows(session: QuerySession, trace_id: bytes, spans: Sequence[OpenSpan]) -> pa.Table:
    """Fetch the newest announcements of some open spans of one trace, whole: of each at least one, the newest first."""
    times = [span.time_ns for span in spans]
    window = Window(min(times), max(times) + 1)
    columns = dict.fromkeys([*FIXED_COLUMNS[Signal.LOGS], *session.columns(Signal.LOGS, window)])
    relation = session.relation(Signal.LOGS, window, columns, require=(RECEIVED,), trace_ids=(trace_id,))
    return run(
        session,
        statement(
            "announced_rows",
            relation=Sql(relation),
            event=names.SPAN_RUNNING_EVENT,
            trace_id=trace_id,
            span_ids=one_of([span.span_id for span in spans]),
        ),
    )


def announced_as(records: LogRows, row: int) -> tuple[bytes, str, int]:
    """Return what an announcement has in common with others of its span."""
    said = {key: value for key, _, value in records.attributes.of_record("log", row)}
    return records.value("span_id", row), records.service(row), said.get(names.SPAN_START_UNIX_NANO, -1)


def of_traces(session: QuerySession, trace_ids: Collection[bytes], window: Window, now_ns: int) -> list[OpenSpan]:
    """List the open spans of some traces that were announced in a window, which reaches to the present."""
    ids = one_of(trace_ids)
    where = Sql(f"trace_id IN {ids.text}", ids.parameters)
    return open_spans(session, window, now_ns, where=where, trace_ids=trace_ids)
