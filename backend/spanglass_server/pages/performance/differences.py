"""What is different: a heatmap with a selected area, both groups, and what sets them apart, ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.pages.explorer import search
from spanglass_server.pages.performance import heat
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import Problem, of_api
from spanglass_server.pages.rendering import terms
from spanglass_server.pages.window import WindowError, fixed, read_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

#: Parameters of the selection and of what it stands beside, as in the API.
TIMES = ("selected_start", "selected_end", "baseline_start", "baseline_end")
DURATIONS = ("selected_min", "selected_max")
CHOSEN = ("selected", "baseline", "release", *TIMES, *DURATIONS)
#: Parameters of the spans that are looked at, by the API's names.
LOOKED_AT = {"filter": "filter", "service": "service", "operation": "operation", "min": "min_duration",
             "max": "max_duration"}  # fmt: skip
MOST_KEYS, TRACES_SHOWN, RELEASES_SHOWN = 40, 6, 8
VERSION = "service.version"
NO_VALUES: dict[str, Any] = {"values": []}
NO_TRACES: dict[str, Any] = {"traces": []}


@dataclass(frozen=True)
class Chosen:
    """What the URL selects, for the API; ``area`` is what of it a heatmap can show."""

    params: Mapping[str, str]
    area: heat.Area

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected, nor anything named to stand beside."""
        return not self.params


async def show(visit: Visit) -> Response:
    """``/differences``."""
    box = await search.read_filter(visit, "spans")
    problem, found = box.problem, None
    looked_at = {name: visit.exact(param) for param, name in LOOKED_AT.items()} | visit.window.as_params()
    chosen = Chosen({}, heat.Area())
    if problem is None:
        try:
            chosen = read_chosen(visit)
            found = await _find(visit, looked_at, chosen)
        except WindowError as error:
            problem = Problem("bad_request", 400, "This selection cannot be read.", str(error), "", [], error.field)
        except ApiError as error:
            problem = of_api(error, visit)
    answer = found["answer"] if found else None
    return visit.page(
        "performance/differences.html", status=problem.status if problem else 200, box=box, problem=problem,
        chosen=chosen, found=found, answer=answer, links=_links(visit, chosen, answer), choices=await _choices(visit),
        clear=visit.here(**dict.fromkeys(CHOSEN)), keys=_keys(visit, answer) if answer else [],
    )  # fmt: skip


def read_chosen(visit: Visit) -> Chosen:
    """Read the selection of the URL: times in the reader's zone, too; WindowError naming what cannot be read."""
    params = {name: visit.param(name) for name in CHOSEN if visit.param(name)}
    times = {name: read_time(params[name], name, visit.clock) for name in TIMES if name in params}
    durations = {name: _duration(params[name], name) for name in DURATIONS if name in params}
    area = heat.Area(times.get("selected_start"), times.get("selected_end"), durations.get("selected_min"),
                     durations.get("selected_max"))  # fmt: skip
    return Chosen({**params, **{name: str(time_ns) for name, time_ns in times.items()}}, area)


def _duration(text: str, field: str) -> int:
    try:
        return parse_duration_ns(text)
    except UnitError as error:
        message = f"{text!r} is not a duration: write a number and a unit, for example 150ms or 1m30s."
        raise WindowError(field, message) from error


async def _find(visit: Visit, looked_at: Mapping[str, str], chosen: Chosen) -> dict[str, Any]:
    """Ask for the heatmap and, where something is selected, for what is different."""
    questions = [visit.api(*heat.PATH, **looked_at, buckets=heat.STEPS)]
    if not chosen.is_empty:
        questions.append(visit.api("differences", **looked_at, **chosen.params, limit=MOST_KEYS))
    cells, *answers = await visit.together(*questions)
    answer = answers[0] if answers else None
    traces = NO_TRACES if answer is None else await visit.attempt(
        visit.api("traces", **_of_selection(visit, chosen, answer), sort="duration", limit=TRACES_SHOWN), NO_TRACES
    )  # fmt: skip
    return {"heat": heat.draw(cells, visit, chosen.area), "answer": answer, "traces": traces["traces"]}


