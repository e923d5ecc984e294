"""Log search, page by page, and matching records over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict, cast

from spanglass_server.query.answers import JsonSchema, NextCursor, TimeRange, UnixSeconds
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.logs.following import Followed, Mark, follow
from spanglass_server.query.logs.severity import COLUMNS as SEVERITY_COLUMNS
from spanglass_server.query.logs.severity import WORDS, severity_sql
from spanglass_server.query.record_pages import ORDERS, Place, find_page, shown_columns
from spanglass_server.query.records import match_records
from spanglass_server.query.rows.answers import Log, LogsData
from spanglass_server.query.rows.json_values import json_value
from spanglass_server.query.rows.log_rows import LogRows
from spanglass_server.query.rows.otlp_logs import logs_data
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import Buckets, bucket_seconds, describe
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.record_pages import RecordPage
    from spanglass_server.store.ports import QuerySession, Window


class LogList(TypedDict):
    """The answer of ``GET /api/v1/logs``."""

    logs: list[Log]
    next_cursor: NextCursor
    newest_cursor: str
    left_out: Annotated[int, JsonSchema({"description": "records that arrived and are not shown: backlog=newest"})]


class LogsDataPage(LogsData):
    """``LogsData`` with cursors, which receivers of OTLP ignore."""

    next_cursor: NextCursor
    newest_cursor: str


class LogCountsPoint(TypedDict):
    """Log records of a bucket that starts at ``t``, by severity."""

    t: UnixSeconds
    trace: int
    debug: int
    info: int
    warn: int
    error: int
    fatal: int
    unset: int


class LogCounts(TypedDict):
    """The answer of ``GET /api/v1/logs/counts``."""

    window: TimeRange
    step_s: float
    points: list[LogCountsPoint]
    total: int


def search_logs(
    session: QuerySession,
    window: Window,
    *,
    filter_text: str = "",
    limit: int = 100,
    descending: bool = True,
    cursor: str | None = None,
    after: str | None = None,
    as_otlp: bool = False,
    keys: Sequence[str] = (),
    newest: bool = False,
) -> LogList | LogsDataPage:
    """Answer ``GET /api/v1/logs``; with ``after`` the records that arrived after that cursor, in this order.

    The range then does not count: a record may come late, or from a clock that is ahead. With ``as_otlp`` the records
    are those of ``LogsData`` in OTLP/JSON, beside the cursors. Each record has the values of ``keys`` in ``columns``.
    With ``newest``, of more records than the limit that arrived only the newest are there, and the rest is counted.
    """
    if cursor and after:
        raise BadQuestionError(
            "cursor turns pages and after follows new records; give one of them", field="after", hint="leave one out"
        )
    if after:
        arrived = follow(session, Followed(filter_text, limit, keys, newest), Mark.decode(after))
        page, mark, left_out = arrived.page, arrived.mark, arrived.left_out
    else:
        records = match_records(session, Signal.LOGS, window, filter_text)
        start = Place.decode(cursor, ORDERS[descending])
        page = find_page(session, records, start, limit, descending=descending, shown=shown_columns(records, keys))
        mark, left_out = Mark.after(session, window), 0
    next_cursor, newest_cursor = None if after else page.next_cursor(descending=descending), mark.encode()
    if as_otlp:
        return {**logs_data(page.table), "next_cursor": next_cursor, "newest_cursor": newest_cursor}
    return {
        "logs": _logs(session, page, keys),
        "next_cursor": next_cursor,
        "newest_cursor": newest_cursor,
        "left_out": left_out,
    }


def _logs(session: QuerySession, page: RecordPage, keys: Sequence[str]) -> list[Log]:
    table = LogRows(page.table, session.service_slot)
    logs = [table.as_json(row, place.id) for row, place in enumerate(page.places)]
    for at, log in enumerate(logs if keys else ()):
        log["columns"] = {key: json_value(table.value(f"shown_{place}", at)) for place, key in enumerate(keys)}
    return logs


def count_logs(session: QuerySession, window: Window, *, filter_text: str = "", buckets: int = 60) -> LogCounts:
    """Answer ``GET /api/v1/logs/counts``: every step of the range, also those without records."""
    records = match_records(session, Signal.LOGS, window, filter_text)
    steps = Buckets.about(window, buckets)
    found = rows(
        session,
        statement(
            "log_counts",
            first_ns=steps.first_ns,
            step_ns=steps.step_ns,
            severity=Sql(severity_sql()),
            relation=records.relation(session, SEVERITY_COLUMNS),
            where=records.predicate,
        ),
    )
    counts = {(row["bucket"], row["severity"]): row["records"] for row in found}
    points = [
        {"t": bucket_seconds(start_ns), **{word: counts.get((place, word), 0) for word in WORDS}}
        for place, start_ns in enumerate(steps.starts_ns())
    ]
    return {
        "window": describe(window),
        "step_s": steps.step_s,
        "points": cast("list[LogCountsPoint]", points),
        "total": sum(counts.values()),
    }
