"""The page of one metric: its chart at once, its series, exemplars, cardinality, and who sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.explorer import search
from spanglass_server.pages.metrics import drawing
from spanglass_server.pages.metrics.asking import ask
from spanglass_server.pages.metrics.choice import HISTOGRAMS, PERIODS, later_ns, read_choice
from spanglass_server.pages.metrics.explore import read_boards
from spanglass_server.pages.metrics.kinds import STOPPED_NS
from spanglass_server.pages.metrics.listing import SHAPES, stored_name
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.rendering import terms
from spanglass_server.pages.rendering.charts import nice_ceiling
from spanglass_server.pages.rendering.format import parse_time_ns, plain
from spanglass_server.pages.rendering.units import unit_of, unit_text, value_text
from spanglass_server.pages.trends import marks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.metrics.choice import Choice
    from spanglass_server.pages.metrics.lines import Drawn
    from spanglass_server.pages.visit import Visit

SERIES_SHOWN, MOST_SERIES, EXEMPLARS = 100, 1000, 300
SERIES_SORTS = ("value", "points", "time")
#: So many attributes stand in the table of series, those with most values.
MOST_COLUMNS = 4
MARKS_SHOWN = 4
NO_SERIES: dict[str, Any] = {"series": [], "total": 0}
NO_CARDINALITY: dict[str, Any] = {"series": 0, "series_before": 0, "attributes": []}


async def show(visit: Visit) -> Response:
    """``/metrics/{name}``."""
    name = visit.request.path_params["name"]
    found = await visit.api("metrics", "catalog", **visit.window.as_params(), text=name, limit=100_000)
    entries = [entry for entry in found["metrics"] if name in (entry["name"], *entry["parts"])]
    metric = _chosen(visit, entries)
    if metric is None:
        return visit.page("metrics/none.html", status=404, name=name)
    box = await search.read_filter(visit, "metrics")
    choice = read_choice(visit, metric)
    shown = {} if box.problem else await _content(visit, choice)
    problem = box.problem or shown.get("problem")
    return visit.page(
        "metrics/metric.html", **{"chart": None, **shown, "problem": problem}, box=box, metric=metric, choice=choice,
        status=problem.status if problem else 200, entries=entries, periods=PERIODS, shape=SHAPES[metric["shape"]],
        last_name="Sum" if metric["shape"] in {*HISTOGRAMS, "summary"} else "Last value",
        unit=unit_text(unit_of(metric["name"], metric["unit"])), stopped=_stopped(visit, metric),
        last_ns=parse_time_ns(metric["last_time"]),
    )  # fmt: skip


def _chosen(visit: Visit, entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the metric that is meant: a name may have several types and units; the one with most points goes first."""
    wanted = {key: visit.exact(key) for key in ("type", "unit") if key in visit.params}
    fitting = [entry for entry in entries if all(entry[key] == value for key, value in wanted.items())]
    return max(fitting or entries, key=lambda entry: entry["points"], default=None)


def _stopped(visit: Visit, metric: Mapping[str, Any]) -> bool:
    return bool(visit.window.end_ns - parse_time_ns(metric["last_time"]) > STOPPED_NS)


async def _content(visit: Visit, choice: Choice) -> dict[str, Any]:
    """Return what the page shows below its head; ``problem`` when the chart cannot be had."""
    earlier_ns = later_ns(choice, visit)
    try:
        drawn, earlier, exemplars, heat, series, cardinality, marked = await visit.together(
            ask(visit, choice), _attempt_earlier(visit, choice, earlier_ns), _exemplars(visit, choice),
            _heat(visit, choice), _series(visit, choice), _cardinality(visit, choice), _marks(visit, choice),
        )  # fmt: skip
    except ApiError as error:
        return {"problem": of_api(error, visit)}
    guides = marks.fitting(marked, drawn.times, drawn.lines[0].values) if len(drawn.lines) == 1 else []
    shifts = earlier_ns is not None and earlier is not None
    return {
        "drawn": drawn, "figures": drawing.figures(drawn, earlier, choice), "notes": drawn.notes,
        "chart": drawing.chart(drawn, earlier if shifts else None, choice, visit, guides),
        "marked": marked[:MARKS_SHOWN],
        "data": drawing.data(drawn, earlier if shifts else None, exemplars["exemplars"], choice, visit, guides),
        "heat": drawing.heat(heat, choice) if heat else None, "heat_problem": heat["problem"] if heat else None,
        "exemplars": exemplars["exemplars"], "text": lambda value: value_text(value, choice.unit),
        "cardinality": cardinality, "keys": [row["key"] for row in cardinality["attributes"]],
        "promql": drawn.expressions, "rule": _rule(visit, drawn, choice),
        "panel": drawing.panel(drawn, choice), "boards": await read_boards(visit),
        **_table(series, cardinality, visit, choice),
    }  # fmt: skip


