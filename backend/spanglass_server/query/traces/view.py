"""One trace: its spans in the order of their tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from spanglass_core.trace_nodes import Node, Span
from spanglass_core.trace_times import EARLIEST_NS
from spanglass_core.trace_tree import build_tree
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.rows.otlp_json import traces_data
from spanglass_server.query.rows.span_rows import SpanRows, open_span_json
from spanglass_server.query.rows.stored_rows import fetch_rows
from spanglass_server.query.traces.announcements import ENDED, LOST, RUNNING, announced_as, announced_rows, of_trace
from spanglass_server.query.traces.identity import Identity, first_of_each, keys
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

    from spanglass_server.query.rows.stored_rows import Rows
    from spanglass_server.query.traces.announcements import OpenSpan
    from spanglass_server.store.ports import QuerySession

_ERROR = "error"


def show_trace(session: QuerySession, trace_id: bytes, now_ns: int) -> dict[str, Any]:
    """Answer ``GET /api/v1/traces/{trace_id}``; BadQuestionError (not_found) when no span has the id.

    Spans that have not ended are among them, from their announcements.
    """
    found = _found(session, trace_id, now_ns)
    shown = [found[place] for place in first_of_each(span.identity for span in found)]
    tree = build_tree(span.in_tree for span in shown)
    nodes = [(node, shown[node.index]) for node in tree.nodes]
    key_of = keys([span.identity for span in shown])
    return {
        "trace_id": trace_id.hex(),
        "start_time": format_time(tree.start_ns),
        "duration_ns": tree.duration_ns,
        "span_count": len(nodes),
        "error_count": sum(span.status == _ERROR for _, span in nodes),
        "running_count": sum(span.state == RUNNING for _, span in nodes),
        "lost_count": sum(span.state == LOST for _, span in nodes),
        "duplicate_spans": len(found) - len(shown),
        "services": _services(session, nodes),
        "warnings": list(tree.warnings),
        "spans": [_span(node, span, tree.start_ns, key_of) for node, span in nodes],
    }


def show_trace_otlp(session: QuerySession, trace_id: bytes) -> dict[str, Any]:
    """Answer ``GET /api/v1/traces/{trace_id}?format=otlp``: every stored span, those sent twice included."""
    found = _fetch(session, trace_id)
    if not found.num_rows:
        raise _nothing(trace_id)
    return traces_data(found)


def _fetch(session: QuerySession, trace_id: bytes) -> pa.Table:
    """All stored spans of a trace, whenever it was: segments know which traces they may hold."""
    return fetch_rows(session, Signal.SPANS, ALL_TIME, Sql("trace_id = ?", (trace_id,)), trace_ids=[trace_id])


def _nothing(trace_id: bytes) -> BadQuestionError:
    return BadQuestionError(
        f"no span of trace {trace_id.hex()} is stored",
        field="trace_id",
        hint="check the id; it may also be past its retention, or not sampled",
        code="not_found",
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """A span of the answer: what the tree and the sums need of it, and how to make its JSON when the tree stands."""

    identity: Identity
    in_tree: Span
    status: str
    state: str
    as_json: Callable[[], dict[str, Any]]

    @property
    def service(self) -> str:
        """The name of its service."""
        return self.identity.service


def _found(session: QuerySession, trace_id: bytes, now_ns: int) -> list[_Shown]:
    """All spans of a trace, copies included; one that is stored has ended, whatever was announced."""
    spans = SpanRows(_fetch(session, trace_id), session.service_slot)
    shown = [_stored(spans, row) for row in range(spans.count)]
    announced = of_trace(session, trace_id, now_ns)
    if announced:
        ended = {span.identity.half for span in shown}
        shown += _still_open(session, trace_id, [span for span in announced if span.identity.half not in ended])
    if not shown:
        raise _nothing(trace_id)
    return shown


def _stored(spans: SpanRows, row: int) -> _Shown:
    """Take what is needed of a stored span."""
    identity = spans.identity(row)
    failed = spans.status(row) == _ERROR
    in_tree = _in_tree(identity, spans.parent_id(row), _clock(spans, row, identity.service), failed=failed)
    if in_tree.start_ns < EARLIEST_NS:
        in_tree = replace(in_tree, first_event_ns=min(spans.items("event_time_ns", row), default=None))

    def as_json() -> dict[str, Any]:
        span = spans.as_json(row)
        span["state"], span["last_heard_time"] = ENDED, None
        return span

    return _Shown(identity, in_tree, spans.status(row), ENDED, as_json)


def _in_tree(identity: Identity, parent_id: bytes | None, clock: str, *, failed: bool) -> Span:
    """Take what the tree needs of a span."""
    return Span(
        span_id=identity.span_id,
        parent_id=parent_id,
        clock=clock,
        start_ns=identity.start_ns,
        duration_ns=identity.duration_ns,
        service=identity.service,
        kind=identity.kind,
        failed=failed,
    )


def _still_open(session: QuerySession, trace_id: bytes, announced: Sequence[OpenSpan]) -> Iterator[_Shown]:
    """Take what is needed of the open spans."""
    if not announced:
        return
    waiting = {span.announced_as: span for span in announced}
    records = LogRows(announced_rows(session, trace_id, announced), session.service_slot)
    for row in range(records.count):
        span = waiting.pop(announced_as(records, row), None)
        if span is not None:  # the newest of its announcements
            clock = _clock(records, row, span.service)
            in_tree = _in_tree(span.identity, span.parent_id, clock, failed=span.status == _ERROR)
            yield _Shown(span.identity, in_tree, span.status, span.state, partial(open_span_json, span, records, row))


def _clock(records: Rows, row: int, service: str) -> str:
    """Name a span's clock: spans of one host share one; without a host, those of one service."""
    resource = records.plain.of_record("resource", row)
    host = resource.get("host.id") or resource.get("host.name")
    return f"host {host}" if host else f"service {service}"