def _of_selection(visit: Visit, chosen: Chosen, answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the API's parameters of a search for the traces of the selected spans."""
    text = visit.param("filter")
    if visit.param("selected"):
        text = terms.both(text, f"({visit.param('selected')})") if text else visit.param("selected")
    window, area = visit.window, chosen.area
    start_ns = max(window.start_ns, area.start_ns or 0)
    end_ns = window.end_ns if area.end_ns is None else min(window.end_ns, area.end_ns)
    return {
        "start": answer["since_time"] or str(start_ns), "end": str(max(end_ns, start_ns + 1)), "filter": text,
        "service": visit.exact("service"), "operation": visit.exact("operation"),
        "min_duration": visit.param("selected_min") or visit.param("min"),
        "max_duration": visit.param("selected_max") or visit.param("max"),
    }  # fmt: skip


def _links(visit: Visit, chosen: Chosen, answer: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return links: to the traces of the selection, and to the same with the time before."""
    before = visit.window.moved(-1)
    links: dict[str, Any] = {
        "before": visit.here(baseline_start=before["start"], baseline_end=before["end"], baseline=None),
        "rest": visit.here(baseline_start=None, baseline_end=None, baseline=None),
        "traces": None,
    }
    if answer is not None:
        asked = _of_selection(visit, chosen, answer)
        start, end = asked["start"], asked["end"]
        times = fixed(int(start), int(end)) if start.isdecimal() else {"start": start, "end": fixed(0, int(end))["end"]}
        links["traces"] = visit.link("/traces", {
            **times, "filter": asked["filter"], "service": asked["service"], "operation": asked["operation"],
            "min": asked["min_duration"], "max": asked["max_duration"], "sort": "duration",
        })  # fmt: skip
    return links


async def _choices(visit: Visit) -> dict[str, Any]:
    """Return services, operations of the chosen one, and its releases with links that select what came since."""
    shared, service = visit.window.as_params(), visit.exact("service")
    services = visit.attempt(visit.api("values", **shared, signal="spans", key=terms.SERVICE, limit=200), NO_VALUES)
    if not service:
        return {"services": _names((await services)["values"], "value"), "operations": [], "releases": []}
    of_service = {**shared, "signal": "spans", "filter": terms.term(terms.SERVICE, service)}
    named, operations, counted = await visit.together(
        services,
        visit.attempt(visit.api("services", service, "operations", **shared), {"operations": []}),
        visit.attempt(visit.api("facets", **of_service, keys=VERSION, limit=RELEASES_SHOWN), {"facets": []}),
    )
    releases = [str(row["value"]) for facet in counted["facets"] for row in facet["values"]]
    return {
        "services": _names(named["values"], "value", service),
        "operations": _names(operations["operations"], "operation", visit.exact("operation")),
        "releases": [(name, _since(visit, name)) for name in releases] if len(releases) > 1 else [],
    }


def _names(rows: Sequence[Mapping[str, Any]], key: str, *chosen: str) -> list[str]:
    return sorted({str(row[key]) for row in rows}.union(chosen) - {""})


def _since(visit: Visit, release: str) -> str:
    """Return the page with everything since a release selected."""
    return visit.here(**{**dict.fromkeys(CHOSEN), "release": release})


def _keys(visit: Visit, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is different for the template: each value with links that search on with it, or without it."""
    return [{**key, "values": [_value(visit, value) for value in key["values"]],
             "alike": [{**each, "href": _narrowed(visit, each["filter"])} for each in key["alike"]]}
            for key in answer["keys"]]  # fmt: skip


def _value(visit: Visit, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **value,
        "text": terms.text_of(value["value"]),
        "with": _narrowed(visit, value["filter"]),
        "without": _narrowed(visit, value["opposite"]),
    }


def _narrowed(visit: Visit, condition: str) -> str:
    return visit.here(filter=terms.both(visit.param("filter"), condition))
