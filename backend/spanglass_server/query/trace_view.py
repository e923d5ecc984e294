"""One trace: its spans in the order of their tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.times import format_time
from spanglass_core.trace_tree import Node, Span, Tree, build_tree
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.otlp_json import traces_data
from spanglass_server.query.span_rows import SpanRows
from spanglass_server.query.stored_rows import fetch_rows
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    import pyarrow as pa

    from spanglass_server.store.ports import QuerySession

_ERROR = 2
_CONSUMER = 5


def show_trace(session: QuerySession, trace_id: bytes) -> dict[str, Any]:
    """Answer ``GET /api/v1/traces/{trace_id}``; BadQuestionError (not_found) when no span has the id."""
    spans = SpanRows(_fetch(session, trace_id), session.service_slot)
    tree = build_tree(_tree_span(spans, row) for row in range(spans.count))
    errors = [spans.value("status_code", node.index) == _ERROR for node in tree.nodes]
    return {
        "trace_id": trace_id.hex(),
        "start_time": format_time(tree.start_ns),
        "duration_ns": tree.duration_ns,
        "span_count": len(tree.nodes),
        "error_count": sum(errors),
        "duplicate_spans": tree.duplicates,
        "services": _services(spans, tree, errors),
        "warnings": list(tree.warnings),
        "spans": [_span(spans, node, tree.start_ns) for node in tree.nodes],
    }


def show_trace_otlp(session: QuerySession, trace_id: bytes) -> dict[str, Any]:
    """Answer ``GET /api/v1/traces/{trace_id}?format=otlp``: every stored span, those sent twice included."""
    return traces_data(_fetch(session, trace_id))


def _fetch(session: QuerySession, trace_id: bytes) -> pa.Table:
    """All spans of a trace, whenever it was: segments know which traces they may hold."""
    found = fetch_rows(session, Signal.SPANS, ALL_TIME, Sql("trace_id = ?", (trace_id,)), trace_ids=[trace_id])
    if not found.num_rows:
        raise BadQuestionError(
            f"no span of trace {trace_id.hex()} is stored",
            field="trace_id",
            hint="check the id; it may also be past its retention, or not sampled",
            code="not_found",
        )
    return found


def _tree_span(spans: SpanRows, row: int) -> Span:
    """Take what the tree needs of a span. Spans of one host share a clock; without a host, those of one service."""
    resource = {key: value for key, _, value in spans.attributes.of_record("resource", row)}
    host = resource.get("host.id") or resource.get("host.name")
    return Span(
        span_id=spans.value("span_id", row),
        parent_id=spans.value("parent_span_id", row),
        clock=f"host {host}" if host else f"service {spans.service(row)}",
        start_ns=spans.value("start_time_ns", row),
        duration_ns=spans.value("duration_ns", row),
        asynchronous=spans.value("kind", row) == _CONSUMER,
    )


def _span(spans: SpanRows, node: Node, trace_start_ns: int) -> dict[str, Any]:
    """One span of the answer."""
    span = spans.as_json(node.index)
    del span["trace_id"]
    return span | {
        "depth": node.depth,
        "offset_ns": node.start_ns - trace_start_ns,
        "self_time_ns": node.self_time_ns,
        "skew_ns": node.skew_ns,
        "orphan": node.orphan,
        "children": len(node.children),
    }


def _services(spans: SpanRows, tree: Tree, errors: list[bool]) -> list[dict[str, Any]]:
    """Give the services of the trace in the order in which they come up."""
    services: dict[str, dict[str, Any]] = {}
    for node, is_error in zip(tree.nodes, errors, strict=True):
        name = spans.service(node.index)
        service = services.setdefault(
            name, {"service": name, "slot": spans.slot_of(name), "spans": 0, "errors": 0, "self_time_ns": 0}
        )
        service["spans"] += 1
        service["errors"] += is_error
        service["self_time_ns"] += node.self_time_ns
    return list(services.values())