def _span(node: Node, shown: _Shown, trace_start_ns: int, key_of: Sequence[str]) -> dict[str, Any]:
    """One span of the answer."""
    span = shown.as_json()
    del span["trace_id"]
    if node.start_unknown:
        _place_events(span["events"], node)
    span |= {
        "key": key_of[node.index],
        "parent_key": None if node.parent is None else key_of[node.parent.index],
        "depth": node.depth,
        "offset_ns": node.start_ns - trace_start_ns,
        "duration_ns": node.duration_ns,
        "self_time_ns": node.self_time_ns,
        "critical": [[start_ns - trace_start_ns, end_ns - start_ns] for start_ns, end_ns in node.critical],
        "awaited": node.awaited,
        "skew_ns": node.skew_ns,
        "start_unknown": node.start_unknown,
        "orphan": node.orphan,
        "children": len(node.children),
    }
    return span


def _place_events(events: Iterable[dict[str, Any]], node: Node) -> None:
    """Count the events of a span without a known start from where it was placed, as far as their own time is known."""
    for event in events:
        time_ns = node.span.start_ns + event["offset_ns"]
        if time_ns >= EARLIEST_NS:
            event["offset_ns"] = time_ns - node.start_ns


def _services(session: QuerySession, nodes: Iterable[tuple[Node, _Shown]]) -> list[dict[str, Any]]:
    """Give the services of the trace in the order in which they come up."""
    services: dict[str, dict[str, Any]] = {}
    for node, span in nodes:
        name = span.service
        service = services.get(name)
        if service is None:
            slot = session.service_slot(name)
            service = services[name] = {"service": name, "slot": slot, "spans": 0, "errors": 0, "self_time_ns": 0}
        service["spans"] += 1
        service["errors"] += span.status == _ERROR
        service["self_time_ns"] += node.self_time_ns
    return list(services.values())
