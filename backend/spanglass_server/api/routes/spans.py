"""Routes about spans, and the parameters that all questions about spans share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import CURSOR_PARAM, FILTER, ORDER, RANGE, Param, format_param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.rows.answers import TracesDataPage
from spanglass_server.query.traces import spans
from spanglass_server.query.traces.search import Page

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

SPAN_PARAMS = (
    *RANGE,
    FILTER,
    Param("service", "text", help="Only spans of this service."),
    Param("operation", "text", help="Only spans of this name."),
    Param("min_duration", "duration", help="Only spans that took at least this long, like 150ms."),
    Param("max_duration", "duration", help="Only spans that took at most this long."),
)


def span_question(params: Params) -> SpanQuestion:
    """Make a question of ``SPAN_PARAMS``."""
    return SpanQuestion(
        window=params["window"],
        filter=params["filter"] or "",
        service=params["service"],
        operation=params["operation"],
        min_duration_ns=params["min_duration"],
        max_duration_ns=params["max_duration"],
    )


def page_of(params: Params) -> Page:
    """Make a page of ``sort``, ``order``, ``limit`` and ``cursor``."""
    return Page(params["limit"], params["sort"], params["order"] == "desc", params["cursor"])


def _search(session: QuerySession, params: Params) -> spans.SpanList | TracesDataPage:
    return spans.search_spans(session, span_question(params), page_of(params), as_otlp=params["format"] == "otlp")


def _groups(session: QuerySession, params: Params) -> spans.SpanGroups:
    return spans.group_spans(session, span_question(params), params["by"], params["limit"])


ROUTES = (
    Route(
        path="/spans",
        summary="Search spans.",
        parameters=(
            *SPAN_PARAMS,
            Param("sort", "choice", "time", "What to sort by.", choices=tuple(spans.SORTS)),
            ORDER,
            limit_param(20),
            CURSOR_PARAM,
            format_param("records", "TracesData"),
        ),
        response=schema_of(spans.SpanList | TracesDataPage),
        query=_search,
    ),
    Route(
        path="/spans/groups",
        summary="Count matching spans by attributes, with latency.",
        description="Largest first. Spans that lack a key are a group of their own, with null in its place.",
        parameters=(
            *SPAN_PARAMS,
            Param("by", "keys", required=True, help="Keys to group by, comma-separated.", maximum=spans.MAX_GROUP_KEYS),
            limit_param(100),
        ),
        response=schema_of(spans.SpanGroups),
        query=_groups,
    ),
)
