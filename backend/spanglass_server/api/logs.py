"""Routes about log records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.params import CURSOR_PARAM, FILTER, ORDER, RANGE, Param, format_param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import (
    ANYTHING,
    ATTRIBUTES,
    CURSOR,
    HEX_ID,
    INTEGER,
    NUMBER,
    SLOT,
    STRING,
    TIME,
    UNIX_SECONDS,
    WINDOW,
    array,
    choice,
    nullable,
    otlp,
    record,
)
from spanglass_server.query.logs.search import count_logs, search_logs
from spanglass_server.query.logs.severity import WORDS

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_LOG = record(
    id={**STRING, "description": "opaque; the same in every answer"},
    time=TIME,
    observed_time=nullable(TIME),
    severity=choice(*WORDS),
    severity_number=INTEGER,
    severity_text=STRING,
    service=STRING,
    slot=SLOT,
    body=ANYTHING,
    event_name=STRING,
    trace_id=nullable(HEX_ID),
    span_id=nullable(HEX_ID),
    attributes=ATTRIBUTES,
    resource=ATTRIBUTES,
    scope=record(name=STRING, version=STRING, attributes=ATTRIBUTES),
)
_CURSORS = {"next_cursor": CURSOR, "newest_cursor": STRING}
_POINT = record(t=UNIX_SECONDS, **dict.fromkeys(WORDS, INTEGER))


def _search(session: QuerySession, params: Params) -> dict[str, Any]:
    return search_logs(
        session,
        params["window"],
        filter_text=params["filter"] or "",
        limit=params["limit"],
        descending=params["order"] == "desc",
        cursor=params["cursor"],
        after=params["after"],
        as_otlp=params["format"] == "otlp",
    )


def _counts(session: QuerySession, params: Params) -> dict[str, Any]:
    return count_logs(session, params["window"], filter_text=params["filter"] or "", buckets=params["buckets"])


ROUTES = (
    Route(
        path="/logs",
        summary="Log search.",
        parameters=(
            *RANGE,
            FILTER,
            limit_param(100),
            CURSOR_PARAM,
            ORDER,
            Param(
                "after",
                "cursor",
                help="newest_cursor of an answer: what arrived later, in this order, at any time.",
            ),
            format_param("records", "LogsData"),
        ),
        response={"oneOf": [record(logs=array(_LOG), **_CURSORS), otlp("resourceLogs", **_CURSORS)]},
        ask=_search,
    ),
    Route(
        path="/logs/counts",
        summary="Matching log records over time, split by severity.",
        parameters=(
            *RANGE,
            FILTER,
            Param("buckets", "integer", 60, "About how many steps the range is cut into.", minimum=1, maximum=1000),
        ),
        response=record(window=WINDOW, step_s=NUMBER, points=array(_POINT), total=INTEGER),
        ask=_counts,
    ),
)
