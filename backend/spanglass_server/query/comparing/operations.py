"""Operations of a service in a stretch of time, beside the one before it: which are new, fail more, or are slower."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from spanglass_server.query.answers import Nanoseconds, SpanKind
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT, estimate
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.traces.identity import kind_name

if TYPE_CHECKING:
    from typing import Any

    from spanglass_server.query.records import Records
    from spanglass_server.store.ports import QuerySession

_MOST = 200


class Figures(TypedDict):
    """Spans of a stretch of time; the 95th percentile is null without any."""

    spans: int
    errors: int
    p95_ns: Nanoseconds | None


class Compared(TypedDict):
    """One operation now and before."""

    operation: str
    kind: SpanKind
    now: Figures
    before: Figures


def compare_operations(session: QuerySession, records: Records, start_ns: int) -> list[Compared]:
    """Spans by name and kind, those from ``start_ns`` on beside the earlier ones; those that took most time first."""
    is_sampled = PROBABILITY in records.known
    columns = (*("name", "kind", "status_code", "duration_ns"), *([PROBABILITY] if is_sampled else []))
    weight = {"weight": Sql(WEIGHT)} if is_sampled else {}
    found = statement(
        "comparing/sampled_operations" if is_sampled else "comparing/operations",
        relation=records.relation(session, columns),
        where=records.predicate,
        start_ns=start_ns,
        count=_MOST,
        **weight,
    )
    return [
        {
            "operation": row["name"],
            "kind": kind_name(row["kind"]),
            "now": _figures(row, "now"),
            "before": _figures(row, "before"),
        }
        for row in rows(session, found)
    ]


def _figures(row: dict[str, Any], when: str) -> Figures:
    p95 = row[f"{when}_p95"]
    return {
        "spans": row[f"{when}_spans"],
        "errors": row[f"{when}_errors"],
        "p95_ns": None if p95 is None else round(p95),
    }


def figures(session: QuerySession, records: Records, start_ns: int) -> tuple[Figures, Figures]:
    """All spans together, those from ``start_ns`` on, and the earlier ones."""
    if PROBABILITY in records.known:
        return _estimated(session, records, start_ns)
    found = statement(
        "comparing/figures",
        relation=records.relation(session, ("status_code", "duration_ns")),
        where=records.predicate,
        start_ns=start_ns,
    )
    (row,) = rows(session, found)
    return _figures(row, "now"), _figures(row, "before")


def _estimated(session: QuerySession, records: Records, start_ns: int) -> tuple[Figures, Figures]:
    """The same where some spans stand for others too."""
    relation = records.relation(session, ("status_code", "duration_ns", PROBABILITY))
    keys = {"is_now": Sql("start_time_ns >= ?", (start_ns,))}
    found = {row["is_now"]: row for row in estimate(session, relation, records.predicate, keys)}
    now, before = (
        Figures(spans=row["requests"], errors=row["errors"], p95_ns=round(row["quantiles_ns"][1]))
        if (row := found.get(is_now)) is not None
        else Figures(spans=0, errors=0, p95_ns=None)
        for is_now in (True, False)
    )
    return now, before
