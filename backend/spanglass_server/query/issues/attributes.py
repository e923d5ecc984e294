"""Which values of attributes an issue's occurrences have more often than all traffic of the service.

The records that tell of the exceptions are counted in memory, some thousands at most; what stands out among them is
counted in all records of the service in one scan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.differences.shares import difference
from spanglass_server.query.comparing.candidates import (
    Candidate,
    Usual,
    attribute_columns,
    candidates_among,
    count,
)
from spanglass_server.query.language.compiling.service_sql import is_service
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import widen
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import TIME_COLUMN, Signal, quote_identifier
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from spanglass_server.issues.model import IssueSummary
    from spanglass_server.query.comparing.candidates import Counted
    from spanglass_server.query.issues.answers import AttributeList, AttributeShares, AttributeValue
    from spanglass_server.query.issues.known import KnownIssues
    from spanglass_server.store.ports import QuerySession, Window

#: So many of the latest occurrences are looked at.
MAX_COUNTED = 5000
_AROUND_NS = 3_600 * NS_PER_SECOND
_NEAR_NS = 60 * NS_PER_SECOND
#: They tell the exception itself, where it was raised or logged, or which process of which service it was: no news.
_OWN = ("exception.", "code.", "service.name", "service.instance.id", "process.", "thread.", "telemetry.", "spanglass.")
_SOURCES = {Signal.SPANS: 0, Signal.LOGS: 1}
_STATEMENTS = {Signal.SPANS: "issues/span_attributes", Signal.LOGS: "issues/log_attributes"}


def attribute_shares(
    session: QuerySession,
    issues: KnownIssues,
    issue_id: str,
    window: Window,
    limit: int,
    *,
    recent_ns: int | None = None,
) -> AttributeList:
    """Answer ``GET /api/v1/issues/{issue}/attributes``: what stands out most comes first.

    With ``recent_ns`` the occurrences are compared with the newest traffic before and after that time, as much as is
    enough to tell what is usual, and not looked for in records that began long before.
    """
    issue = issues.summary(issue_id)
    signal = _told_by(session, issue, window)
    records = _records(session, signal, issue, window, widen(window, _AROUND_NS if recent_ns is None else _NEAR_NS))
    candidates = candidates_among(records)
    counted = _baseline(session, signal, issue.service, window, candidates, recent_ns=recent_ns)
    shares = _shares(candidates, counted)
    return {
        "issue": issue.id,
        "signal": "spans" if signal is Signal.SPANS else "logs",
        "counted": records.num_rows,
        "baseline": counted.records,
        "attributes": shares[:limit],
    }


def _told_by(session: QuerySession, issue: IssueSummary, window: Window) -> Signal:
    """Choose the signal that told most of the issue's occurrences."""
    relation = Sql(session.relation(Signal.OCCURRENCES, window, ("issue_key", "source")))
    (row,) = rows(session, statement("issues/sources_of_issue", relation=relation, keys=one_of(issue.keys)))
    return Signal.LOGS if row["logs"] > row["spans"] else Signal.SPANS


def _records(session: QuerySession, signal: Signal, issue: IssueSummary, window: Window, around: Window) -> pa.Table:
    """Return the attributes of the records that tell the latest of the issue's occurrences."""
    place = ("issue_key", "source", "trace_id", "span_id", "record_order", "time_ns")
    columns = attribute_columns(session, signal, around, _OWN)
    names = [column.name for column in columns]
    own = ("trace_id", "span_id") if signal is Signal.SPANS else ("arrival_order",)
    return session.execute(
        *_bound(
            statement(
                _STATEMENTS[signal],
                columns=Sql(", ".join(f"records.{quote_identifier(name)}" for name in names) or "1 AS nothing"),
                relation=Sql(session.relation(signal, around, [TIME_COLUMN[signal], *own, *names])),
                occurrences=Sql(session.relation(Signal.OCCURRENCES, window, place)),
                keys=one_of(issue.keys),
                count=MAX_COUNTED,
            )
        )
    )


def _bound(sql: Sql) -> tuple[str, list[Any]]:
    return sql.text, list(sql.parameters)


def _baseline(
    session: QuerySession,
    signal: Signal,
    service: str,
    window: Window,
    candidates: Sequence[Candidate],
    *,
    recent_ns: int | None,
) -> Counted:
    """Count the candidates in all records of the service, and the records that have each key, in one scan."""
    names, own = {each.column.name for each in candidates}, [TIME_COLUMN[signal], SERVICE]
    windows: Sequence[Window] = [window]
    if recent_ns is not None:
        relation = Sql(session.relation(signal, window, own))
        windows = Usual(signal, window, recent_ns).newest(session, relation, is_service(service))
    relations = [Sql(session.relation(signal, each, [*own, *names])) for each in windows]
    return count(session, relations, is_service(service), candidates)


def _shares(candidates: Sequence[Candidate], counted: Counted) -> list[AttributeShares]:
    by_key: dict[str, list[AttributeValue]] = {}
    for place, each in enumerate(candidates):
        having, baseline = counted.having[place], counted.present[each.column.name]
        stands_out = difference(each.count, each.present, having, baseline)
        if stands_out > 0:
            by_key.setdefault(each.column.key, []).append(
                {
                    "value": json_value(each.value),
                    "share": round(each.count / each.present, 4),
                    "baseline_share": round(having / baseline, 4) if baseline else 0.0,
                    "count": each.count,
                    "baseline_count": having,
                    "difference": round(stands_out, 4),
                }
            )
    shares: list[AttributeShares] = [
        {
            "key": key,
            "values": sorted(values, key=lambda value: -value["difference"]),
            "difference": max(value["difference"] for value in values),
        }
        for key, values in by_key.items()
    ]
    return sorted(shares, key=lambda each: (-each["difference"], each["key"]))
