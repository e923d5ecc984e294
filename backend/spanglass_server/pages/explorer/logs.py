"""Log search: filter, counts by severity, facets, lines that open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api_questions import API
from spanglass_server.pages.explorer import facets, search
from spanglass_server.pages.log_lines import columns
from spanglass_server.pages.log_patterns import page as patterns
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.rendering import charts, terms
from spanglass_server.query.logs.export import FORMS
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

LINES = 100
BUCKETS = 90
#: Layers of the chart from the floor: name, class, the API's severities in it.
LAYERS = (
    ("other", "", ("trace", "debug", "info", "unset")),
    ("warning", "warn", ("warn",)),
    ("error", "err", ("error", "fatal")),
)


async def show(visit: Visit) -> Response:
    """Show ``/logs``, or with ``view=patterns`` what its lines have in common."""
    if visit.param("view") == "patterns":
        return await patterns.show(visit)
    box = await search.read_filter(visit, "logs")
    problem = box.problem
    found: Mapping[str, Any] = {}
    if problem:
        found = await facets.find_all(visit, Signal.LOGS)
    else:
        try:
            found = await _find(visit)
        except ApiError as error:
            problem = of_api(error, visit)
    oldest_first = visit.param("order") == "asc"
    return visit.page("logs.html", status=problem.status if problem else 200, box=box, problem=problem,
                      oldest_first=oldest_first, **found)  # fmt: skip


async def _find(visit: Visit) -> dict[str, Any]:
    shared = {**visit.window.as_params(), "filter": visit.param("filter")}
    order = "asc" if visit.param("order") == "asc" else "desc"
    keys = columns.chosen(visit)
    lines, counts, counted = await visit.together(
        visit.api("logs", **shared, limit=LINES, order=order, cursor=visit.param("cursor"), columns=",".join(keys)),
        visit.api("logs", "counts", **shared, buckets=BUCKETS),
        facets.find(visit, facets.Search(Signal.LOGS, visit.param("filter"), keys=keys), visit.param("filter")),
    )
    return {
        "logs": lines["logs"], "newest_cursor": lines.get("newest_cursor"),
        "unknown": await search.unknown_keys(visit, "logs", lines["logs"]),
        "errors": sum(point.get(key, 0) for point in counts["points"] for key in ("error", "fatal")),
        "errors_filter": terms.both(visit.param("filter"), terms.term("severity", "error", ">=")),
        "next_page": search.next_page(visit, lines["next_cursor"]), "counts": counts,
        "chart": _chart(counts, visit), "columns": keys, "offered": columns.offered(lines["logs"]),
        "exports": _exports(visit, order, keys), **counted,
    }  # fmt: skip


def _exports(visit: Visit, order: str, keys: Sequence[str]) -> dict[str, str]:
    """Return links to the records of the search as files, by form; its range is absolute, as what is shown."""
    asked = {**visit.window.absolute(), "filter": visit.param("filter"), "order": order, "columns": ",".join(keys)}
    return {form: visit.link(f"{API}/logs/export", {**asked, "format": form}) for form in FORMS}


def _chart(counts: Mapping[str, Any], visit: Visit) -> charts.Chart:
    points = counts["points"]
    buckets = visit.buckets([point["t"] for point in points], counts["step_s"])
    layers = [
        charts.Series(name, css, [sum(point.get(key, 0) for key in keys) for point in points])
        for name, css, keys in LAYERS
    ]
    return charts.bars("Log records over time, by severity", buckets, layers, visit.clock)
