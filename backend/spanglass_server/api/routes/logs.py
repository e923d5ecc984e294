"""Routes about log records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import CURSOR_PARAM, FILTER, ORDER, RANGE, Param, format_param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING, schema_of
from spanglass_server.api.streaming import Streamed
from spanglass_server.query.attributes.facets import MAX_KEYS
from spanglass_server.query.logs import search
from spanglass_server.query.logs.around import SAME, LogsAround, logs_around
from spanglass_server.query.logs.export import FORMS, Done, Export, export_logs
from spanglass_server.query.logs.patterns import LogPatterns, log_patterns

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession


def _search(session: QuerySession, params: Params) -> search.LogList | search.LogsDataPage:
    return search.search_logs(
        session,
        params["window"],
        filter_text=params["filter"] or "",
        limit=params["limit"],
        descending=params["order"] == "desc",
        cursor=params["cursor"],
        after=params["after"],
        as_otlp=params["format"] == "otlp",
        keys=params["columns"] or (),
        newest=params["backlog"] == "newest",
    )


def _export(session: QuerySession, params: Params, place: Done | None) -> tuple[bytes, Done | None]:
    export = Export(
        params["window"],
        params["filter"] or "",
        params["format"],
        params["limit"],
        params["columns"] or (),
        descending=params["order"] == "desc",
        guards_formulas=params["formulas"] == "guarded",
    )
    return export_logs(session, export, place)


def _counts(session: QuerySession, params: Params) -> search.LogCounts:
    return search.count_logs(session, params["window"], filter_text=params["filter"] or "", buckets=params["buckets"])


def _patterns(session: QuerySession, params: Params) -> LogPatterns:
    return log_patterns(
        session,
        params["window"],
        filter_text=params["filter"] or "",
        buckets=params["buckets"],
        limit=params["limit"],
    )


def _around(session: QuerySession, params: Params) -> LogsAround:
    return logs_around(session, params["log"], same=params["same"], before=params["before"], after=params["after"])


COLUMNS = Param("columns", "keys", help="Keys whose values stand in columns of each record.", maximum=MAX_KEYS)
_LINES = "How many lines {} the record."

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
            Param(
                "backlog",
                "choice",
                "all",
                "With after, when more than limit arrived: all, the oldest first, the rest with the next question; or "
                "only the newest, with how many are left out.",
                choices=("all", "newest"),
            ),
            COLUMNS,
            format_param("records", "LogsData"),
        ),
        response=schema_of(search.LogList | search.LogsDataPage),
        query=_search,
    ),
    Route(
        path="/logs/counts",
        summary="Matching log records over time, split by severity.",
        parameters=(
            *RANGE,
            FILTER,
            Param("buckets", "integer", 60, "About how many steps the range is cut into.", minimum=1, maximum=1000),
        ),
        response=schema_of(search.LogCounts),
        query=_counts,
    ),
    Route(
        path="/logs/{log}/around",
        summary="What was logged right before and after a log record.",
        parameters=(
            Param("log", "text", help="The id of the record."),
            Param(
                "same",
                "choice",
                "stream",
                "What the lines have in common with the record: its stream (service, instance, host, container, "
                "process, file), its service, host or trace, or nothing.",
                choices=SAME,
            ),
            Param("before", "integer", 20, _LINES.format("before"), minimum=0, maximum=500),
            Param("after", "integer", 20, _LINES.format("after"), minimum=0, maximum=500),
        ),
        response=schema_of(LogsAround),
        query=_around,
    ),
    Route(
        path="/logs/export",
        summary="Matching log records as a file.",
        description="CSV or NDJSON, sent as it is made. What fails on the way cuts the connection.",
        parameters=(
            *RANGE,
            FILTER,
            ORDER,
            COLUMNS,
            limit_param(10_000, 100_000),
            Param("format", "choice", "csv", "The form of the file.", choices=FORMS),
            Param(
                "formulas",
                "choice",
                "guarded",
                "Texts of CSV that a spreadsheet would run: guarded by an apostrophe, or plain.",
                choices=("guarded", "plain"),
            ),
        ),
        response=STRING,
        streamed=Streamed(_export, {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}, "logs"),
    ),
    Route(
        path="/logs/patterns",
        summary="Log lines that are alike, how many there are, and which are new.",
        description="Beside the time before, as long as the range; of very many lines every n-th is read.",
        parameters=(
            *RANGE,
            FILTER,
            Param("buckets", "integer", 30, "About how many steps the range is cut into.", minimum=1, maximum=200),
            limit_param(100),
        ),
        response=schema_of(LogPatterns),
        query=_patterns,
    ),
)
