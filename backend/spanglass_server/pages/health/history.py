"""What was of a check, a component or the whole: uptime over some times, a strip of days, outages, changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import drawing
from spanglass_server.pages.health import looks, reading
from spanglass_server.pages.rendering.format import duration_text, rfc3339
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.visit import Visit

#: Times back over which uptime is told: as it is called, and in days.
UPTIMES = (("24 hours", 1), ("7 days", 7), ("30 days", 30), ("90 days", 90))
DAYS = 90
MOST_CHANGES, MOST_OUTAGES = 50, 20
#: Ranges of the chart of response times, the first being the one of a URL without any: name and hours.
RANGES = {"1h": ("1 h", 1), "6h": ("6 h", 6), "24h": ("24 h", 24), "7d": ("7 days", 168)}
_DAY_NS = 86_400 * SECOND_NS
_NO_UPTIME: dict[str, Any] = {"share": None, "outages": [], "days": []}


async def history(visit: Visit, *path: str) -> dict[str, Any]:
    """Return the past of what has its history at a path of the API."""
    *uptimes, days, changes = await visit.together(
        *(visit.attempt(visit.api(*path, "uptime", start=_before(visit, days)), _NO_UPTIME) for _, days in UPTIMES),
        visit.attempt(visit.api(*path, "uptime", start=_first_day(visit), step="1d"), _NO_UPTIME),
        visit.attempt(visit.api(*path, "changes", limit=MOST_CHANGES), {"changes": []}),
    )
    return {
        "uptimes": [(name, looks.uptime(found["share"])) for (name, _), found in zip(UPTIMES, uptimes, strict=True)],
        "days": reading.days(days["days"], visit),
        "outages": [_outage(one, visit) for one in reversed(uptimes[-1]["outages"])][:MOST_OUTAGES],
        "changes": [reading.change(one) for one in changes["changes"]],
        "problem": days["problem"],
    }


def _before(visit: Visit, days: int) -> str:
    return rfc3339(visit.clock.now_ns - days * _DAY_NS)


def _first_day(visit: Visit) -> str:
    """Return the start of the first day of the strip; its days are those of UTC."""
    return rfc3339((visit.clock.now_ns // _DAY_NS - DAYS + 1) * _DAY_NS)


def _outage(one: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    start_ns, end_ns = reading.time_ns(one["start_time"]), reading.time_ns(one["end_time"])
    lasted = duration_text((end_ns or visit.clock.now_ns) - start_ns)
    return {**one, "start_ns": start_ns, "end_ns": end_ns, "lasted": lasted}


async def response_times(visit: Visit, check: Mapping[str, Any], last: str) -> dict[str, Any]:
    """Return the chart of how long a check took over a range, from the metric that it writes, or why there is none."""
    end_ns = visit.clock.now_ns
    start_ns = end_ns - RANGES[last][1] * 3_600 * SECOND_NS
    step_s = max(30, (end_ns - start_ns) // SECOND_NS // 200)
    window_s = max(2 * step_s, 4 * (check["interval_ns"] or 0) // SECOND_NS, 120)
    query = _mean(check, window_s)
    params = {"query": query, "start": str(start_ns // SECOND_NS), "end": str(end_ns // SECOND_NS), "step": str(step_s)}
    question = visit.site.api("/prometheus/api/v1/query_range", params)
    answer = await visit.attempt(question, {"data": {"result": []}})
    series: list[dict[str, Any]] = [
        {"labels": {}, "times_s": [float(time) for time, _ in one["values"]],
         "values": [float(value) if value != "NaN" else None for _, value in one["values"]], "bounds": None}
        for one in answer["data"]["result"][:1]
    ]  # fmt: skip
    course = drawing.Course("Response time", "s", series, (), (), start_ns, end_ns)
    return {"drawing": drawing.draw(course, visit) if series else None, "problem": answer["problem"]}


def _mean(check: Mapping[str, Any], window_s: int) -> str:
    """Return PromQL of the mean duration of runs: of a check of the server by its uid, of an application's by name."""
    if check["source"] == "check":
        labels = f"spanglass_health_check_uid={_quoted(check['uid'])}"
    else:
        service = f",service_name={_quoted(check['service'] or '')}"
        labels = f"spanglass_health_check_name={_quoted(check['name'])}{service}"
    metric = "spanglass_health_check_duration_seconds"
    return " / ".join(f"sum(increase({metric}_{part}{{{labels}}}[{window_s}s]))" for part in ("sum", "count"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
