"""Routes about traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import CURSOR_PARAM, ORDER, Param, format_param, limit_param
from spanglass_server.api.routes.spans import SPAN_PARAMS, page_of, span_question
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.rows.answers import TracesData
from spanglass_server.query.trace_views import meaning, paths
from spanglass_server.query.traces import counts, view
from spanglass_server.query.traces import search as traces

if TYPE_CHECKING:
    from spanglass_core.model_prices import Prices
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_MAX_BUCKETS = 1000


def _search(session: QuerySession, params: Params) -> traces.TraceList:
    return traces.search_traces(session, span_question(params), page_of(params), params["now_ns"])


def _counts(session: QuerySession, params: Params) -> counts.SpanCounts:
    return counts.count_spans(session, span_question(params), params["buckets"])


#: The forms of a trace that are ours.
_FORMS = {
    "tree": view.show_trace,
    "columns": view.show_columns,
    "summary": view.show_summary,
    "paths": paths.show_paths,
}


def _trace(session: QuerySession, params: Params) -> view.TraceHead | TracesData:
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
            format_param("tree", "TracesData", "columns", "summary", "paths"),
        ),
        response=schema_of(view.Trace | view.TraceColumns | paths.TracePaths | view.TraceHead | TracesData),
        query=_trace,
    ),
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
