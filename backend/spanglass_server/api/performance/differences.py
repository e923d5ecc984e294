"""The routes about what is different: durations over time, and what sets some of the spans apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import Param, limit_param
from spanglass_server.api.routes.spans import SPAN_PARAMS, span_question
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.differences.answering import Differences, find_differences
from spanglass_server.query.differences.asked import DifferenceQuestion, Selection
from spanglass_server.query.performance.heatmap import LatencyHeatmap, latency_heatmap
from spanglass_server.times import parse_time

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_MAX_STEPS = 500


def _heatmap(session: QuerySession, params: Params) -> LatencyHeatmap:
    return latency_heatmap(session, span_question(params), params["buckets"])


def _differences(session: QuerySession, params: Params) -> Differences:
    selected = Selection(
        params["selected"] or "",
        _time(params, "selected_start"),
        _time(params, "selected_end"),
        params["selected_min"],
        params["selected_max"],
    )
    baseline = Selection(params["baseline"] or "", _time(params, "baseline_start"), _time(params, "baseline_end"))
    asked = DifferenceQuestion(span_question(params), selected, baseline, params["release"] or "")
    return find_differences(session, asked, params["limit"])


def _time(params: Params, name: str) -> int | None:
    """Read a time; ApiError naming its parameter."""
    if params[name] is None:
        return None
    try:
        return parse_time(params[name], params["now_ns"])
    except ValueError as error:
        raise ApiError("bad_request", str(error), field=name) from error


ROUTES = (
    Route(
        path="/spans/heatmap",
        summary="How long spans took, over time: the cells of a heatmap.",
        description="Rows are ten for each factor of ten, or several of those together, at most 32.",
        parameters=(
            *SPAN_PARAMS,
            Param("buckets", "integer", 72, "Most steps of time.", minimum=1, maximum=_MAX_STEPS),
        ),
        response=schema_of(LatencyHeatmap),
        query=_heatmap,
    ),
    Route(
        path="/differences",
        summary="What sets some spans apart from others: attributes by how much their shares differ.",
        description=(
            "Of the spans that the filter finds, those are selected that all of selected, selected_... and release "
            "hold for. They stand beside all others, or beside those that baseline and its times choose. Some tens of "
            "thousands of each group are read with all attributes."
        ),
        parameters=(
            *SPAN_PARAMS,
            Param("selected", "filter", help="The spans that match are selected."),
            Param("selected_start", "time", help="Select spans that start at this time or later."),
            Param("selected_end", "time", help="Select spans that start before this time."),
            Param("selected_min", "duration", help="Select spans that took at least this long."),
            Param("selected_max", "duration", help="Select spans that took at most this long."),
            Param("release", "text", help="Select spans from the first one of this service.version on."),
            Param("baseline", "filter", help="Stand beside spans that match; beside all others unless said."),
            Param("baseline_start", "time", help="Stand beside spans of another time, which begins here."),
            Param("baseline_end", "time", help="Where that time ends, not included."),
            limit_param(30, 200),
        ),
        response=schema_of(Differences),
        query=_differences,
    ),
)
