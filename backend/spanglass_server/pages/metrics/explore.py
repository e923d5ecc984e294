"""Any PromQL over what is stored: a chart, the values at the end of the range, and a way into a dashboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spanglass_server.api_questions import API
from spanglass_server.pages.metrics.prometheus import NAME, ask_expressions, ask_now
from spanglass_server.pages.ports import ApiError
from spanglass_server.pages.problem import of_api
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.units import number_text
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.metrics.lines import Drawn, Line
    from spanglass_server.pages.visit import Visit

#: Lines of the chart, and rows of the table; longer answers say how long they are.
MOST_LINES, MOST_ROWS = 20, 500
#: What may be asked, for who has not written PromQL yet.
EXAMPLES = (
    ("Requests a second by service", "sum by (service_name) (rate(spans_total[5m]))"),
    (
        "95th percentile of durations",
        "histogram_quantile(0.95, sum by (le, service_name) (rate(span_duration_seconds_bucket[5m])))",
    ),
    (
        "Processors that are busy, by host",
        'sum by (host_name) (rate(system_cpu_time_seconds_total{cpu_mode!="idle"}[5m]))',
    ),
    ("Errors logged by service", 'sum by (service_name) (increase(log_records_total{severity="error"}[5m]))'),
)


async def show(visit: Visit) -> Response:
    """``/metrics/explore``."""
    query = visit.param("query")
    found: dict[str, Any] = {"drawn": None, "chart": None, "exports": {}, "rows": [], "total": 0, "problem": None}
    if query:
        try:
            found |= await _answer(visit, query)
        except ApiError as error:
            found["problem"] = of_api(error, visit)
    problem = found["problem"]
    return visit.page(
        "metrics/explore.html", status=problem.status if problem else 200, query=query, examples=EXAMPLES,
        boards=await read_boards(visit) if found["chart"] else [], **found,
    )  # fmt: skip


async def _answer(visit: Visit, query: str) -> dict[str, Any]:
    (rows, kind), drawn = await visit.together(ask_now(visit, query), _range(visit, query))
    return {
        "rows": [_row(row) for row in rows[:MOST_ROWS]],
        "total": len(rows),
        "kind": kind,
        "drawn": drawn,
        "chart": _chart(drawn, visit) if drawn and drawn.lines else None,
        "data": _data(drawn, visit) if drawn else "",
        "exports": _exports(visit, query, drawn.step_s) if drawn else {},
        "panel": json.dumps({"type": "line", "queries": [{"promql": query}]}),
    }


def _exports(visit: Visit, query: str, step_s: float) -> dict[str, str]:
    """Return links to what the chart draws as files, by form: all series of it, at the same times."""
    asked = {**visit.window.absolute(), "query": query, "step": f"{step_s:g}s"}
    return {
        form: visit.link(f"{API}/promql/export", {**asked, "format": form}) for form in ("csv", "ndjson", "parquet")
    }


async def _range(visit: Visit, query: str) -> Drawn | None:
    """Return the lines; None for what has no course: a range of samples, or a text."""
    try:
        return await ask_expressions(visit, [(query, "value")], most=MOST_LINES)
    except ApiError as error:
        if "for range query" in str(error):
            return None
        raise


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    labels = {key: value for key, value in row["metric"].items() if key != NAME}
    return {"name": row["metric"].get(NAME, ""), "labels": labels, "value": _value(row)}


def _value(row: Mapping[str, Any]) -> str:
    if "histogram" in row:
        histogram = row["histogram"][1]
        return f"count {histogram['count']}, sum {histogram['sum']}"
    if "values" in row:
        return f"{len(row['values'])} samples"
    text = str(row["value"][1])
    try:
        return number_text(float(text)) if text not in {"NaN", "+Inf", "-Inf"} else text
    except ValueError:
        return text


def _chart(drawn: Drawn, visit: Visit) -> charts.Chart:
    layers = [charts.Series(line.name, _css(place, drawn.lines), line.values) for place, line in enumerate(drawn.lines)]
    buckets = charts.Buckets(drawn.times, drawn.step_s)
    return charts.lines("The expression over time", buckets, layers, visit.clock, _number)


def _number(value: float | None) -> str:
    return "\u2013" if value is None else number_text(value)


def _css(place: int, lines: Sequence[Line]) -> str:
    return f"s{place % 10}" if len(lines) > 1 else ""


def _data(drawn: Drawn, visit: Visit) -> str:
    frame = {
        "times": drawn.times,
        "step": drawn.step_s,
        "start": visit.window.start_ns / SECOND_NS,
        "end": visit.window.end_ns / SECOND_NS,
        "series": [{"name": line.name, "labels": dict(line.labels), "values": line.values} for line in drawn.lines],
    }
    look = {
        "kind": "line",
        "unit": "",
        "label": "The expression over time",
        "legend": "table" if len(drawn.lines) > 1 else "list",
    }
    return json.dumps({"look": look, "frame": frame, "exemplars": []}, ensure_ascii=False)


async def read_boards(visit: Visit) -> list[dict[str, Any]]:
    """Return the dashboards that were made in pages, for *Add to dashboard*; those of files are changed there."""
    answer = await visit.attempt(visit.api("dashboards", show="all"), {"dashboards": []})
    return [row for row in answer["dashboards"] if row["origin"] == "kept"]
