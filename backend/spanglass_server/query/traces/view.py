"""One trace: its spans in the order of their tree, in full or in columns; one of its spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from spanglass_core.trace_times import EARLIEST_NS
from spanglass_core.trace_tree import build_tree
from spanglass_server.query.answers import Nanoseconds  # noqa: TC001 - a TypedDict's member
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.rows.answers import Heard, HeardSpan, SpanFields, TracesData
from spanglass_server.query.rows.otlp_json import traces_data
from spanglass_server.query.traces.announcements import LOST, RUNNING
from spanglass_server.query.traces.collecting import paused_collector
from spanglass_server.query.traces.columns import Columns, IndexedAttribute, attribute_index, pack
from spanglass_server.query.traces.failures import Failure, Place, failure
from spanglass_server.query.traces.identity import id_in_key, keys
from spanglass_server.query.traces.summaries import ServiceSpans, TraceCounts
from spanglass_server.query.traces.trace_spans import fetch_spans, read_spans
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_core.trace_nodes import Node
    from spanglass_core.trace_tree import Tree
    from spanglass_server.query.traces.trace_spans import ReadSpan, TraceSpans
    from spanglass_server.store.ports import QuerySession

_ERROR = "error"

Warn = Literal["missing_root", "orphans", "clock_skew", "unknown_start", "cycle"]


class ServiceTime(ServiceSpans):
    """A service of a trace, with the time in which its spans waited for no others."""

    self_time_ns: Nanoseconds


class TraceHead(TraceCounts):
    """A trace without its spans: the answer of ``GET /api/v1/traces/{trace_id}?format=summary``."""

    duplicate_spans: int
    services: list[ServiceTime]
    warnings: list[Warn]
    failure: Failure | None


class TreeSpan(SpanFields, Heard):
    """A span of a trace, with its place in the tree."""

    key: str
    parent_key: str | None
    depth: int
    offset_ns: Nanoseconds
    self_time_ns: Nanoseconds
    critical: list[list[Nanoseconds]]
    awaited: bool
    skew_ns: Nanoseconds
    orphan: bool
    children: int


class Trace(TraceHead):
    """The answer of ``GET /api/v1/traces/{trace_id}``: its spans depth first."""

    spans: list[TreeSpan]


class TraceColumns(TraceHead):
    """The answer of ``GET /api/v1/traces/{trace_id}?format=columns``."""

    columns: Columns
    attributes: list[IndexedAttribute]


class TraceSpan(HeardSpan):
    """The answer of ``GET /api/v1/traces/{trace_id}/spans/{key}``."""

    key: str


def show_trace(session: QuerySession, trace_id: bytes, now_ns: int) -> Trace:
    """Answer ``GET /api/v1/traces/{trace_id}``; BadQuestionError (not_found) when no span has the id.

    Spans that have not ended are among them, from their announcements.
    """
    found = arrange(session, trace_id, now_ns)
    return {**found.head(session, trace_id), "spans": [found.whole(node) for node in found.tree.nodes]}


def show_summary(session: QuerySession, trace_id: bytes, now_ns: int) -> TraceHead:
    """Answer ``GET /api/v1/traces/{trace_id}?format=summary``: what is said of the trace as a whole."""
    return arrange(session, trace_id, now_ns).head(session, trace_id)


def show_columns(session: QuerySession, trace_id: bytes, now_ns: int) -> TraceColumns:
    """Answer ``GET /api/v1/traces/{trace_id}?format=columns``: the same trace, as much of it as a waterfall draws."""
    with paused_collector():
        found = arrange(session, trace_id, now_ns)
        return {**found.head(session, trace_id), "columns": pack(found.fields()), "attributes": found.attributes()}


def show_span(session: QuerySession, trace_id: bytes, key: str, now_ns: int) -> TraceSpan:
    """Answer ``GET /api/v1/traces/{trace_id}/spans/{key}``: a span in full, without its place in the tree."""
    span_id = id_in_key(key)
    spans = read_spans(session, trace_id, now_ns, span_id).spans if span_id else []
    for span, own in zip(spans, keys([span.identity for span in spans]), strict=True):
        if own == key:
            return {"key": key, **span.as_json()}
    raise BadQuestionError(
        f"no span {key} of trace {trace_id.hex()} is stored",
        field="key",
        hint="take a key from the trace's answer",
        code="not_found",
    )


def show_trace_otlp(session: QuerySession, trace_id: bytes) -> TracesData:
    """Answer ``GET /api/v1/traces/{trace_id}?format=otlp``: every stored span, those sent twice included."""
    found = fetch_spans(session, trace_id)
    if not found.num_rows:
        raise _nothing(trace_id)
    return traces_data(found)


def _nothing(trace_id: bytes) -> BadQuestionError:
    return BadQuestionError(
        f"no span of trace {trace_id.hex()} is stored",
        field="trace_id",
        hint="check the id; it may also be past its retention, or not sampled",
        code="not_found",
    )


@dataclass(frozen=True, slots=True)
class Arranged:
    """A trace's spans and their tree, whose nodes say by ``index`` which of the spans they are."""

    read: TraceSpans
    tree: Tree
    keys: Sequence[str]

    def head(self, session: QuerySession, trace_id: bytes) -> TraceHead:
        """Return what is said of the trace as a whole."""
        nodes = [(node, self.read.spans[node.index]) for node in self.tree.nodes]
        errors = sum(span.status == _ERROR for _, span in nodes)
        return {
            "trace_id": trace_id.hex(),
            "start_time": format_time(self.tree.start_ns),
            "duration_ns": self.tree.duration_ns,
            "span_count": len(nodes),
            "error_count": errors,
            "running_count": sum(span.state == RUNNING for _, span in nodes),
            "lost_count": sum(span.state == LOST for _, span in nodes),
            "duplicate_spans": self.read.copies,
            "services": _services(session, nodes),
            "warnings": cast("list[Warn]", self.tree.warnings),
            "failure": self._failure(session, trace_id) if errors else None,
        }

    def _failure(self, session: QuerySession, trace_id: bytes) -> Failure | None:
        """Return where and why the trace failed; only what tells of it is read in full."""
        places = [
            Place(
                self.keys[node.index],
                None if node.parent is None else self.keys[node.parent.index],
                node.depth,
                node.start_ns,
                self.read.spans[node.index].identity.kind,
                self.read.spans[node.index].status,
            )
            for node in self.tree.nodes
        ]
        return failure(session, trace_id, places, lambda place: self.whole(self.tree.nodes[place]))

    def whole(self, node: Node) -> TreeSpan:
        """Return a span in full, with its place in the tree."""
        span = self._placed(cast("dict[str, Any]", self.read.spans[node.index].as_json()), node)
        del span["trace_id"]
        span["parent_key"] = None if node.parent is None else self.keys[node.parent.index]
        return cast("TreeSpan", span)

    def fields(self) -> dict[str, list[Any]]:
        """Return what a waterfall draws of all spans, as one list a field, in the order of the tree."""
        start_ns, nodes = self.tree.start_ns, self.tree.nodes
        return {
            **self._own_fields(),
            "key": [self.keys[node.index] for node in nodes],
            "depth": [node.depth for node in nodes],
            "offset_ns": [node.start_ns - start_ns for node in nodes],
            "duration_ns": [node.duration_ns for node in nodes],
            "self_time_ns": [node.self_time_ns for node in nodes],
            "critical": [
                [[part_ns - start_ns, end_ns - part_ns] for part_ns, end_ns in node.critical] for node in nodes
            ],
            "awaited": [node.awaited for node in nodes],
            "skew_ns": [node.skew_ns for node in nodes],
            "start_unknown": [node.start_unknown for node in nodes],
            "orphan": [node.orphan for node in nodes],
            "children": [len(node.children) for node in nodes],
        }

    def _own_fields(self) -> dict[str, list[Any]]:
        """Return what spans say of themselves: of stored ones read together, of the few others one by one."""
        nodes = self.tree.nodes
        rows = [self.read.spans[node.index].row for node in nodes]
        alone = [
            (place, self._brief(node))
            for place, (node, row) in enumerate(zip(nodes, rows, strict=True))
            if row is None or node.start_unknown
        ]
        fields = {
            name: [None if row is None else column[row] for row in rows]
            for name, column in self.read.stored.briefs().items()
        }
        for place, brief in alone:
            for name, column in fields.items():
                column[place] = brief[name]
        return fields

    def _brief(self, node: Node) -> dict[str, Any]:
        """Return what a span says of itself, its events from where it was placed."""
        brief = self.read.spans[node.index].brief()
        if node.start_unknown:
            _place_events(brief["events"], node)
        return brief

    def attributes(self) -> list[IndexedAttribute]:
        """Return by which attributes spans are found."""
        places = [-1] * self.read.stored.count
        opened: list[tuple[int, Mapping[str, Any]]] = []
        for place, node in enumerate(self.tree.nodes):
            span = self.read.spans[node.index]
            if span.row is None:
                opened.append((place, span.as_json()["attributes"]))
            else:
                places[span.row] = place
        return attribute_index(self.read.stored, places, opened)

    def _placed(self, span: dict[str, Any], node: Node) -> dict[str, Any]:
        """Add a span's place in the tree to what is said of it."""
        if node.start_unknown:
            _place_events(span["events"], node)
        start_ns = self.tree.start_ns
        span |= {
            "key": self.keys[node.index],
            "depth": node.depth,
            "offset_ns": node.start_ns - start_ns,
            "duration_ns": node.duration_ns,
            "self_time_ns": node.self_time_ns,
            "critical": [[part_ns - start_ns, end_ns - part_ns] for part_ns, end_ns in node.critical],
            "awaited": node.awaited,
            "skew_ns": node.skew_ns,
            "start_unknown": node.start_unknown,
            "orphan": node.orphan,
            "children": len(node.children),
        }
        return span


def arrange(session: QuerySession, trace_id: bytes, now_ns: int) -> Arranged:
    """Read a trace and build its tree; BadQuestionError (not_found) when no span has the id."""
    read = read_spans(session, trace_id, now_ns)
    if not read.spans:
        raise _nothing(trace_id)
    return Arranged(read, build_tree(span.in_tree for span in read.spans), keys([span.identity for span in read.spans]))


def _place_events(events: Iterable[dict[str, Any]], node: Node) -> None:
    """Count the events of a span without a known start from where it was placed, as far as their own time is known."""
    for event in events:
        time_ns = node.span.start_ns + event["offset_ns"]
        if time_ns >= EARLIEST_NS:
            event["offset_ns"] = time_ns - node.start_ns


def _services(session: QuerySession, nodes: Iterable[tuple[Node, ReadSpan]]) -> list[ServiceTime]:
    """Return the services of the trace in the order in which they come up."""
    services: dict[str, ServiceTime] = {}
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
