"""Routes about traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.params import CURSOR_PARAM, ORDER, Param, format_param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import (
    ANYTHING,
    BOOLEAN,
    CURSOR,
    HEX_ID,
    INTEGER,
    NANOSECONDS,
    NUMBER,
    SAMPLED_SHARE,
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
from spanglass_server.api.spans import SPAN_FIELDS, SPAN_PARAMS, page_of, span_question
from spanglass_server.query.traces import search as traces
from spanglass_server.query.traces.announcements import STATES
from spanglass_server.query.traces.columns import FIELDS
from spanglass_server.query.traces.view import show_columns, show_span, show_summary, show_trace, show_trace_otlp

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_MAX_BUCKETS = 1000
_WARNINGS = ("missing_root", "orphans", "clock_skew", "unknown_start", "cycle")

_SERVICE_FIELDS = {"service": STRING, "slot": SLOT, "spans": INTEGER, "errors": INTEGER}
_SUMMARY = record(
    trace_id=HEX_ID,
    root_service=STRING,
    root_operation=STRING,
    root_missing=BOOLEAN,
    start_time=TIME,
    duration_ns=NANOSECONDS,
    span_count=INTEGER,
    error_count=INTEGER,
    running_count=INTEGER,
    lost_count=INTEGER,
    matched_spans=INTEGER,
    services=array(record(**_SERVICE_FIELDS)),
)
_TREE_FIELDS = {
    "key": STRING,
    "parent_key": nullable(STRING),
    "depth": INTEGER,
    "offset_ns": NANOSECONDS,
    "self_time_ns": NANOSECONDS,
    "critical": array(array(NANOSECONDS)),
    "awaited": BOOLEAN,
    "skew_ns": NANOSECONDS,
    "orphan": BOOLEAN,
    "children": INTEGER,
}
_STATE_FIELDS = {"state": choice(*STATES), "last_heard_time": nullable(TIME)}
_HEAD_FIELDS = {
    "trace_id": HEX_ID,
    "start_time": TIME,
    "duration_ns": NANOSECONDS,
    "span_count": INTEGER,
    "error_count": INTEGER,
    "running_count": INTEGER,
    "lost_count": INTEGER,
    "duplicate_spans": INTEGER,
    "services": array(record(**_SERVICE_FIELDS, self_time_ns=NANOSECONDS)),
    "warnings": array(choice(*_WARNINGS)),
    "failure": nullable(
        record(
            key=STRING,
            service=STRING,
            name=STRING,
            reason=STRING,
            peer=nullable(record(host=nullable(STRING), port=nullable(INTEGER), service=nullable(STRING))),
        )
    ),
}
_TRACE = record(**_HEAD_FIELDS, spans=array(record(**SPAN_FIELDS, **_TREE_FIELDS, **_STATE_FIELDS)))
_HEAD = record(**_HEAD_FIELDS)
_COLUMNS = record(
    **_HEAD_FIELDS,
    columns=record(**dict.fromkeys(FIELDS, ANYTHING)),
    attributes=array(record(key=STRING, values=array(STRING), rows=array(array(INTEGER)))),
)


def _search(session: QuerySession, params: Params) -> dict[str, Any]:
    return traces.search_traces(session, span_question(params), page_of(params), params["now_ns"])


def _counts(session: QuerySession, params: Params) -> dict[str, Any]:
    return traces.count_spans(session, span_question(params), params["buckets"])


#: The forms of a trace that are ours.
_FORMS = {"tree": show_trace, "columns": show_columns, "summary": show_summary}


def _trace(session: QuerySession, params: Params) -> dict[str, Any]:
    if params["format"] == "otlp":
        return show_trace_otlp(session, params["trace_id"])
    return _FORMS[params["format"]](session, params["trace_id"], params["now_ns"])


def _span(session: QuerySession, params: Params) -> dict[str, Any]:
    return show_span(session, params["trace_id"], params["key"], params["now_ns"])


ROUTES = (
    Route(
        path="/traces",
        summary="Search traces: summaries of those with a matching span.",
        description="By time, a trace stands where its first matching span of the range starts.",
        parameters=(
            *SPAN_PARAMS,
            Param("sort", "choice", "time", "What to sort by.", choices=traces.SORTS),
            ORDER,
            limit_param(20),
            CURSOR_PARAM,
        ),
        response=record(traces=array(_SUMMARY), next_cursor=CURSOR),
        ask=_search,
    ),
    Route(
        path="/traces/counts",
        summary="Count matching spans over time, split by error.",
        parameters=(
            *SPAN_PARAMS,
            Param("buckets", "integer", 60, "Most points of the series.", minimum=1, maximum=_MAX_BUCKETS),
        ),
        response=record(
            window=WINDOW,
            step_s=NUMBER,
            points=array(record(t=UNIX_SECONDS, spans=INTEGER, errors=INTEGER)),
            total=INTEGER,
            errors=INTEGER,
            sampled_share=SAMPLED_SHARE,
        ),
        ask=_counts,
    ),
    Route(
        path="/traces/{trace_id}",
        summary="One trace with all its spans, depth first; in columns, or without its spans; or as OTLP/JSON.",
        description="Spans that have not ended are in it too, running or lost, but not in OTLP/JSON.",
        parameters=(
            Param("trace_id", "trace_id", help="The id in hex."),
            format_param("tree", "TracesData", "columns", "summary"),
        ),
        response={"oneOf": [_TRACE, _COLUMNS, _HEAD, otlp("resourceSpans")]},
        ask=_trace,
    ),
    Route(
        path="/traces/{trace_id}/spans/{key}",
        summary="One span of a trace in full.",
        description="For those who have the trace in columns; without the span's place in the tree.",
        parameters=(
            Param("trace_id", "trace_id", help="The id in hex."),
            Param("key", "text", help="The span's key in the trace's answer."),
        ),
        response=record(**SPAN_FIELDS, trace_id=HEX_ID, key=STRING, **_STATE_FIELDS),
        ask=_span,
    ),
)
