"""``/forecast``: a measure or PromQL, what it was and what is expected of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.rendering.format import NONE, parse_time_ns
from spanglass_server.pages.trends import drawing
from spanglass_server.pages.trends.rows import signed, span_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

AHEAD: Final = ("1h", "6h", "1d", "7d", "30d")
_MOST: Final = 8


async def show(visit: Visit) -> Response:
    """Render it."""
    query, ahead = visit.param("query"), visit.param("ahead") or "7d"
    problem, found, bound = None, None, None
    if query:
        try:
            found = await visit.api("forecast", query=query, ahead=ahead, bound=visit.param("bound"), limit=_MOST)
            bound = float(visit.param("bound")) if visit.param("bound") else None
        except ApiError as error:
            problem = of_api(error, visit)
    return visit.page(
        "trends/forecast.html", ranged=False, status=problem.status if problem else 200, problem=problem, query=query,
        ahead=ahead, choices=AHEAD if ahead in AHEAD else (*AHEAD, ahead), bound=visit.param("bound"), found=found,
        series=[_shown(one, found, bound, visit) for one in found["series"]] if found else [],
    )  # fmt: skip


def _shown(one: Mapping[str, Any], found: Mapping[str, Any], bound: float | None, visit: Visit) -> dict[str, Any]:
    """Return a series with its chart and its figures as text."""
    unit = found["unit"]
    known = [value for value in one["values"] if value is not None]
    texts = {name: drawing.text_of(one[name][-1], unit) for name in ("expected", "low", "high") if one[name]}
    shifts = [
        {
            "ns": parse_time_ns(shift["time"]),
            "before": drawing.text_of(shift["before"], unit),
            "after": drawing.text_of(shift["after"], unit),
        }
        for shift in one["shifts"]
    ]
    slope = one["slope"]
    return {
        "name": " ".join(one["labels"].values()) or found["query"],
        "chart": drawing.large(one, (found["times"], found["ahead_times"]), unit, visit.clock, bound),
        "now": drawing.text_of(known[-1], unit) if known else NONE,
        "texts": texts,
        "per_day": signed(slope["per_day"], unit),
        "per_day_between": f"{signed(slope['low_per_day'], unit)} to {signed(slope['high_per_day'], unit)}",
        "confidence": slope["confidence"],
        "season": span_text(one["season"]["period_s"]) if one["season"] else "",
        "strength": one["season"]["strength"] if one["season"] else None,
        "shifts": shifts,
        "method": one["method"],
        "error": drawing.text_of(one["error"], unit),
        "naive_error": drawing.text_of(one["naive_error"], unit),
        "met": {name: parse_time_ns(time) for name, time in (one["met"] or {}).items() if time},
        "reason": one["reason"],
    }
