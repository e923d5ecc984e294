"""The page of all services: rate, errors and latency of each, the worst one click away."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering import charts
from spanglass_server.pages.services import usual, why
from spanglass_server.pages.services.attention import BAD_RATIO, find
from spanglass_server.pages.services.causes import one_row_a_cause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.services.causes import Cause
    from spanglass_server.pages.visit import Visit

#: Columns that sort, and what they sort by.
SORTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "service": lambda row: row["service"].lower(),
    "requests": lambda row: row["rate_per_s"],
    "errors": lambda row: row["error_ratio"] or 0,
    "p50": lambda row: row["p50_ns"] or 0,
    "p95": lambda row: row["p95_ns"] or 0,
    "p99": lambda row: row["p99_ns"] or 0,
}
DEFAULT_SORT = "requests"
#: So many of the findings are explained by a trace; each costs two questions.
EXPLAINED = 5
#: What is wrong, the worst first: a service that fell silent before those whose calls of it fail.
KINDS = ("silent", "failing", "slow", "failed")
BUCKETS = 40


async def show(visit: Visit) -> Response:
    """``/services``."""
    answer, earlier = await visit.together(
        visit.api("services", **visit.window.as_params(), buckets=BUCKETS), usual.courses(visit, BUCKETS)
    )
    services = answer["services"]
    sort = visit.param("sort") if visit.param("sort") in SORTS else DEFAULT_SORT
    ascending = visit.param("order") == "asc" if visit.param("order") else sort == "service"
    end_s = visit.until_s
    first_s = charts.first_filled(point for service in services for point in service.get("series") or [])
    ordered = sorted(services, key=SORTS[sort], reverse=not ascending)
    rows = [with_sparks(service, end_s, first_s, earlier) for service in ordered]
    return visit.page(
        "services.html", rows=rows, sort=sort, ascending=ascending, strip=_strip(services, visit),
        rate_per_s=sum(service["rate_per_s"] for service in services),
        requests=sum(service["requests"] for service in services), wrong=await what_is_wrong(visit, rows),
    )  # fmt: skip


async def what_is_wrong(visit: Visit, rows: Sequence[Mapping[str, Any]]) -> list[Cause]:
    """Return what is wrong with services (``with_sparks``), the worst first, one a cause."""
    wrong = sorted((row for row in rows if row["finding"]), key=_urgency)
    reasons = await visit.together(*(why.explain(visit, row["finding"], row["service"]) for row in wrong[:EXPLAINED]))
    return one_row_a_cause(list(zip_longest(wrong, reasons)))


def _urgency(row: Mapping[str, Any]) -> tuple[int, float, float]:
    finding = row["finding"]
    return KINDS.index(finding.kind), -finding.now, -finding.usual


def with_sparks(
    service: Mapping[str, Any], end_s: float | None = None, first_s: float = 0, earlier: usual.Courses | None = None
) -> dict[str, Any]:
    """Return a service with its three sparklines, and what is wrong with it.

    ``end_s`` is as in ``find``, and so is what ``earlier`` has of it; before ``first_s`` nothing was received, from no
    service: no line is drawn there.
    """
    series = service.get("series") or []
    bad = (service["error_ratio"] or 0) >= BAD_RATIO
    times = [point["t"] for point in series]
    step_s = times[1] - times[0] if len(times) > 1 else 0
    buckets = charts.Buckets(times, step_s, end_s=math.inf if end_s is None else end_s)

    def spark(value: Callable[[Mapping[str, Any]], float | None], *, bad: bool = False) -> dict[str, str]:
        return charts.spark(buckets.whole([value(p) if p["t"] >= first_s else None for p in series]), bad=bad)

    return {
        **service,
        "bad": bad,
        "finding": find(series, end_s, (earlier or {}).get(service["service"], ())),
        "spark_requests": spark(lambda point: point["requests"]),
        "spark_errors": spark(_ratio, bad=bad),
        "spark_p95": spark(lambda point: point["p95_ns"]),
    }


def _ratio(point: Mapping[str, Any]) -> float:
    return point["errors"] / point["requests"] if point["requests"] else 0.0


def _strip(services: Sequence[Mapping[str, Any]], visit: Visit) -> charts.Chart:
    sums: dict[float, list[int]] = {}
    for service in services:
        for point in service.get("series") or []:
            both = sums.setdefault(point["t"], [0, 0])
            both[0] += point["requests"] - point["errors"]
            both[1] += point["errors"]
    times = sorted(sums)
    step_s = times[1] - times[0] if len(times) > 1 else visit.window.length_ns / 1e9 / BUCKETS
    layers = [charts.Series("errors", "err", [sums[time][1] for time in times]),
              charts.Series("others", "", [sums[time][0] for time in times])]  # fmt: skip
    return charts.bars("Requests and errors over time", visit.buckets(times, step_s), layers, visit.clock)
