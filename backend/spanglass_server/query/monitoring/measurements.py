"""Measurements as rows, and pages of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import orjson

from spanglass_server.query.answers import Time, TimeRange
from spanglass_server.query.cursors import Cursor
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of, union_all
from spanglass_server.query.language.expressions import field_expression
from spanglass_server.query.monitoring.kinds import OF_SPANS, kind_of_metric
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import describe
from spanglass_server.signals import AttributeColumn, Signal, quote_identifier, quote_text
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.store.ports import QuerySession

_ORDER = "time"
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_POINT_COLUMNS = (
    *("metric_name", "metric_unit", "time_ns", "start_time_ns", "flags", "scope_name"),
    *("value_int", "value_double", "sum", "count"),
)
_SPAN_COLUMNS = ("start_time_ns", "duration_ns", "status_code", "kind")
_VIEW_COLUMNS = (
    *("id", "metric_type", "name", "value", "unit", "timestamp", "service", "host", "source", "dimensions"),
)
_NO_TEXT = "NULL::VARCHAR"


class Measurement(TypedDict):
    """One measurement, in the columns of ``monitoring_metrics``."""

    id: str
    metric_type: str
    name: str
    value: float | None
    unit: str
    timestamp: Time
    service: str | None
    host: str | None
    source: str | None
    details: dict[str, Any]


class MeasurementPage(TypedDict):
    """The answer of ``GET /api/monitoring/metrics/``."""

    window: TimeRange
    metrics: list[Measurement]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which measurements are asked for; empty texts choose all."""

    window: Window
    kind: str = ""
    service: str = ""
    host: str = ""


def list_measurements(session: QuerySession, choice: Choice, *, limit: int, cursor: str | None) -> MeasurementPage:
    """Return a page of measurements, the newest first."""
    after = Cursor.decode(cursor, _ORDER, id_bytes=16)
    before_ns = choice.window.end_ns if after is None else after.value
    before_id = _LAST_ID if after is None else str(uuid.UUID(bytes=after.id))
    found = rows(
        session,
        statement(
            "monitoring/page",
            measurements=_measurements(session, choice, before_ns, limit + 1),
            kind=Sql("metric_type = ?", (choice.kind,)) if choice.kind else TRUE,
            before_ns=before_ns,
            before_id=before_id,
            limit=limit + 1,
        ),
    )
    page = found[:limit]
    last = Cursor(page[-1]["time_ns"], uuid.UUID(page[-1]["id"]).bytes) if len(found) > limit else None
    return {
        "window": describe(choice.window),
        "metrics": [_measurement(row) for row in page],
        "next_cursor": last.encode(_ORDER) if last else None,
    }


def all_measurements(session: QuerySession) -> str:
    """All measurements of all time, as SQL: what the view ``monitoring_metrics`` is made of."""
    everything = union_all([_points(session, Choice(ALL_TIME)), _requests(session, Choice(ALL_TIME))])
    return f"SELECT {', '.join(_VIEW_COLUMNS)} FROM ({everything.text})"  # noqa: S608 - a view has no parameters


def _measurements(session: QuerySession, choice: Choice, before_ns: int, limit: int) -> Sql:
    """The newest measurements before a time, as many as the limit at least."""
    parts = []
    if choice.kind not in OF_SPANS:
        parts.append(_points(session, _newest(session, choice, before_ns, limit)))
    if not choice.kind or choice.kind in OF_SPANS:
        parts.append(_requests(session, choice))
    return union_all(parts)


def _newest(session: QuerySession, choice: Choice, before_ns: int, limit: int) -> Choice:
    """The same choice from the time on that a page reaches back to: what is older costs no work."""
    sources = _Sources.of(session, Signal.METRICS, choice)
    relation = session.relation(Signal.METRICS, choice.window, ["time_ns", "metric_name", *sources.columns])
    where = all_of([sources.where(choice), _of_kind(choice.kind)])
    sql = statement("monitoring/edge", relation=Sql(relation), where=where, before_ns=before_ns, limit=limit)
    edge_ns = rows(session, sql)[0]["time_ns"]
    start_ns = choice.window.start_ns if edge_ns is None else edge_ns
    return Choice(Window(start_ns, choice.window.end_ns), choice.kind, choice.service, choice.host)


def _of_kind(kind: str) -> Sql:
    if not kind:
        return TRUE
    return Sql(f"({kind_of_metric().text}) = ?", (kind,))


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where service, host and user of a signal's records stand: SQL, and the stored columns that it reads."""

    service: str
    host: str
    user: str
    columns: frozenset[str]

    @classmethod
    def of(cls, session: QuerySession, signal: Signal, choice: Choice) -> _Sources:
        present = session.columns(signal, choice.window)
        found = [field_expression(key, signal, present) for key in ("service.name", "host.name", "user.id")]
        service, host, user = (text if columns else _NO_TEXT for text, columns in found)
        return cls(service, host, user, frozenset().union(*(columns for _, columns in found)))

    def where(self, choice: Choice) -> Sql:
        asked = {self.service: choice.service, self.host: choice.host}
        return all_of([Sql(f"{place} = ?", (text,)) for place, text in asked.items() if text] or [TRUE])


def _points(session: QuerySession, choice: Choice) -> Sql:
    sources = _Sources.of(session, Signal.METRICS, choice)
    attributes = [
        name
        for name in sorted(session.columns(Signal.METRICS, choice.window))
        if (column := AttributeColumn.parse(name)) is not None and column.position in {"point", "resource"}
    ]
    columns = sorted({*_POINT_COLUMNS, *attributes, *sources.columns})
    return statement(
        "monitoring/points",
        kind=kind_of_metric(),
        service=Sql(sources.service),
        host=Sql(sources.host),
        dimensions=Sql(_dimensions(attributes)),
        relation=Sql(session.relation(Signal.METRICS, choice.window, columns)),
        where=all_of([sources.where(choice), _of_kind(choice.kind)]),
    )


def _requests(session: QuerySession, choice: Choice) -> Sql:
    sources = _Sources.of(session, Signal.SPANS, choice)
    sampled = {PROBABILITY} & session.columns(Signal.SPANS, choice.window).keys()
    relation = session.relation(Signal.SPANS, choice.window, sorted({*_SPAN_COLUMNS, *sources.columns, *sampled}))
    return statement(
        "monitoring/requests",
        service=Sql(sources.service),
        host=Sql(sources.host),
        user=Sql(sources.user),
        weight=Sql(WEIGHT if sampled else "1"),
        relation=Sql(relation),
        where=sources.where(choice),
    )


def _dimensions(attributes: Sequence[str]) -> str:
    """The attributes of a point that it has, as a JSON object: merging leaves out what is null."""
    entries = []
    for name in attributes:
        column = AttributeColumn.parse(name)
        if column is not None and column.key:
            entries.append(f"{quote_text(column.key)}, {quote_identifier(name)}")
    return f"json_merge_patch('{{}}'::JSON, json_object({', '.join(entries)}))"


def _measurement(row: dict[str, Any]) -> Measurement:
    return {
        "id": row["id"],
        "metric_type": row["metric_type"],
        "name": row["name"],
        "value": row["value"],
        "unit": row["unit"],
        "timestamp": format_time(row["time_ns"]),
        "service": row["service"],
        "host": row["host"],
        "source": row["source"],
        "details": orjson.loads(row["dimensions"]),
    }
