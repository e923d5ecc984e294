"""One trace: its spans in the order of their tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from spanglass_core.trace_nodes import Node, Span
from spanglass_core.trace_tree import build_tree
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.rows.otlp_json import traces_data
from spanglass_server.query.rows.span_rows import SpanRows, open_span_json
from spanglass_server.query.rows.stored_rows import fetch_rows
from spanglass_server.query.traces.announcements import ENDED, LOST, RUNNING, announced_rows, of_trace
from spanglass_server.query.traces.services import kind_name
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
_CONSUMER = "consumer"


def show_trace(session: QuerySession, trace_id: bytes, now_ns: int) -> dict[str, Any]:
    """Answer ``GET /api/v1/traces/{trace_id}``; BadQuestionError (not_found) when no span has the id.

    Spans that have not ended are among them, from their announcements.
    """
    shown = _shown(session, trace_id, now_ns)
    tree = build_tree(span.in_tree for span in shown)
    nodes = [(node, shown[node.index]) for node in tree.nodes]
    return {
        "trace_id": trace_id.hex(),
        "start_time": format_time(tree.start_ns),
        "duration_ns": tree.duration_ns,
        "span_count": len(nodes),
        "error_count": sum(span.status == _ERROR for _, span in nodes),
        "running_count": sum(span.state == RUNNING for _, span in nodes),
        "lost_count": sum(span.state == LOST for _, span in nodes),
        "duplicate_spans": tree.duplicates,
        "services": _services(session, nodes),
        "warnings": list(tree.warnings),
        "spans": [_span(node, span, tree.start_ns) for node, span in nodes],
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

    in_tree: Span
    service: str
    status: str
    state: str
    as_json: Callable[[], dict[str, Any]]


def _shown(session: QuerySession, trace_id: bytes, now_ns: int) -> list[_Shown]:
    """All spans of a trace; one that is stored has ended, whatever was announced."""
    spans = SpanRows(_fetch(session, trace_id), session.service_slot)
    shown = [_stored(spans, row) for row in range(spans.count)]
    announced = of_trace(session, trace_id, now_ns)
    if announced:
        ended = {span.in_tree.span_id for span in shown}
        shown += _still_open(session, trace_id, [span for span in announced if span.span_id not in ended])
    if not shown:
        raise _nothing(trace_id)
    return shown


def _stored(spans: SpanRows, row: int) -> _Shown:
    """Take what is needed of a stored span."""
    service = spans.service(row)
    in_tree = Span(
        span_id=spans.value("span_id", row),
        parent_id=spans.value("parent_span_id", row),
        clock=_clock(spans, row, service),
        start_ns=spans.value("start_time_ns", row),
        duration_ns=spans.value("duration_ns", row),
        asynchronous=kind_name(spans.value("kind", row)) == _CONSUMER,
    )

    def as_json() -> dict[str, Any]:
        span = spans.as_json(row)
        span["state"], span["last_heard_time"] = ENDED, None
        return span

    return _Shown(in_tree, service, spans.status(row), ENDED, as_json)


def _still_open(session: QuerySession, trace_id: bytes, announced: Sequence[OpenSpan]) -> Iterator[_Shown]:
    """Take what is needed of the open spans."""
    if not announced:
        return
    by_id = {span.span_id: span for span in announced}
    records = LogRows(announced_rows(session, trace_id, announced), session.service_slot)
    for row in range(records.count):
        span = by_id.pop(records.value("span_id", row), None)
        if span is not None:  # the newest of its announcements
            in_tree = Span(
                span_id=span.span_id,
                parent_id=span.parent_id,
                clock=_clock(records, row, span.service),
                start_ns=span.start_ns,
                duration_ns=span.duration_ns,
                asynchronous=span.kind == _CONSUMER,
            )
            yield _Shown(in_tree, span.service, span.status, span.state, partial(open_span_json, span, records, row))


def _clock(records: Rows, row: int, service: str) -> str:
    """Name a span's clock: spans of one host share one; without a host, those of one service."""
    resource = records.plain.of_record("resource", row)
    host = resource.get("host.id") or resource.get("host.name")
    return f"host {host}" if host else f"service {service}"


def _span(node: Node, shown: _Shown, trace_start_ns: int) -> dict[str, Any]:
    """One span of the answer."""
    span = shown.as_json()
    del span["trace_id"]
    span |= {
        "depth": node.depth,
        "offset_ns": node.start_ns - trace_start_ns,
        "self_time_ns": node.self_time_ns,
        "skew_ns": node.skew_ns,
        "orphan": node.orphan,
        "children": len(node.children),
    }
    return span


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