def _rule(visit: Visit, drawn: Drawn, choice: Choice) -> str | None:
    """Return the link to a new rule that compares what is drawn with a round number above all of it."""
    if not drawn.expressions:
        return None
    name = f"{choice.metric['name']} is high"
    highest = max((value for line in drawn.lines for value in line.values if value is not None), default=0.0)
    limit, text = nice_ceiling(highest), drawn.expressions[0].replace("\\", "\\\\").replace('"', '\\"')
    return visit.link("/rules/new", {"condition": f'promql("{text}") > {limit:g}', "name": name})


async def _marks(visit: Visit, choice: Choice) -> Sequence[marks.Mark]:
    """What is known of where all its series are going; a filter asks for some of them."""
    return () if choice.filter else await marks.of_metric(visit, choice.metric["name"])


async def _attempt_earlier(visit: Visit, choice: Choice, earlier_ns: int | None) -> Any:
    if earlier_ns is None:
        return None
    try:
        return await ask(visit, choice, earlier_ns)
    except ApiError:
        return None


async def _exemplars(visit: Visit, choice: Choice) -> dict[str, Any]:
    stored, buckets = _stored(choice), f"{choice.metric['name']}_bucket"
    if buckets in choice.metric["parts"]:  # Prometheus hangs them on the buckets
        stored["name"] = buckets
    question = visit.api(
        "metrics", "exemplars", **visit.window.as_params(), **stored, filter=choice.filter, limit=EXEMPLARS
    )
    return await visit.attempt(question, {"exemplars": []})


async def _heat(visit: Visit, choice: Choice) -> dict[str, Any] | None:
    if choice.metric["shape"] not in HISTOGRAMS or choice.metric["parts"]:
        return None
    question = visit.api(
        "metrics", "heatmap", **visit.window.as_params(), **_stored(choice), filter=choice.filter, buckets=60
    )
    return await visit.attempt(question, {"rows": [], "cells": [], "start": 0, "step_s": 1, "count": 0})


async def _series(visit: Visit, choice: Choice) -> dict[str, Any]:
    asked = visit.param("sort") if visit.param("sort") in SERIES_SORTS else "value"
    question = visit.api(
        "metrics", "series", **visit.window.as_params(), **_stored(choice), filter=choice.filter, sort=asked,
        order="asc" if visit.param("order") == "asc" else "desc",
        limit=MOST_SERIES if visit.param("more") else SERIES_SHOWN,
    )  # fmt: skip
    return await visit.attempt(question, NO_SERIES)


async def _cardinality(visit: Visit, choice: Choice) -> dict[str, Any]:
    names = ",".join(choice.metric["parts"] or [choice.metric["name"]])
    question = visit.api("metrics", "cardinality", **visit.window.as_params(), names=names, filter=choice.filter)
    return await visit.attempt(question, NO_CARDINALITY)


def _stored(choice: Choice) -> dict[str, str]:
    metric = choice.metric
    return {"name": stored_name(metric), "type": metric["type"], "unit": metric["unit"]}


def _place(row: Mapping[str, Any]) -> tuple[bool, bool, int]:
    """Order attributes for the table of series: those of points, the service, then what else tells its series apart."""
    return row["position"] != "point", row["key"] != terms.SERVICE, -row["values"]


def _table(found: Mapping[str, Any], cardinality: Mapping[str, Any], visit: Visit, choice: Choice) -> dict[str, Any]:
    """Make the table of series: columns for the attributes that tell most of them apart."""
    several = [row for row in cardinality["attributes"] if row["values"] > 1]
    telling = [row["key"] for row in sorted(several, key=_place)]
    rows = [
        {
            **series,
            "labels": {key: plain(value) for key, value in {**series["resource"], **series["attributes"]}.items()},
            "last": value_text(series["last_value"], unit_of(choice.metric["name"], choice.metric["unit"])),
            "last_ns": parse_time_ns(series["last_time"]),
            "href": visit.here(
                filter=" and ".join(terms.attribute(key, value) for key, value in series["attributes"].items()) or None,
                by=None,
            ),
        }
        for series in found["series"]
    ]
    columns = [key for key in telling if any(key in row["labels"] for row in rows)][:MOST_COLUMNS]
    return {
        "rows": rows, "total": found["total"], "series_problem": found["problem"],
        "columns": columns or sorted({key for row in rows for key in row["attributes"]})[:MOST_COLUMNS],
        "sort": visit.param("sort") if visit.param("sort") in SERIES_SORTS else "value",
        "ascending": visit.param("order") == "asc",
    }  # fmt: skip
