"""Routes about traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import CURSOR_PARAM, ORDER, RANGE, Param, format_param, limit_param
from spanglass_server.api.routes.spans import SPAN_PARAMS, page_of, span_question
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.one_trace import view
from spanglass_server.query.rows.answers import TracesData
from spanglass_server.query.services import counts
from spanglass_server.query.trace_views import comparing, meaning, paths
from spanglass_server.query.traces import search as traces
from spanglass_server.query.window import parse_window

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_core.model_prices import Prices
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession, Window

_MAX_BUCKETS = 1000


def _search(session: QuerySession, params: Params) -> traces.TraceList:
    return traces.search_traces(session, span_question(params), page_of(params), params["now_ns"])


def _counts(session: QuerySession, params: Params) -> counts.SpanCounts:
    return counts.count_spans(session, span_question(params), params["buckets"])


_Form = view.TraceHead | view.TraceAttributes
#: The forms of a trace that are ours.
_FORMS: dict[str, Callable[[QuerySession, bytes, int], _Form]] = {
    "tree": view.show_trace,
    "columns": view.show_columns,
    "waterfall": view.show_waterfall,
    "attributes": view.show_attributes,
    "summary": view.show_summary,
    "paths": paths.show_paths,
}


def _trace(session: QuerySession, params: Params) -> _Form | TracesData:
    if params["format"] == "otlp":
        return view.show_trace_otlp(session, params["trace_id"])
    return _FORMS[params["format"]](session, params["trace_id"], params["now_ns"])


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
        response=schema_of(traces.TraceList),
        query=_search,
    ),
    Route(
        path="/traces/counts",
        summary="Count matching spans over time, split by error.",
        parameters=(
            *SPAN_PARAMS,
            Param("buckets", "integer", 60, "Most points of the series.", minimum=1, maximum=_MAX_BUCKETS),
        ),
        response=schema_of(counts.SpanCounts),
        query=_counts,
    ),
    Route(
        path="/traces/{trace_id}",
        summary="One trace: all its spans, depth first; in columns, folded by path, or without them; or as OTLP/JSON.",
        description="Spans that have not ended are in it too, running or lost, but not in OTLP/JSON.",
        parameters=(
            Param("trace_id", "trace_id", help="The id in hex."),
            format_param("tree", "TracesData", "columns", "waterfall", "attributes", "summary", "paths"),
        ),
        response=schema_of(
            view.Trace
            | view.TraceColumns
            | view.TraceWaterfall
            | view.TraceAttributes
            | paths.TracePaths
            | view.TraceHead
            | TracesData
        ),
        query=_trace,
        many_objects=True,
    ),
)


def _compare(session: QuerySession, params: Params) -> comparing.Comparison:
    first = comparing.Side("a", params["a"] or "", params["window"])
    second = comparing.Side("b", params["b"] or "", _window_of_b(params))
    return comparing.compare_traces(session, (first, second), params["limit"], params["now_ns"])


def _window_of_b(params: Params) -> Window:
    """Return the range of the second side: its own, or that of both."""
    if not params["start_b"] and not params["end_b"]:
        window: Window = params["window"]
        return window
    try:
        return parse_window(params["now_ns"], start=params["start_b"], end=params["end_b"])
    except BadQuestionError as error:
        error.field = {"start": "start_b", "end": "end_b"}.get(error.field, "start_b")
        raise


#: Has to be found before a trace's own: ``compare`` stands where its id does.
COMPARE = Route(
    path="/traces/compare",
    summary="Two traces, or two groups of traces, side by side: which paths of calls got slower, appeared, vanished.",
    description=(
        "A side is ids of traces with commas between them, or a filter: then the newest traces with a matching span "
        "of the range are read. Figures are means of a side's traces."
    ),
    parameters=(
        *RANGE,
        Param("a", "text", help="The first side: ids of traces, or a filter; all traces unless said."),
        Param("b", "text", help="The second side, likewise."),
        Param("start_b", "time", help="Begin of the second side's range, if that is another one."),
        Param("end_b", "time", help="Its end; now unless said."),
        Param(
            "limit", "integer", 50, "Most traces that are read of a filter.", minimum=1, maximum=comparing.MOST_TRACES
        ),
    ),
    response=schema_of(comparing.Comparison),
    query=_compare,
)


def span_routes(prices: Prices) -> tuple[Route, ...]:
    """The route of one span in full, whose calls of language models cost what a table of prices says."""

    def show(session: QuerySession, params: Params) -> meaning.SpanWithMeaning:
        return meaning.show_span(session, params["trace_id"], params["key"], params["now_ns"], prices)

    return (
        Route(
            path="/traces/{trace_id}/spans/{key}",
            summary="One span of a trace in full, and what it means.",
            description="For those who have the trace in columns; without the span's place in the tree.",
            parameters=(
                Param("trace_id", "trace_id", help="The id in hex."),
                Param("key", "text", help="The span's key in the trace's answer."),
            ),
            response=schema_of(meaning.SpanWithMeaning),
            query=show,
        ),
    )
