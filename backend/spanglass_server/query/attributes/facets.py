"""Values of keys with counts: facets of a search, and completion of a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from spanglass_server.query.answers import Slot
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language import fixed_values, format_filter, parse_field, parse_filter
from spanglass_server.query.language.choices import choice_of, with_choice
from spanglass_server.query.language.compiling.pins import IS, PINNED
from spanglass_server.query.language.compiling.relations import IN_TRACES, TRACE_SERVICES
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.records import Records, match_records
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.statements import rows, statement
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.language.parsing.ast import Filter
    from spanglass_server.store.ports import QuerySession, Window

#: What is counted when no keys are named. An attribute that no record has is left out.
DEFAULT_KEYS = {
    Signal.SPANS: (
        *("service.name", "name", "kind", "status", "http.request.method", "http.route"),
        *("http.response.status_code", "error.type", "db.system.name", "messaging.destination.name"),
    ),
    Signal.LOGS: ("service.name", "severity", "scope.name", "event_name", "exception.type", "code.function.name"),
    Signal.METRICS: ("service.name", "name", "type", "unit", "scope.name"),
    Signal.OCCURRENCES: ("service", "release", "environment", "type", "handled", "user"),
}
MAX_KEYS = 20
_SERVICE_KEY = "service.name"


class ValueCount(TypedDict):
    """A value, and how many records have it."""

    value: Any
    count: int


class FacetValue(ValueCount):
    """A value of a facet; only values of ``service.name`` have a slot."""

    slot: NotRequired[Slot]


class Facet(TypedDict):
    """The most frequent values of a key, how many different ones there are, and how many records lack it."""

    key: str
    values: list[FacetValue]
    distinct: int
    missing: int


class FacetList(TypedDict):
    """The answer of ``GET /api/v1/facets``."""

    facets: list[Facet]
    total: int


class ValueList(TypedDict):
    """The answer of ``GET /api/v1/values``."""

    values: list[ValueCount]


def count_facets(
    session: QuerySession,
    signal: Signal,
    window: Window,
    *,
    filter_text: str = "",
    keys: Sequence[str] = (),
    limit: int = 10,
    alternatives: bool = False,
) -> FacetList:
    """Answer ``GET /api/v1/facets``: the most frequent values of each key, over the records that match.

    With ``alternatives`` a key whose values the filter chooses is counted without that condition, which is one more
    statement for each such key.
    """
    if len(keys) > MAX_KEYS:
        raise BadQuestionError(f"{len(keys)} keys are too many.", field="keys", hint=f"Name at most {MAX_KEYS} keys.")
    records = match_records(session, signal, window, filter_text)
    expressions = {key: records.expression(key, "keys") for key in (keys or DEFAULT_KEYS[signal])}
    if not keys:
        expressions = {key: found for key, found in expressions.items() if found[1]}
    found = _count(session, records, list(expressions.values()), limit)
    facets = [
        _facet(
            session, key, [row for row in found if row["grouped"] == _mask(index, len(expressions))], f"k{index}", limit
        )
        for index, key in enumerate(expressions)
    ]
    if alternatives and filter_text.strip():
        tree = parse_filter(filter_text)
        facets = [_widened(session, records, facet, tree, limit) for facet in facets]
    return {"facets": facets, "total": int(found[0]["total"]) if found else 0}


def _widened(session: QuerySession, records: Records, facet: Facet, tree: Filter, limit: int) -> Facet:
    """Count a facet's values again without the condition that chooses some of them; as it is where none does."""
    key, signal = facet["key"], records.signal
    choice = choice_of(tree, parse_field(key), signal)
    if choice is None:
        return facet
    wider = match_records(session, signal, records.window, format_filter(with_choice(tree, choice, None)))
    return _facet(session, key, _count(session, wider, [wider.expression(key, "keys")], limit), "k0", limit)


def _mask(index: int, count: int) -> int:
    """Return the ``grouping`` of rows that count one key: all bits but the key's own."""
    return (1 << count) - 1 - (1 << (count - 1 - index))


def _count(
    session: QuerySession, records: Records, expressions: Sequence[tuple[Sql, frozenset[str]]], limit: int
) -> list[dict[str, Any]]:
    """Count the values of all keys, those of each in order; the missing value last."""
    names = [f"k{index}" for index in range(len(expressions))]
    columns = frozenset[str]().union(*(read for _, read in expressions))
    return rows(
        session,
        statement(
            "facets",
            names=Sql(", ".join(names)),
            keys=Sql(", ".join(f"{sql.text} AS {name}" for (sql, _), name in zip(expressions, names, strict=True))),
            sets=Sql(", ".join(f"({name})" for name in names)),
            is_missing=Sql(" AND ".join(f"{name} IS NULL" for name in names)),
            relation=records.relation(session, columns),
            where=records.predicate,
            count=limit,
        ),
    )


def _facet(session: QuerySession, key: str, counted: Sequence[dict[str, Any]], name: str, limit: int) -> Facet:
    """Make the answer's entry of one key."""
    missing = next((row for row in counted if row[name] is None), None)
    values = [row for row in counted if row[name] is not None][:limit]
    return {
        "key": key,
        "values": [_value(session, key, row[name], row["records"]) for row in values],
        "distinct": (counted[0]["groups"] - (missing is not None)) if counted else 0,
        "missing": missing["records"] if missing else 0,
    }


def _value(session: QuerySession, key: str, value: Any, count: int) -> FacetValue:
    """One value of a key; that of a service has its colour."""
    shown: FacetValue = {"value": json_value(value), "count": count}
    if key == _SERVICE_KEY:
        shown["slot"] = session.service_slot(str(value))
    return shown


def complete_values(
    session: QuerySession, signal: Signal, window: Window, key: str, *, prefix: str = "", limit: int = 20
) -> ValueList:
    """Answer ``GET /api/v1/values``: values of a key under all its names that begin with ``prefix``, in any case.

    A field with a fixed list of values (``kind``, ``status``, ``severity``) offers all of them, unseen ones last.
    """
    if key == IS and signal in IN_TRACES:
        return {"values": [{"value": PINNED, "count": 0}] if PINNED.startswith(prefix.lower()) else []}
    records = match_records(session, signal, window)
    key = _SERVICE_KEY if key == TRACE_SERVICES else key
    value, columns = records.expression(key, "key")
    found = rows(
        session,
        statement(
            "values",
            value=value,
            relation=records.relation(session, columns),
            where=records.predicate,
            prefix=prefix,
            count=limit,
        ),
    )
    values: list[ValueCount] = [{"value": json_value(row["value"]), "count": row["records"]} for row in found]
    seen = {str(entry["value"]) for entry in values}
    unseen: list[ValueCount] = [
        {"value": text, "count": 0}
        for text in fixed_values(key, signal)
        if text not in seen and text.startswith(prefix.lower())
    ]
    return {"values": [*values, *unseen][:limit]}
