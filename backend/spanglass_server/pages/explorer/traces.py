"""Trace search: filter, pickers, counts over time, facets, results."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.api_questions import API
from spanglass_server.pages.explorer import facets, running, search
from spanglass_server.pages.performance import heat
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import Problem, of_api
from spanglass_server.pages.rendering import charts, terms
from spanglass_server.pages.window import SECOND_NS
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

SORTS = ("time", "duration", "spans", "errors")
LIMITS = (20, 50, 100, 500)
DEFAULT_LIMIT = 50
BUCKETS = 72
#: The URL's ``chart`` for durations over time in place of counts.
DURATIONS = "durations"
#: Parameters that choose a value of a key, as a facet does.
PICKERS = {terms.SERVICE: "service", terms.OPERATION: "operation"}
MOST_CHOICES = 200
#: A trace this young without its root is still on its way: exporters send in batches, every 5 s by default.
ARRIVING_NS = 30 * SECOND_NS
#: Letters of names of services that a row has room for, and how many each takes besides: its colour, a sign, the gap.
ROOM, BESIDES = 62, 5


async def show(visit: Visit) -> Response:
    """``/traces``."""
    box = await search.read_filter(visit, "spans")
    problem = box.problem or _bad_duration(visit)
    found: Mapping[str, Any] = {}
    if problem:
        found = await facets.find_all(visit, Signal.SPANS)
    else:
        try:
            found = await _find(visit)
        except ApiError as error:
            problem = of_api(error, visit)
    sort = visit.param("sort") if visit.param("sort") in SORTS else "time"
    return visit.page(
        "traces.html", status=problem.status if problem else 200, box=box, problem=problem, sort=sort,
        ascending=visit.param("order") == "asc", limit=_limit(visit), limits=LIMITS, choices=await _choices(visit),
        arriving_ns=ARRIVING_NS, **found,
    )  # fmt: skip


async def _find(visit: Visit) -> dict[str, Any]:
    shared = {
        **visit.window.as_params(), "filter": visit.param("filter"), "service": visit.exact("service"),
        "operation": visit.exact("operation"), "min_duration": visit.param("min"), "max_duration": visit.param("max"),
    }  # fmt: skip
    sort = visit.param("sort") if visit.param("sort") in SORTS else "time"
    order = "asc" if visit.param("order") == "asc" else "desc"
    durations = visit.param("chart") == DURATIONS
    traces, counts, counted, unended, cells = await visit.together(
        visit.api("traces", **shared, sort=sort, order=order, limit=_limit(visit), cursor=visit.param("cursor")),
        visit.api("traces", "counts", **shared, buckets=BUCKETS),
        facets.find(visit, facets.Search(Signal.SPANS, visit.param("filter"), PICKERS), _whole_filter(visit)),
        running.find(visit),
        heat.ask(visit, shared, wanted=durations),
    )
    return {
        "traces": [{**trace, "shown": _fitting(trace["services"])} for trace in traces["traces"]],
        "next_page": search.next_page(visit, traces["next_cursor"]),
        "unknown": await search.unknown_keys(visit, "spans", traces["traces"]),
        "longest_ns": max((trace["duration_ns"] for trace in traces["traces"]), default=0) or 1,
        "errors_filter": terms.both(visit.param("filter"), terms.ERRORS),
        "counts": counts, "chart": _chart(counts, visit), "durations": durations,
        "heat": heat.draw(cells, visit), "heat_problem": cells["problem"], "differences": _differences(visit),
        **counted, "open": running.panel(visit, unended),
        "open_traces": running.by_trace(unended), "exports": _exports(visit),
    }  # fmt: skip


def _fitting(services: Sequence[Mapping[str, Any]]) -> int:
    """Return how many services of a trace a row has room for with their whole names; one in any case."""
    needed = accumulate(len(part["service"]) + BESIDES for part in services)
    return max(1, sum(letters <= ROOM for letters in needed))


def _exports(visit: Visit) -> dict[str, str]:
    """Return links to all spans that match as files, by form; the range is absolute, as what is shown."""
    asked = {**visit.window.absolute(), "signal": "spans", "filter": _whole_filter(visit), "names": "readable"}
    return {form: visit.link(f"{API}/export", {**asked, "format": form}) for form in ("csv", "ndjson", "parquet")}


def _differences(visit: Visit) -> str:
    """Return where it says what is different about some of the spans that match."""
    names = ("filter", "service", "operation", "min", "max")
    return visit.go("/differences", **{name: visit.exact(name) for name in names})


def _chart(counts: Mapping[str, Any], visit: Visit) -> charts.Chart:
    points = counts["points"]
    buckets = visit.buckets([point["t"] for point in points], counts["step_s"])
    errors = charts.Series("errors", "err", [point["errors"] for point in points])
    others = charts.Series("others", "", [point["spans"] - point["errors"] for point in points])
    return charts.bars("Spans over time", buckets, [errors, others], visit.clock)


def _whole_filter(visit: Visit) -> str:
    """Return the filter and the pickers as one filter, for facets."""
    text = visit.param("filter")
    for key, name in PICKERS.items():
        if visit.exact(name):
            text = terms.both(text, terms.term(key, visit.exact(name)))
    for operator, name in ((">=", "min"), ("<=", "max")):
        if visit.param(name):
            text = terms.both(text, f"duration {operator} {visit.param(name)}")
    return text


async def _choices(visit: Visit) -> dict[str, list[str]]:
    """Return what the pickers offer: services, and operations of the chosen one; without an answer they are empty."""
    service = visit.exact("service")
    shared = {"signal": "spans", "limit": str(MOST_CHOICES), **visit.window.as_params()}
    operations = (visit.api("services", service, "operations", **visit.window.as_params()) if service
                  else visit.api("values", key=terms.OPERATION, **shared))  # fmt: skip
    try:
        found, offered = await visit.together(visit.api("values", key=terms.SERVICE, **shared), operations)
    except ApiError:
        found, offered = {"values": []}, {"values": []}
    services = sorted({str(row["value"]) for row in found["values"]} | ({service} if service else set()))
    names = {str(row["operation"]) for row in offered.get("operations", [])} | {
        str(row["value"]) for row in offered.get("values", [])
    }
    chosen = {visit.exact("operation")} - {""}
    return {"services": services, "operations": sorted(names | chosen)}


def _is_duration(text: str) -> bool:
    try:
        return parse_duration_ns(text) >= 0
    except UnitError:
        return False


def _bad_duration(visit: Visit) -> Problem | None:
    for name, title in (("min", "least"), ("max", "longest")):
        text = visit.param(name)
        if text and not _is_duration(text):
            message = f"{text!r} is not a duration: write a number and a unit, for example 150ms or 1m30s."
            links = [("Without it", visit.here(**{name: None}))]
            return Problem("bad_request", 400, f"The {title} duration cannot be read.", message, "", links, name)
    return None


def _limit(visit: Visit) -> int:
    text = visit.param("limit")
    return int(text) if text in {str(limit) for limit in LIMITS} else DEFAULT_LIMIT
