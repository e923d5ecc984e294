"""Memory leaks among the findings: how they grow, as a row says it, and the chart of a service's processes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.leaks.sources import promql
from spanglass_server.pages.rendering import charts, units
from spanglass_server.pages.rendering.charts import SECOND_NS
from spanglass_server.pages.rendering.format import parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.visit import Visit

_UNIT: Final = "By"
#: Steps of the chart, at most; so much is shown from before the growth: as long as it lasts, at least half an hour.
_STEPS, _LEAST_BEFORE_NS = 200, 1800 * SECOND_NS
#: Processes that are drawn, those that are largest.
_MOST: Final = 8


def speed(leak: Mapping[str, Any]) -> str:
    """How fast the process that grows fastest does."""
    return units.value_text(leak["grown"][0]["bytes_per_hour"], _UNIT)


async def chart(service: str, leak: Mapping[str, Any], visit: Visit) -> charts.Chart | None:
    """Return the memory of a service's processes over time, marked where growth began; None where nothing is known."""
    end_ns, began_ns = parse_time_ns(leak["time"]), min(parse_time_ns(one["since"]) for one in leak["grown"])
    start_ns = began_ns - max(end_ns - began_ns, _LEAST_BEFORE_NS)
    step_s = max(15, -(-(end_ns - start_ns) // SECOND_NS // _STEPS))
    count = (end_ns - start_ns) // SECOND_NS // step_s + 1
    first_s = end_ns // SECOND_NS - (count - 1) * step_s
    params = {"query": promql(service), "start": str(first_s), "end": str(end_ns // SECOND_NS), "step": str(step_s)}
    question = visit.site.api("/prometheus/api/v1/query_range", params)
    answer = await visit.attempt(question, {"data": {"result": []}})
    rows = sorted(answer["data"]["result"], key=lambda row: -float(row["values"][-1][1]))[:_MOST]
    if not rows:
        return None
    times = [float(first_s + place * step_s) for place in range(count)]
    grown = {one["instance"] for one in leak["grown"]}
    layers = [
        charts.Series(
            _name(row["metric"]), "" if row["metric"].get("instance", "") in grown else "p",
            _placed(row["values"], first_s, step_s, count),
        )
        for row in rows
    ]  # fmt: skip
    drawn = charts.lines(
        "Memory of its processes", charts.Buckets(times, step_s), layers, visit.clock,
        lambda value: units.value_text(value, _UNIT), units.ceiling_of(_UNIT),
    )  # fmt: skip
    mark = {"css": "c-m", "x1": round(100 * (began_ns / SECOND_NS - first_s) / (count * step_s), 2)}
    return replace(drawn, marks=[mark, *drawn.marks])


def _name(labels: Mapping[str, str]) -> str:
    return labels.get("instance") or labels.get("process_pid") or labels.get("host_name") or "a process"


def _placed(values: list[tuple[float, str]], first_s: int, step_s: int, count: int) -> list[float | None]:
    found: list[float | None] = [None] * count
    for time, text in values:
        place = round((time - first_s) / step_s)
        if 0 <= place < count:
            found[place] = float(text)
    return found
