"""Lines around a log record: what was logged right before and after it, by whom it was, or by all."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, get_args

from spanglass_server.query.answers import JsonSchema
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import format_filter
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.language.parsing.ast import And, Compare, Field, Operator, Value
from spanglass_server.query.record_pages import Place, RecordPage, find_page
from spanglass_server.query.records import match_records
from spanglass_server.query.rows.answers import Log
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.query.language.parsing.ast import Filter
    from spanglass_server.store.ports import QuerySession

#: What lines have in common with the record that they stand around.
Same = Literal["stream", "service", "host", "trace", "all"]
SAME: tuple[Same, ...] = get_args(Same)

#: Attributes that tell one stream of lines from others of the same service, by position.
_STREAM = {
    "resource": (
        *("service.namespace", "service.instance.id", "host.name", "k8s.namespace.name", "k8s.pod.name"),
        *("k8s.container.name", "container.id", "process.pid"),
    ),
    "log": ("log.file.path", "log.file.name", "log.iostream"),
}
_LONGEST = 1_000  # characters of a value that a filter asks for
#: How far from the record lines are looked for, one after the other until there are enough; then as far as there are.
_DISTANCES_NS = tuple(seconds * NS_PER_SECOND for seconds in (60, 3_600, 86_400))
_ID = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16})(?:-([0-9]{1,9}))?")
_EQUALS = 1_000  # records of one time that are looked through at once


class LogsAround(TypedDict):
    """The answer of ``GET /api/v1/logs/{log}/around``: both lists are in the order of time."""

    log: Log
    before: list[Log]
    after: list[Log]
    has_more_before: bool
    has_more_after: bool
    same: Same
    filter: Annotated[str, JsonSchema({"description": "finds the lines that have the same in common"})]


def logs_around(session: QuerySession, log_id: str, *, same: Same, before: int, after: int) -> LogsAround:
    """Answer ``GET /api/v1/logs/{log}/around``: at most so many lines before and after a record.

    BadQuestionError for a record that is not there, or that lacks what the lines should have in common.
    """
    page, place, equals = _find(session, log_id)
    (log,) = _logs(session, page)
    text = format_filter(_in_common(log, same))
    # equal records are counted from where a page begins
    from_above = replace(place, equals=equals - place.equals + 1)
    earlier = _beside(session, text, from_above, before, descending=True)
    later = _beside(session, text, place, after, descending=False)
    return {
        "log": log,
        "before": _logs(session, earlier)[::-1],
        "after": _logs(session, later),
        "has_more_before": earlier.has_more,
        "has_more_after": later.has_more,
        "same": same,
        "filter": text,
    }


def _find(session: QuerySession, log_id: str) -> tuple[RecordPage, Place, int]:
    """Return the page that has one record alone, its place, and how many are equal to it, itself included."""
    found = _ID.fullmatch(log_id)
    time_ns = int(found[1], 16) if found else -1
    if found is None or not ALL_TIME.start_ns <= time_ns < ALL_TIME.end_ns:
        raise BadQuestionError(f"{log_id!r} is no id of a log record", field="log", hint="take the id of an answer")
    records = match_records(session, Signal.LOGS, Window(time_ns, time_ns + 1))
    if not found[3]:
        order = int(found[2], 16)
        records = records.restricted(Sql("arrival_order = ?", (min(order, 2**63 - 1),)), "arrival_order")
    start = None
    while True:
        page = find_page(session, records, start, _EQUALS, descending=False)
        for row, place in enumerate(page.places):
            if place.id == log_id:
                return RecordPage(page.table.slice(row, 1), [place], has_more=False), place, _equals_of(page, place)
        if not page.has_more:
            hint = "it may be past its retention; search for it again"
            raise BadQuestionError(f"there is no log record {log_id}", field="log", hint=hint, code="not_found")
        start = page.places[-1]


def _equals_of(page: RecordPage, place: Place) -> int:
    return max(other.equals for other in page.places if other.key == place.key)


def _logs(session: QuerySession, page: RecordPage) -> list[Log]:
    table = LogRows(page.table, session.service_slot)
    return [table.as_json(row, place.id) for row, place in enumerate(page.places)]


def _beside(session: QuerySession, filter_text: str, place: Place, count: int, *, descending: bool) -> RecordPage:
    """Return the lines on one side of a place, the nearest first; near ones are found without looking at all."""
    for distance_ns in (*_DISTANCES_NS, ALL_TIME.end_ns):
        first_ns = place.time_ns - (distance_ns if descending else 0)
        last_ns = place.time_ns + (1 if descending else distance_ns)
        records = match_records(session, Signal.LOGS, clamp(first_ns, last_ns), filter_text)
        page = find_page(session, records, place, count, descending=descending)
        if page.has_more:
            break
    return page


def _in_common(log: Log, same: Same) -> Filter:
    """Return the filter of the lines that have the same in common with a record."""
    service = _equals("service.name", log["service"])
    match same:
        case "all":
            return And(())
        case "service":
            return service
        case "trace":
            return _equals("trace_id", _there(log["trace_id"], "trace"))
        case "host":
            return _equals("resource.host.name", _there(log["resource"].get("host.name"), "host.name"))
        case "stream":
            told: Mapping[str, Any] = {"resource": log["resource"], "log": log["attributes"]}
            values = {
                f"{position}.{key}": value
                for position, keys in _STREAM.items()
                for key in keys
                if _can_be_asked(value := told[position].get(key))
            }
            return And((service, *(_equals(key, value) for key, value in values.items()))) if values else service


def _there(value: Any, name: str) -> Any:
    if not _can_be_asked(value):
        hint = f"ask for another one of {', '.join(SAME)}"
        raise BadQuestionError(f"the record has no {name}, so no lines are of the same", field="same", hint=hint)
    return value


def _can_be_asked(value: Any) -> bool:
    is_single = isinstance(value, str | int) and not isinstance(value, bool)
    return is_single and 0 < len(str(value)) <= _LONGEST


def _equals(key: str, value: str | int) -> Compare:
    return Compare(Field(key), Operator.EQUAL, Value(str(value), quoted=isinstance(value, str)))
