"""Stacks of a range as they were sent, added up: each different one, and by service and operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.attribute_names import (
    PROFILE_CPU_NANO,
    PROFILE_EVENT,
    PROFILE_OPERATION,
    PROFILE_SAMPLES,
    SPAN_NAME,
)
from spanglass_core.call_trees.stacks import MOST_CHARACTERS, MOST_LINES
from spanglass_server.query.differences.slices import rows_within, slices
from spanglass_server.query.language import parse_filter
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME, is_service
from spanglass_server.query.language.compiling.sql import Sql, all_of, union_all
from spanglass_server.query.own_events import WALL
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import AttributeColumn, Signal, ValueType, quote_identifier
from spanglass_server.store.ports import ALL_TIME, OfTraces

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession, Window

#: Records are texts of a kilobyte: of ranges with more than so many, slices are read.
MOST_RECORDS: Final = 200_000
#: Different stacks that are told apart, those of most time.
MOST_STACKS: Final = 3_000
MOST_OPERATIONS: Final = 5_000
#: Characters of a stack that are read, its innermost lines.
_MOST_TEXT: Final = MOST_LINES * (MOST_CHARACTERS + 1)
WALL_TIME, CPU_TIME = "wall", "cpu"

_SAMPLES = AttributeColumn("log", PROFILE_SAMPLES, ValueType.INT).name
_CPU = AttributeColumn("log", PROFILE_CPU_NANO, ValueType.INT).name
_OPERATION = AttributeColumn("log", PROFILE_OPERATION, ValueType.STR).name
_NAME = AttributeColumn("log", SPAN_NAME, ValueType.STR).name
#: Samples and nanoseconds that one record stands for, at most: eleven days, of a record of ten seconds. Whoever sends
#: more errs, and must not hide the others: sums of so much stay below 63 bits up to 4,000 records, and end there.
_MOST_OF_A_RECORD, _MOST_IN_ALL = 10**15, 4 * 10**18


def _sum(value: str, condition: str) -> str:
    """SQL for the sum of a value, bounded, of the records that have a sensible one."""
    total = f"sum(least({value}, {_MOST_OF_A_RECORD})) FILTER ({condition})"
    return f"CASE WHEN {total} > {_MOST_IN_ALL} THEN {_MOST_IN_ALL} ELSE {total} END::BIGINT"  # least() skips nulls


_SAMPLES_OR_ONE = f"coalesce({quote_identifier(_SAMPLES)}, 1)"
_SUMS = Sql(
    f"coalesce({_sum(_SAMPLES_OR_ONE, f'{_SAMPLES_OR_ONE} > 0')}, 0) AS samples, "
    f"coalesce({_sum(quote_identifier(WALL), f'{quote_identifier(WALL)} > 0')}, 0) AS wall_ns, "
    f"{_sum(quote_identifier(_CPU), f'{quote_identifier(_CPU)} >= 0')} AS cpu_ns"
)
_WEIGHTS = {WALL_TIME: Sql("wall_ns"), CPU_TIME: Sql("coalesce(cpu_ns, 0)")}
_READ = ("body", "event_name", "trace_id", "span_id", SERVICE, WALL, _SAMPLES, _CPU, _OPERATION, _NAME)


@dataclass(frozen=True, slots=True)
class ProfileQuestion:
    """The stacks that are asked for. ``measure`` is what they are ranked by: ``wall`` or ``cpu``.

    ``operation`` is that with which the process began to work, or the span's own. ``span_id`` is one of ``trace_id``,
    and stands for all spans below it, too.
    """

    window: Window
    filter: str = ""
    service: str | None = None
    operation: str | None = None
    trace_id: bytes | None = None
    span_id: bytes | None = None
    measure: str = WALL_TIME


@dataclass(frozen=True, slots=True)
class Profile:
    """Rows with ``samples``, ``wall_ns``, ``cpu_ns`` (None where none is known); ``share`` of the range was read."""

    stacks: Sequence[dict[str, Any]]
    operations: Sequence[dict[str, Any]]
    share: float


def read_profile(session: QuerySession, question: ProfileQuestion) -> Profile:
    """Read the stacks of a question; FilterError for a filter that can't be understood."""
    parse_filter(question.filter)  # so that an error names its place in what was written
    named = f"event_name = {PROFILE_EVENT}"
    text = f"{named} and ({question.filter})" if question.filter.strip() else named
    records = match_records(session, Signal.LOGS, question.window, text)
    if WALL not in records.known:
        return Profile((), (), 1.0)
    parts = [part for part in session.parts(Signal.LOGS, question.window) if WALL in part.columns]
    count = rows_within(parts, question.window)
    share = 1.0 if question.trace_id is not None else min(1.0, MOST_RECORDS / max(count, 1))
    windows = slices(parts, question.window, share)
    read = 1.0 if windows == [question.window] else sum(rows_within(parts, each) for each in windows) / count
    shared = {
        "sums": _SUMS,
        "relation": _relation(session, records, windows, question.trace_id),
        "where": all_of([records.predicate, *_conditions(session, question)]),
        "weight": _WEIGHTS[question.measure],
    }
    stacks = rows(session, statement("profiles/stacks", **shared, count=MOST_STACKS, characters=_MOST_TEXT))
    operations = statement(
        "profiles/operations",
        **shared,
        service=SERVICE_NAME,
        operation=Sql(quote_identifier(_OPERATION)),
        span=Sql(quote_identifier(_NAME)),
        count=MOST_OPERATIONS,
    )
    return Profile(stacks, rows(session, operations), read or 1.0)


