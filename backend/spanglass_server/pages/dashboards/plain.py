"""``/dashboards/{uid}?plain=1``: a dashboard that the server draws, for readers without script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering.charts import Buckets, Series, lines
from spanglass_server.pages.rendering.units import ceiling_of, value_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from spanglass_server.pages.rendering.charts import Chart
    from spanglass_server.pages.visit import Visit

VARIABLE = "var."
#: Lines that have a colour of their own; the others are in no chart, as `static/js/charts` has them grey.
MOST_LINES = 10
MOST_ROWS = 12
POINTS = 240
DRAWN = frozenset({"line", "area", "bar"})
#: Units of dashboards by their names in UCUM, which metrics are sent with.
UCUM = {"bytes": "By", "ratio": "%", "percent": "percent", "count": "", "us": "us"}


async def show(visit: Visit, dashboard: Mapping[str, Any]) -> Response:
    """Render all panels with their data; one that fails says why in its place."""
    chosen: dict[str, list[str]] = {}
    for name, value in visit.request.query_params.multi_items():
        if name.startswith(VARIABLE):
            chosen.setdefault(name.removeprefix(VARIABLE), []).append(value)
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "heatmap"]
    answers = await visit.together(*(_answer(visit, dashboard, panel, chosen) for panel in panels))
    shown = [_shown(visit, panel, answer) for panel, answer in zip(panels, answers, strict=True)]
    return visit.page("dashboards/plain.html", dashboard=dashboard, panels=shown)


async def _answer(
    visit: Visit, dashboard: Mapping[str, Any], panel: Mapping[str, Any], chosen: Mapping[str, list[str]]
) -> dict[str, Any]:
    if panel["type"] == "text":
        return {"problem": None, "errors": [], "unit": "", "table": None, "series": [], "records": None}
    body = {"panel": panel, "definitions": dashboard["variables"], "variables": chosen, "points": POINTS}
    return await visit.attempt(visit.ask("dashboards", "panel-data", body=body), {})


def _shown(visit: Visit, panel: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What the template needs of one panel: its chart, rows of name and value, or the text of a note."""
    shown = {"title": panel["title"], "text": panel["options"]["text"], "chart": None, "columns": [], "rows": []}
    if answer["problem"]:
        return {**shown, "problem": answer["problem"]}
    problem = "; ".join(error["message"] for error in answer["errors"])
    unit = unit_of(answer["unit"])
    if answer["table"] is not None:
        columns = [column["name"] for column in answer["table"]["columns"]]
        rows = [
            [value_text(value, unit) if isinstance(value, float) else value for value in row]
            for row in answer["table"]["rows"][:MOST_ROWS]
        ]
        return {**shown, "problem": problem, "columns": columns, "rows": rows}
    if panel["type"] in DRAWN and answer["series"]:
        shown["chart"] = _chart(visit, panel, answer, unit)
    rows = [[one["name"], value_text(one["value"], unit)] for one in answer["series"][:MOST_ROWS]]
    rows += [_record(record) for record in (answer["records"] or [])[:MOST_ROWS]]
    return {**shown, "problem": problem, "rows": rows}


def unit_of(unit: str) -> str:
    """Return a dashboard's unit as ``pages/rendering/units.py`` knows it."""
    return UCUM.get(unit, unit)


def _chart(visit: Visit, panel: Mapping[str, Any], answer: Mapping[str, Any], unit: str) -> Chart:
    step_s = answer["step_ms"] / 1000
    buckets = Buckets([time / 1000 - step_s for time in answer["times"]], step_s)
    series = [
        Series(one["name"] or "value", f"s{place if one['slot'] is None else one['slot']}", one["values"])
        for place, one in enumerate(answer["series"][:MOST_LINES])
    ]
    return lines(
        panel["title"] or "Chart", buckets, series, visit.clock, lambda value: value_text(value, unit), ceiling_of(unit)
    )


def _record(record: Mapping[str, Any]) -> list[str]:
    """Return a trace, or a log record, as two words."""
    if "root_operation" in record:
        return [f"{record['root_service']} {record['root_operation']}", value_text(record["duration_ns"], "ns")]
    return [f"{record['service']}: {record['body']}", record["severity"]]
