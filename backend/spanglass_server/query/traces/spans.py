"""Span search, and matching spans counted by attributes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypedDict

import pyarrow as pa

from spanglass_server.query.answers import Attributes, NextCursor, Percentiles, SampledShare, Time
from spanglass_server.query.cursors import Cursor
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.kept_columns.groups import kept_groups
from spanglass_server.query.language import FilterError, field_expression
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.matching import Matching, SpanQuestion, match_spans
from spanglass_server.query.rows.answers import Span, TracesDataPage
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.rows.otlp_json import traces_data
from spanglass_server.query.rows.span_rows import SpanRows
from spanglass_server.query.services.estimates import PROBABILITY, estimate, sampled_share
from spanglass_server.query.services.services import percentiles
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.traces.identity import COLUMNS, PARTS, SELECTED, Identity, of_row
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal, quote_identifier
from spanglass_server.store.ports import OfTraces
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.query.traces.search import Page
    from spanglass_server.store.ports import QuerySession

#: What spans can be sorted by.
SORTS = {"time": Sql("start_time_ns"), "duration": Sql("duration_ns")}
MAX_GROUP_KEYS = 4

#: What decides among spans of one sort value, and how a cursor has it: ids, kind, start and duration, then the service.
_TIES = {"trace_id": "trace_id", **PARTS}
_PLACE = struct.Struct(">16s8sBQQ")

Found = dict[str, Any]


class SpanList(TypedDict):
    """The answer of ``GET /api/v1/spans``."""

    spans: list[Span]
    next_cursor: NextCursor


class SpanGroup(Percentiles):
    """Spans that have the same values."""

    by: Attributes
    spans: int
    errors: int
    sampled_share: SampledShare
    last_time: Time


class SpanGroups(TypedDict):
    """The answer of ``GET /api/v1/spans/groups``."""

    groups: list[SpanGroup]


def search_spans(
    session: QuerySession, question: SpanQuestion, page: Page, *, as_otlp: bool = False
) -> SpanList | TracesDataPage:
    """Answer ``GET /api/v1/spans``: first the ids of the page, then whole spans. One sent twice is shown once.

    With ``as_otlp`` the spans are those of ``TracesData`` in OTLP/JSON, those sent twice as often as they are stored.
    """
    matching = match_spans(session, question)
    found = _find(session, matching, page)
    shown = found[: page.limit]
    table = _whole(session, shown)
    next_cursor = None if len(found) <= page.limit else _cursor(shown[-1]).encode(page.order)
    if as_otlp:
        return {**traces_data(_in_order(session, table, shown)), "next_cursor": next_cursor}
    return {"spans": _spans(session, table, shown), "next_cursor": next_cursor}


def _find(session: QuerySession, matching: Matching, page: Page) -> list[Found]:
    """Return the ids of the page's spans with one more when there is one."""
    direction = "DESC" if page.descending else "ASC"
    after = Cursor.decode(page.cursor, page.order)
    return rows(
        session,
        statement(
            "found_spans",
            value=SORTS[page.sort],
            identity=SELECTED,
            relation=matching.relation(session, ("trace_id", *COLUMNS)),
            where=matching.predicate,
            after=_after(after, SORTS[page.sort], descending=page.descending),
            order=Sql(", ".join(f"{name} {direction}" for name in ("value", *_TIES))),
            count=page.limit + 1,
        ),
    )


def _after(cursor: Cursor | None, value: Sql, *, descending: bool) -> Sql:
    """Write that a span comes after the cursor; the first comparison is what storage can skip by."""
    if cursor is None:
        return TRUE
    sign = "<" if descending else ">"
    ties = f"({', '.join(_TIES.values())}) {sign} ({', '.join('?' * len(_TIES))})"
    text = f"{value.text} {sign}= ? AND ({value.text} {sign} ? OR {ties})"
    return Sql(text, (cursor.value, cursor.value, *_place(cursor.id)))


def _place(packed: bytes) -> tuple[bytes, bytes, int, str, int, int]:
    """Read the values of ``_TIES`` from a cursor; BadQuestionError for one of other pages."""
    try:
        trace_id, span_id, kind, start_ns, duration_ns = _PLACE.unpack_from(packed)
        return trace_id, span_id, kind, packed[_PLACE.size :].decode(), start_ns, duration_ns
    except (struct.error, ValueError) as error:
        raise BadQuestionError(
            "this is not a cursor of these pages", field="cursor", hint="leave it out to begin again"
        ) from error