def _relation(session: QuerySession, records: Records, windows: Sequence[Window], trace_id: bytes | None) -> Sql:
    columns = sorted({*_READ, *records.columns, records.time})
    trace_ids = records.trace_ids if trace_id is None else (trace_id,)
    pieces = [
        Sql(f"SELECT * FROM {relation}")  # noqa: S608 - made by storage
        for window in windows
        for relation in [session.relation(Signal.LOGS, window, columns, require=(WALL,), trace_ids=trace_ids)]
    ]
    whole = union_all(pieces)
    return Sql(f"({whole.text})", whole.parameters)


def _conditions(session: QuerySession, question: ProfileQuestion) -> list[Sql]:
    found = [Sql("body IS NOT NULL"), Sql(f"{quote_identifier(WALL)} IS NOT NULL")]
    if question.service is not None:
        found.append(is_service(question.service))
    if question.operation is not None:
        equal = f"({quote_identifier(_OPERATION)} = ? OR {quote_identifier(_NAME)} = ?)"
        found.append(Sql(equal, (question.operation, question.operation)))
    if question.trace_id is not None:
        found.append(Sql(f"trace_id IN {one_of([question.trace_id]).text}"))
        if question.span_id is not None:
            below = _below(session, question.trace_id, question.span_id)
            found.append(Sql(f"span_id IN {one_of(below).text}"))
    return found


def _below(session: QuerySession, trace_id: bytes, span_id: bytes) -> Collection[bytes]:
    """The ids of a span and of all below it, as far as they are stored."""
    columns = ("trace_id", "span_id", "parent_span_id")
    table = session.trace_rows(Signal.SPANS, ALL_TIME, OfTraces((trace_id,), columns=columns))
    children: dict[bytes, list[bytes]] = {}
    if table.num_rows and "parent_span_id" in table.column_names:
        for row_trace, own, parent in zip(*(table[name].to_pylist() for name in columns), strict=True):
            if row_trace == trace_id and own and parent:
                children.setdefault(parent, []).append(own)
    found, todo = {span_id}, [span_id]
    while todo:
        for child in children.get(todo.pop(), ()):
            if child not in found:
                found.add(child)
                todo.append(child)
    return sorted(found)
