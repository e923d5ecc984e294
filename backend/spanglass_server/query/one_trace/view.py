"""One trace: its spans in the order of their tree, in full or in columns; one of its spans."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import compress, count
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from spanglass_core.traces.trace_times import EARLIEST_NS
from spanglass_server.query.answers import HexId, Nanoseconds
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.one_trace.columns import (
    Columns,
    IndexedAttribute,
    Texts,
    WaterfallColumns,
    attribute_index,
    distances,
    pack,
    taken,
)
from spanglass_server.query.one_trace.failures import Failure, Place, failure
from spanglass_server.query.one_trace.reasons import tells_exception
from spanglass_server.query.one_trace.trace_spans import fetch_spans, read_spans
from spanglass_server.query.rows.answers import Heard, HeardSpan, SpanFields, TracesData
from spanglass_server.query.rows.otlp_json import traces_data
from spanglass_server.query.trace_tree.arrays import numbered
from spanglass_server.query.trace_tree.building import tree_of
from spanglass_server.query.traces.announcements import LOST, RUNNING
from spanglass_server.query.traces.identity import id_in_key
from spanglass_server.query.traces.summaries import ServiceSpans, TraceCounts
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from spanglass_server.query.one_trace.trace_spans import TraceSpans
    from spanglass_server.query.trace_tree.arrays import TreeLists
    from spanglass_server.store.ports import QuerySession

#: Spans of a trace up to which a waterfall comes with what finds them by their attributes.
MOST_INDEXED = 5_000
#: Spans of a trace that are read together where some are asked for: of so few that costs less than one by one.
_FEW = 200

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


class TraceWaterfall(TraceHead):
    """The answer of ``GET /api/v1/traces/{trace_id}?format=waterfall``; ``attributes`` is null for large traces."""

    columns: WaterfallColumns
    attributes: list[IndexedAttribute] | None


class TraceAttributes(TypedDict):
    """The answer of ``GET /api/v1/traces/{trace_id}?format=attributes``: the keys of all spans, and their rows."""

    trace_id: HexId
    key: list[str]
    attributes: list[IndexedAttribute]


class TraceSpan(HeardSpan):
    """The answer of ``GET /api/v1/traces/{trace_id}/spans/{key}``."""

    key: str


def show_trace(session: QuerySession, trace_id: bytes, now_ns: int) -> Trace:
    """Answer ``GET /api/v1/traces/{trace_id}``; BadQuestionError (not_found) when no span has the id.

    Spans that have not ended are among them, from their announcements.
    """
    found = arrange(session, trace_id, now_ns)
    return {**found.head(session, trace_id), "spans": found.wholes()}


def show_summary(session: QuerySession, trace_id: bytes, now_ns: int) -> TraceHead:
    """Answer ``GET /api/v1/traces/{trace_id}?format=summary``: what is said of the trace as a whole."""
    return arrange(session, trace_id, now_ns).head(session, trace_id)


def show_columns(session: QuerySession, trace_id: bytes, now_ns: int) -> TraceColumns:
    """Answer ``GET /api/v1/traces/{trace_id}?format=columns``: the same trace, as much of it as a waterfall draws."""
    found = arrange(session, trace_id, now_ns)
    return {**found.head(session, trace_id), "columns": pack(found.fields()), "attributes": found.attributes()}


def show_waterfall(session: QuerySession, trace_id: bytes, now_ns: int) -> TraceWaterfall:
    """Answer ``GET /api/v1/traces/{trace_id}?format=waterfall``: what a page draws at first, in few bytes."""
    found = arrange(session, trace_id, now_ns)
    critical, whole = found.critical()
    columns = pack(found.fields(critical))
    attributes = found.attributes() if found.read.count <= MOST_INDEXED else None
    return {
        **found.head(session, trace_id),
        "columns": {**columns, "critical_whole": distances(whole)},
        "attributes": attributes,
    }


def show_attributes(session: QuerySession, trace_id: bytes, now_ns: int) -> TraceAttributes:
    """Answer ``GET /api/v1/traces/{trace_id}?format=attributes``: by which attributes its spans are found."""
    found = arrange(session, trace_id, now_ns)
    return {"trace_id": trace_id.hex(), "key": found.keys_in_order(), "attributes": found.attributes()}


def show_span(session: QuerySession, trace_id: bytes, key: str, now_ns: int) -> TraceSpan:
    """Answer ``GET /api/v1/traces/{trace_id}/spans/{key}``: a span in full, without its place in the tree."""
    span_id = id_in_key(key)
    spans = read_spans(session, trace_id, now_ns, span_id) if span_id else None
    for place, own in enumerate(spans.keys() if spans else ()):
        if spans and own == key:
            return {"key": key, **spans.as_json(place)}
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
    """A trace's spans and their tree, which says by ``index`` which of the spans each is; places count in the tree."""

    read: TraceSpans
    tree: TreeLists
    keys: Sequence[str]

    def head(self, session: QuerySession, trace_id: bytes) -> TraceHead:
        """Return what is said of the trace as a whole."""
        errors = sum(self.read.lists.failed)
        states = Counter(self.read.states)
        return {
            "trace_id": trace_id.hex(),
            "start_time": format_time(self.tree.begin_ns),
            "duration_ns": self.tree.length_ns,
            "span_count": self.read.count,
            "error_count": errors,
            "running_count": states[RUNNING],
            "lost_count": states[LOST],
            "duplicate_spans": self.read.copies,
            "services": self._services(session),
            "warnings": cast("list[Warn]", self.tree.warnings),
            "failure": self._failure(session, trace_id) if errors else None,
        }

    def _services(self, session: QuerySession) -> list[ServiceTime]:
        """Return the services of the trace in the order in which they come up."""
        numbers, names = numbered([*map(self.read.lists.services.__getitem__, self.tree.index)])
        failed = map(self.read.lists.failed.__getitem__, self.tree.index)
        spans, errors, own_ns = Counter(numbers), Counter(compress(numbers, failed)), [0] * len(names)
        for number, self_time_ns in zip(numbers, self.tree.self_time_ns, strict=True):
            own_ns[number] += self_time_ns
        return [
            {"service": name, "slot": session.service_slot(name), "spans": spans[number], "errors": errors[number],
             "self_time_ns": own_ns[number]}
            for number, name in enumerate(names)
        ]  # fmt: skip

    def _failure(self, session: QuerySession, trace_id: bytes) -> Failure | None:
        """Return where and why the trace failed; only what tells of it is read in full."""
        rows = self._failed_and_below()
        return failure(
            *(session, trace_id, [*self._failing_places(rows)]),
            lambda at: self._of_few(rows[at]),
            lambda at: self._exceptions(rows[at]),
        )

    def _failed_and_below(self) -> list[int]:
        """Return the rows of the spans that failed, and of all below them: no others tell where a failure began."""
        depth, failed = self.tree.depth, map(self.read.lists.failed.__getitem__, self.tree.index)
        rows: list[int] = []
        for failing in compress(count(), failed):
            if not rows or failing > rows[-1]:
                end, above = failing + 1, depth[failing]
                while end < len(depth) and depth[end] > above:
                    end += 1
                rows += range(failing, end)
        return rows

    def _failing_places(self, rows: Sequence[int]) -> Iterator[Place]:
        """Yield where spans stand, as the search for a failure reads it."""
        tree, read = self.tree, self.read
        indexes = [tree.index[row] for row in rows]
        parents = [tree.parent[row] for row in rows]
        return map(
            Place,
            map(self.keys.__getitem__, indexes),
            (None if parent < 0 else self.keys[tree.index[parent]] for parent in parents),
            map(tree.depth.__getitem__, rows),
            map(tree.start_ns.__getitem__, rows),
            map(read.lists.kinds.__getitem__, indexes),
            map(read.statuses.__getitem__, indexes),
        )

    def _of_few(self, place: int) -> TreeSpan:
        """Return a span in full; of a large trace by itself, since few are asked for."""
        index = self.tree.index[place]
        span = self.read.as_json(index) if self.read.count <= _FEW else self.read.alone(index)
        return self._placed(span, place, self._places(slice(place, place + 1)), 0)

    def _exceptions(self, place: int) -> Sequence[Mapping[str, Any]]:
        """Return the events of a span that tell of an exception, counted from where it was placed."""
        events = [event for event in self.read.events(self.tree.index[place]) if tells_exception(event)]
        if self.tree.start_unknown[place]:
            self._place_events(cast("list[dict[str, Any]]", events), place)
        return events

    def keys_in_order(self) -> list[str]:
        """Return the keys in the order of the tree."""
        return [self.keys[at] for at in self.tree.index]

    def wholes(self) -> list[TreeSpan]:
        """Return all spans in full, with their places in the tree."""
        fields, read = self._places(), self.read
        return [self._placed(read.as_json(index), at, fields, at) for at, index in enumerate(self.tree.index)]

    def called(self) -> Iterator[tuple[str, str, str]]:
        """Yield of all spans service, name, and what they call as far as the name does not say it."""
        read, names = self.read, self.read.stored.columns["name"]
        _, targets = read.stored.called_all()
        for index in self.tree.index:
            row = read.rows[index]
            brief = read.brief(index) if row is None else {"name": names[row] or "", "target": targets[row]}
            yield read.lists.services[index], brief["name"], brief["target"]

    def fields(self, critical: list[list[list[int]]] | None = None) -> dict[str, Sequence[Any] | Texts]:
        """Return what a waterfall draws of all spans, as one list a field, in the order of the tree.

        ``critical`` stands in the place of what was waited for, where that is told in another way.
        """
        return {**self._own_fields(), "key": self.keys_in_order(), **self._places(critical=critical)}

    def critical(self) -> tuple[list[list[list[int]]], list[int]]:
        """Return what was waited for of each span, nothing of those of which all was; and the rows of these."""
        tree, begin_ns = self.tree, self.tree.begin_ns
        found: list[list[list[int]]] = [[]] * self.read.count
        whole = []
        for row, parts in enumerate(tree.critical):
            if len(parts) == 1 and parts[0][1] - parts[0][0] == tree.duration_ns[row]:
                whole.append(row)
            elif parts:
                found[row] = [[start_ns - begin_ns, end_ns - start_ns] for start_ns, end_ns in parts]
        return found, whole

    def _places(self, only: slice = slice(None), critical: list[list[list[int]]] | None = None) -> dict[str, list[Any]]:
        """Return where spans stand in the tree, as one list a field."""
        tree, start_ns = self.tree, self.tree.begin_ns
        if critical is None:
            critical = [
                [[part_ns - start_ns, end_ns - part_ns] for part_ns, end_ns in parts] for parts in tree.critical[only]
            ]
        return {
            "depth": [*tree.depth[only]],
            "offset_ns": [at_ns - start_ns for at_ns in tree.start_ns[only]],
            "duration_ns": [*tree.duration_ns[only]],
            "self_time_ns": [*tree.self_time_ns[only]],
            "critical": critical,
            "awaited": [*tree.awaited[only]],
            "skew_ns": [*tree.skew_ns[only]],
            "start_unknown": [*tree.start_unknown[only]],
            "orphan": [*tree.orphan[only]],
            "children": [*tree.children[only]],
        }

    def _own_fields(self) -> Mapping[str, Sequence[Any] | Texts]:
        """Return what spans say of themselves: of stored ones read together, of the few others one by one."""
        rows = [*map(self.read.rows.__getitem__, self.tree.index)]
        if None not in rows and True not in self.tree.start_unknown:  # nearly always
            return taken(self.read.stored.coded_briefs(), cast("list[int]", rows))
        alone = [
            (place, self._brief(place))
            for place, (row, unknown) in enumerate(zip(rows, self.tree.start_unknown, strict=True))
            if row is None or unknown
        ]
        briefs = self.read.stored.briefs()
        fields = {name: [None if row is None else column[row] for row in rows] for name, column in briefs.items()}
        for place, brief in alone:
            for name, column in fields.items():
                column[place] = brief[name]
        return fields

    def _brief(self, place: int) -> dict[str, Any]:
        """Return what a span says of itself, its events from where it was placed."""
        brief = self.read.brief(self.tree.index[place])
        if self.tree.start_unknown[place]:
            self._place_events(brief["events"], place)
        return brief

    def attributes(self) -> list[IndexedAttribute]:
        """Return by which attributes spans are found."""
        places = [-1] * self.read.stored.count
        opened: list[tuple[int, Mapping[str, Any]]] = []
        for place, index in enumerate(self.tree.index):
            row = self.read.rows[index]
            if row is None:
                opened.append((place, self.read.as_json(index)["attributes"]))
            else:
                places[row] = place
        return attribute_index(self.read.stored, places, opened)

    def _placed(self, read: HeardSpan, place: int, fields: Mapping[str, Sequence[Any]], at: int) -> TreeSpan:
        """Add a span's place in the tree, which ``fields`` have ``at``, to what is said of it."""
        span, index, parent = cast("dict[str, Any]", read), self.tree.index, self.tree.parent[place]
        if self.tree.start_unknown[place]:
            self._place_events(span["events"], place)
        span["key"] = self.keys[index[place]]
        for name, column in fields.items():
            span[name] = column[at]
        del span["trace_id"]
        span["parent_key"] = None if parent < 0 else self.keys[index[parent]]
        return cast("TreeSpan", span)

    def _place_events(self, events: Iterable[dict[str, Any]], place: int) -> None:
        """Count events of a span without a known start from where it was placed, as far as their time is known."""
        start_ns = self.read.lists.starts_ns[self.tree.index[place]]
        for event in events:
            time_ns = start_ns + event["offset_ns"]
            if time_ns >= EARLIEST_NS:
                event["offset_ns"] = time_ns - self.tree.start_ns[place]


def arrange(session: QuerySession, trace_id: bytes, now_ns: int) -> Arranged:
    """Read a trace and build its tree; BadQuestionError (not_found) when no span has the id."""
    read = read_spans(session, trace_id, now_ns)
    if not read.count:
        raise _nothing(trace_id)
    return Arranged(read, tree_of(read.lists), read.keys())
