"""Whole spans: all their stored columns, and the JSON that the API shows of one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from spanglass_core import attribute_names as names
from spanglass_core.ids import id_or_none
from spanglass_core.traces.trace_times import EARLIEST_NS, horizon_ns
from spanglass_server.query.language.intrinsics import STATUSES
from spanglass_server.query.one_trace.columns import MOST_TEXT, Texts
from spanglass_server.query.one_trace.reasons import reason, tells_exception
from spanglass_server.query.rows.plain_attributes import encoded
from spanglass_server.query.rows.stored_rows import Rows
from spanglass_server.query.traces.identity import Identity, kind_name
from spanglass_server.query.traces.targets import Targets
from spanglass_server.service_names import SERVICE, service_name
from spanglass_server.times import format_time, format_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from spanglass_server.query.answers import SpanKind, SpanStatus
    from spanglass_server.query.rows.answers import Dropped, Event, HeardSpan, Link, Scope, Span
    from spanglass_server.query.rows.log_rows import LogRows
    from spanglass_server.query.rows.plain_attributes import PlainAttributes
    from spanglass_server.query.traces.announcements import OpenSpan

Name = TypeVar("Name")
_ERROR = "error"
#: What a brief exception has of its attributes: as they are, and only that they are there.
_KEPT = {"exception.type", "exception.message", names.EXCEPTION_OCCURRENCE_ID, names.EXCEPTION_HANDLED}
_EMPTIED = {"exception.stacktrace", names.EXCEPTION_CHAIN}
_MOST_MESSAGE = 300
#: Spans up to which whole columns take longer to begin with than to read.
_FEW = 200
_MOST_EVENTS = 80
#: What a waterfall takes of a span as it is.
_BRIEF = ("name", "service", "kind", "status", "status_message", "state", "last_heard_time")


class SpanRows(Rows):
    """A table of whole spans. ``slot_of`` gives a service's colour slot."""

    def __init__(self, table: pa.Table, slot_of: Callable[[str], int]) -> None:
        super().__init__(table)
        self.slot_of = slot_of

    @cached_property
    def _start_times(self) -> list[str]:
        return format_times(self.columns["start_time_ns"])

    @cached_property
    def services(self) -> list[str]:
        """The names of all spans' services."""
        return _each(service_name, self.columns[SERVICE])

    @cached_property
    def kinds(self) -> list[SpanKind]:
        """The kinds of all spans."""
        return _each(kind_name, self.columns["kind"])

    @cached_property
    def statuses(self) -> list[SpanStatus]:
        """The statuses of all spans in words."""
        return _each(_status, self.columns["status_code"])

    def only(self, row: int) -> SpanRows:
        """Return one of the rows by itself: to read it costs nothing for the others."""
        return SpanRows(self.table.slice(row, 1), self.slot_of)

    def service(self, row: int) -> str:
        """Return the name of the span's service."""
        return service_name(self.columns[SERVICE][row])

    def identity(self, row: int) -> Identity:
        """Return what tells the span from others of its trace."""
        return Identity(
            self.value("span_id", row),
            kind_name(self.value("kind", row)),
            self.service(row),
            self.value("start_time_ns", row),
            self.value("duration_ns", row),
        )

    def parent_id(self, row: int) -> bytes | None:
        """Return the id of the span's parent, None where it has none; zeros are no id."""
        return id_or_none(self.value("parent_span_id", row))

    def status(self, row: int) -> SpanStatus:
        """Return the span's status in words."""
        return _status(self.value("status_code", row))

    def as_json(self, row: int) -> Span:
        """Make a span as the API shows it, without its place in a tree."""
        service = self.service(row)
        columns, plain = self.columns, self.plain
        start_ns, duration_ns = columns["start_time_ns"][row], columns["duration_ns"][row]
        start_unknown = start_ns < EARLIEST_NS and start_ns < horizon_ns(start_ns + duration_ns)
        span: Span = {
            "trace_id": columns["trace_id"][row].hex(),
            "span_id": columns["span_id"][row].hex(),
            "parent_span_id": _hex(self.parent_id(row)),
            "service": service,
            "slot": self.slot_of(service),
            "name": columns["name"][row] or "",
            "kind": kind_name(columns["kind"][row]),
            "start_time": self._start_times[row],
            "start_unknown": start_unknown,
            "duration_ns": 0 if start_unknown else duration_ns,
            "status": self.status(row),
            "status_message": columns["status_message"][row] or "",
            "reason": None,
            "attributes": plain.of_record("span", row),
            "resource": plain.of_record("resource", row),
            "scope": self._scope(row),
            "events": self.events(row),
            "links": self._links(row),
            "trace_state": columns["trace_state"][row] or "",
            "flags": columns["flags"][row] or 0,
            "dropped": self._dropped(row),
        }
        if span["status"] == _ERROR:
            span["reason"] = reason(span)
        return span

    def brief(self, row: int) -> dict[str, Any]:
        """Make of a span what a waterfall draws, without its place in a tree (``Columns`` of traces/columns.py)."""
        columns = self.columns
        span = {
            "name": columns["name"][row] or "",
            "service": self.service(row),
            "kind": kind_name(columns["kind"][row]),
            "status": self.status(row),
            "status_message": columns["status_message"][row] or "",
            "attributes": self.plain.of_record("span", row),
            "events": self.events(row),
            "state": "ended",
            "last_heard_time": None,
        }
        return brief_json(span, self._targets)

    def briefs(self) -> Mapping[str, Sequence[Any]]:
        """Make the same of all spans, as one list a field; equal calls are read once."""
        columns, rows = self.columns, range(self.count)
        times = columns["event_time_ns"]
        query, target = self.called_all()
        return {
            "name": [name or "" for name in columns["name"]],
            "service": self.services,
            "kind": self.kinds,
            "status": self.statuses,
            "status_message": [message or "" for message in columns["status_message"]],
            "state": ["ended"] * self.count,
            "last_heard_time": [None] * self.count,
            "query": query,
            "target": target,
            "events": [brief_events(self.undated_events(row)) if times[row] else [] for row in rows],
        }

    def coded_briefs(self) -> Mapping[str, Sequence[Any] | Texts]:
        """Make the same with texts by number, of many spans: those are numbered in their columns already."""
        if self.count <= _FEW:
            return self.briefs()
        times, none = self.columns["event_time_ns"], [None] * self.count
        return {
            "name": self._texts("name", lambda name: name or ""),
            "service": self._texts(SERVICE, service_name),
            "kind": self._texts("kind", kind_name),
            "status": self._texts("status_code", _status),
            "status_message": [message or "" for message in self.columns["status_message"]],
            "state": ["ended"] * self.count,
            "last_heard_time": none,
            **self._called(),
            "events": [brief_events(self.undated_events(row)) if times[row] else [] for row in range(self.count)],
        }

    def _texts(self, column: str, named: Callable[[Any], str]) -> Texts:
        """Name the values of a column; the last of the texts is that of none."""
        if column not in self.table.column_names:
            return Texts.of(np.full(self.count, -1), [named(None)])
        codes, values = encoded(self.table[column])
        return Texts.of(codes, [*map(named, values.to_pylist()), named(None)])

    def _called(self) -> Mapping[str, Sequence[str] | Texts]:
        """Return the text of the query and the target of all spans by number, where equal calls are known."""
        kinds = self.plain.kinds("span", self._targets.keys, ("name", "kind"))
        if kinds is None:
            return dict(zip(("query", "target"), self.called_all(), strict=True))
        of_row, found = np.asarray(kinds.of_row), self._calls(kinds.firsts, kinds.attributes)
        return {
            name: Texts.of(of_row, texts)
            for name, texts in zip(("query", "target"), zip(*found, strict=True), strict=True)
        }

    def called_all(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return the text of the query and the target of all spans; equal calls are read once."""
        kinds = self.plain.kinds("span", self._targets.keys, ("name", "kind"))
        if kinds is None:
            found = self._calls(range(self.count), self.plain)
        else:
            of_kind = self._calls(kinds.firsts, kinds.attributes)
            found = [of_kind[kind] for kind in kinds.of_row]
        return [query for query, _ in found], [target for _, target in found]

    def _calls(self, rows: Sequence[int], attributes: PlainAttributes) -> list[tuple[str, str]]:
        """Return the text of the query and the target of some rows, whose attributes are in their order."""
        targets, names, numbers = self._targets, self.columns["name"], self.columns["kind"]
        found = []
        for place, row in enumerate(rows):
            own = attributes.of_record("span", place)
            target = targets.target(names[row] or "", kind_name(numbers[row]), own)
            found.append((targets.query(own)[:MOST_TEXT], target))
        return found

    @cached_property
    def _targets(self) -> Targets:
        return Targets(self.plain.keys("span"))

    def _dropped(self, row: int) -> Dropped:
        columns = self.columns
        return {
            "attributes": columns["dropped_attributes_count"][row] or 0,
            "events": columns["dropped_events_count"][row] or 0,
            "links": columns["dropped_links_count"][row] or 0,
        }

    def _scope(self, row: int) -> Scope:
        return {
            "name": self.value("scope_name", row) or "",
            "version": self.value("scope_version", row) or "",
            "attributes": self.plain.of_record("scope", row),
        }

    def events(self, row: int) -> list[Event]:
        """Return a span's events as the API shows them."""
        times = map(format_time, self.items("event_time_ns", row))
        return [{"time": time, **event} for time, event in zip(times, self.undated_events(row), strict=True)]  # type: ignore[typeddict-item]

    def undated_events(self, row: int) -> list[dict[str, Any]]:
        """Return the same without their times, which take half of the time: of a large trace all are looked at."""
        times = self.items("event_time_ns", row)
        if not times:
            return []
        names, attributes = self.items("event_name", row), self.plain.of_item
        start_ns = self.value("start_time_ns", row)
        return [
            {
                "offset_ns": time_ns - start_ns if time_ns else 0,
                "name": name or "",
                "attributes": attributes("event", row, index),
            }
            for index, (time_ns, name) in enumerate(zip(times, names, strict=True))
        ]

    def _links(self, row: int) -> list[Link]:
        trace_ids = self.items("link_trace_id", row)
        if not trace_ids:
            return []
        span_ids = self.items("link_span_id", row)
        return [
            {
                "trace_id": trace_id.hex(),
                "span_id": span_id.hex(),
                "attributes": self.plain.of_item("link", row, index),
            }
            for index, (trace_id, span_id) in enumerate(zip(trace_ids, span_ids, strict=True))
            if id_or_none(trace_id) and id_or_none(span_id)
        ]


def open_span_json(span: OpenSpan, records: LogRows, row: int) -> HeardSpan:
    """Make a span that has not ended as the API shows it, from its newest announcement: what it had by then."""
    announcement = records.as_json(row, "")
    said = announcement["attributes"]
    shown: HeardSpan = {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": _hex(span.parent_id),
        "service": span.service,
        "slot": announcement["slot"],
        "name": span.name,
        "kind": span.kind,
        "start_time": format_time(span.start_ns),
        "start_unknown": False,
        "duration_ns": span.duration_ns,
        "status": span.status,
        "status_message": said.get(names.SPAN_STATUS_MESSAGE, ""),
        "reason": None,
        "attributes": {key: value for key, value in said.items() if key not in names.SPAN_ANNOUNCEMENT_KEYS},
        "resource": announcement["resource"],
        "scope": announcement["scope"],
        "events": [],
        "links": [],
        "trace_state": "",
        "flags": records.value("flags", row) or 0,
        "dropped": {"attributes": 0, "events": 0, "links": 0},
        "state": span.state,
        "last_heard_time": format_time(span.heard_ns),
    }
    if span.status == _ERROR:
        shown["reason"] = reason(shown)
    return shown


def brief_json(span: Mapping[str, Any], targets: Targets | None = None) -> dict[str, Any]:
    """Make of a span as the API shows it what a waterfall draws."""
    attributes = span["attributes"]
    targets = targets or Targets(attributes)
    return {
        **{name: span[name] for name in _BRIEF},
        "query": targets.query(attributes)[:MOST_TEXT],
        "target": targets.target(span["name"], span["kind"], attributes),
        "events": brief_events(span["events"]),
    }


def brief_events(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Make of events what a bar has room for."""
    return [_brief_event(event) for event in _few(events)]


def _few(events: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Leave out what no bar has room for: all but the first events and all exceptions."""
    if len(events) <= _MOST_EVENTS:
        return events
    return [event for place, event in enumerate(events) if place < _MOST_EVENTS or tells_exception(event)]


def _brief_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Make of an event where it was; of an exception also what tells it from others, its texts cut or empty."""
    attributes = event["attributes"]
    brief = {key: _cut(attributes[key], _MOST_MESSAGE) for key in sorted(_KEPT & attributes.keys())}
    brief |= dict.fromkeys(sorted(_EMPTIED & attributes.keys()), "")
    return {"offset_ns": event["offset_ns"], "name": event["name"], "attributes": brief}


def _cut(value: Any, most: int) -> Any:
    return value[:most] if isinstance(value, str) else value


def _status(code: int | None) -> SpanStatus:
    return STATUSES[min(code or 0, len(STATUSES) - 1)]


def _each(named: Callable[[Any], Name], values: Sequence[Any]) -> list[Name]:
    """Name each value; equal ones once."""
    names = {value: named(value) for value in set(values)}
    return [names[value] for value in values]


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