def _cursor(row: Found) -> Cursor:
    place = _PLACE.pack(row["trace_id"], row["span_id"], row["kind"], row["start_ns"], row["duration_ns"])
    return Cursor(row["value"], place + row["service"].encode())


def _whole(session: QuerySession, found: Sequence[Found]) -> pa.Table:
    """Fetch the spans found with all their columns, and perhaps a few others of the same ids."""
    if not found:
        return pa.table({})
    starts = [row["start_ns"] for row in found]
    trace_ids = {row["trace_id"] for row in found}
    window = clamp(min(starts), max(starts) + 1)
    return session.trace_rows(Signal.SPANS, window, OfTraces(trace_ids, {row["span_id"] for row in found}))


def _spans(session: QuerySession, table: pa.Table, found: Sequence[Found]) -> list[Span]:
    """Show each span once, in the order of the page."""
    whole = SpanRows(table, session.service_slot)
    rows_of = {key: row for row, key in reversed([*enumerate(_keys_of(whole))])}
    return [whole.as_json(rows_of[key]) for key in dict.fromkeys(map(_key, found)) if key in rows_of]


def _in_order(session: QuerySession, table: pa.Table, found: Sequence[Found]) -> pa.Table:
    """Return the rows of the page's spans in its order."""
    if not found:
        return table
    places = {key: place for place, key in enumerate(dict.fromkeys(map(_key, found)))}
    keys = _keys_of(SpanRows(table, session.service_slot))
    kept = sorted((places[key], row) for row, key in enumerate(keys) if key in places)
    return table.take([row for _, row in kept])


def _key(row: Found) -> tuple[bytes, Identity]:
    """Return what identifies a span that was found."""
    return row["trace_id"], of_row(row)


def _keys_of(whole: SpanRows) -> list[tuple[bytes, Identity]]:
    """Return what identifies each of some whole spans."""
    return [(whole.value("trace_id", row), whole.identity(row)) for row in range(whole.count)]


def group_spans(session: QuerySession, question: SpanQuestion, keys: Sequence[str], limit: int) -> SpanGroups:
    """Answer ``GET /api/v1/spans/groups``: spans that lack a key are a group of their own, with null there."""
    if not keys:
        raise BadQuestionError("name the keys to group by", field="by", hint="for example by=service.name,error.type")
    matching = match_spans(session, question)
    expressions = [_expression(key, matching) for key in keys]
    columns = {"status_code", "duration_ns"}.union(*(read for _, read in expressions))
    names = [quote_identifier(f"key {place}") for place in range(len(keys))]
    values = {name: Sql(text) for name, (text, _) in zip(names, expressions, strict=True)}
    if PROBABILITY in matching.known:
        relation = matching.relation(session, {*columns, PROBABILITY})
        found = estimate(session, relation, matching.predicate, values, limit=limit)
    else:
        found = _exact_groups(session, matching, values, columns, limit)
    return {"groups": [_group(row, keys) for row in found]}


def _exact_groups(
    session: QuerySession, matching: Matching, values: Mapping[str, Sql], columns: Collection[str], limit: int
) -> list[Found]:
    """Measure groups of spans all of which were kept."""
    found = kept_groups(session, matching, list(values.values()), limit)
    if found is not None:
        return found
    return rows(
        session,
        statement(
            "span_groups",
            keys=Sql(", ".join(f"{sql.text} AS {name}" for name, sql in values.items())),
            names=Sql(", ".join(values)),
            relation=matching.relation(session, columns),
            where=matching.predicate,
            count=limit,
        ),
    )


def _expression(key: str, matching: Matching) -> tuple[str, frozenset[str]]:
    """Return the SQL of a key; an error in it is one of the parameter ``by``."""
    try:
        return field_expression(key, Signal.SPANS, matching.known)
    except FilterError as error:
        raise BadQuestionError(f"{key!r} is not a key: {error}", field="by", hint=error.hint) from error


def _group(row: dict[str, Any], keys: Sequence[str]) -> SpanGroup:
    """One group of the answer."""
    return {
        "by": {key: json_value(row[f"key {place}"]) for place, key in enumerate(keys)},
        "spans": row["requests"],
        "errors": row["errors"],
        **percentiles(row),
        "sampled_share": sampled_share(row.get("stored"), row["requests"]),
        "last_time": format_time(row["last_ns"]),
    }
