"""The page of one service, or of one of its operations: charts over time, operations, slowest and failing traces."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import firing
from spanglass_server.pages.findings import reading
from spanglass_server.pages.issues import words
from spanglass_server.pages.performance import heat
from spanglass_server.pages.performance import operation as about
from spanglass_server.pages.rendering import charts, terms
from spanglass_server.pages.rendering.format import NONE, duration_text, rate_parts, rfc3339
from spanglass_server.pages.services import usual, why
from spanglass_server.pages.services.attention import BAD_RATIO, find
from spanglass_server.pages.slos import reading as objectives
from spanglass_server.pages.trends import anomaly_rows, marks
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.services.attention import Finding
    from spanglass_server.pages.visit import Visit

SORTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "operation": lambda row: row["operation"].lower(),
    "requests": lambda row: row["requests"],
    "errors": lambda row: row["error_ratio"] or 0,
    "p50": lambda row: row["p50_ns"] or 0,
    "p95": lambda row: row["p95_ns"] or 0,
    "p99": lambda row: row["p99_ns"] or 0,
    "total": lambda row: row["total_ns"] or 0,
}
DEFAULT_SORT = "total"
#: From so many times the median on a span is slow.
SLOW_TIMES = 2
TRACES_SHOWN = 6
#: What stands for a list of traces that could not be had.
NO_TRACES: dict[str, Any] = {"traces": []}
ISSUES_SHOWN = 5
OTHERS_SHOWN = 4
#: Quantities of trends that the charts are of.
_CHARTED = ("requests", "errors", "duration")
NO_ISSUES: dict[str, Any] = {"issues": [], "counts": {}}


async def show(visit: Visit) -> Response:
    """``/services/{service}``."""
    name, operation = visit.request.path_params["service"], visit.exact("operation")
    window = visit.window.as_params()
    traces = {**window, "service": name, "operation": operation, "limit": TRACES_SHOWN}
    spans = {"service": name, "operation": operation, "filter": "" if operation else why.REQUESTS}
    (
        listing,
        answer,
        series,
        slowest,
        failing,
        issues,
        alerts,
        cells,
        findings,
        told,
        slos,
        earlier,
        unusual,
        trends,
    ) = await visit.together(
        visit.api("services", **window, buckets=0),
        visit.api("services", name, "operations", **window),
        visit.api("services", name, "series", **window, operation=operation),
        visit.attempt(visit.api("traces", **traces, sort="duration"), NO_TRACES),
        visit.attempt(visit.api("traces", **traces, sort="time", filter=_failing(operation)), NO_TRACES),
        _issues(visit, name, operation),
        firing.read(visit, service=name),
        heat.ask(visit, {**window, **spans}),
        reading.section(visit, name, operation),
        about.read(visit, name, operation),
        objectives.section(visit, name),
        usual.course_of(visit, name, operation),
        anomaly_rows.section(visit, name, operation),
        marks.read(visit, service=name, operation=operation),
    )
    service = next((row for row in listing["services"] if row["service"] == name), None)
    sort = visit.param("sort") if visit.param("sort") in SORTS else DEFAULT_SORT
    ascending = visit.param("order") == "asc" if visit.param("order") else sort == "operation"
    operations = sorted(answer["operations"], key=SORTS[sort], reverse=not ascending)
    chosen = next((row for row in operations if row["operation"] == operation), None) if operation else service
    finding = find(series["points"], visit.until_s, earlier)
    return visit.page(
        "service.html", firing=alerts, unusual=unusual, findings=findings, finding=finding,
        slos=() if operation else slos,
        reason=await why.explain(visit, finding, name, operation), bad_ratio=BAD_RATIO,
        status=200 if service or operations else 404, name=name, operation=operation,
        slot=service["slot"] if service else 0, known=bool(service or operations), figures=chosen,
        other_trends=() if operation else _others(trends), operations=operations, sort=sort,
        ascending=ascending, total_ns=sum(row["total_ns"] for row in operations) or 1,
        charts=_charts(series, visit, trends, operation), slowest=slowest, failing=failing,
        failing_filter=_failing(operation),
        told=told, logs=await about.logs_of(visit, [*slowest["traces"], *failing["traces"]]) if told else (),
        heat=heat.draw(cells, visit), heat_problem=cells["problem"], differences=visit.go("/differences", **spans),
        slow_ones=visit.go("/differences", **spans, **_slow(chosen)),
        apart=visit.go("/differences", **spans, **bad) if (bad := _apart(visit, finding)) else None,
        issues=issues, open_issues=sum(issues["counts"].get(state, 0) for state in words.OPEN),
    )  # fmt: skip


def _apart(visit: Visit, finding: Finding | None) -> dict[str, str]:
    """Return what selects the spans that show what is wrong, for the page that says what is different about them."""
    if finding is None or finding.kind not in why.TELLING:
        return {}
    _, wanted = why.TELLING[finding.kind]
    if not wanted:  # as many times the usual as the slow ones are of it: what is slow now, and little of the usual
        return {"selected_min": f"{round(math.sqrt(finding.usual * finding.now))}ns"}
    until = {} if finding.until_s is None else {"selected_end": rfc3339(int(finding.until_s * SECOND_NS))}
    since_ns = max(visit.window.start_ns, int(finding.since_s * SECOND_NS))
    return {"selected": wanted, "selected_start": rfc3339(since_ns), **until}


def _slow(figures: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what selects the spans that are slow by the figures."""
    if not figures or not figures["p95_ns"]:
        return {}
    return {"selected_min": f"{slow_from(figures['p50_ns'], figures['p95_ns'], figures['p99_ns'])}ns"}


def slow_from(p50_ns: float, p95_ns: float, p99_ns: float) -> int:
    """Return from which duration on spans are slow, in nanoseconds: twice the median, or more where many are slow.

    Then the bound lies between both kinds, at the geometric mean of median and p95. Where hardly any takes twice the
    median, or the median is nothing (a coarse clock), the slowest of twenty are slow.
    """
    bound = round(max(SLOW_TIMES * p50_ns, math.sqrt(p50_ns * p95_ns)))
    return bound if p50_ns < bound <= p99_ns else round(p95_ns)


async def _issues(visit: Visit, name: str, operation: str) -> dict[str, Any]:
    """Return the open issues of a service with most events; an operation has none of its own."""
    if operation:
        return {**NO_ISSUES, "problem": None}
    window = visit.window.as_params()
    return await visit.attempt(
        visit.api("issues", **window, service=name, sort="events", limit=ISSUES_SHOWN), NO_ISSUES
    )


def _failing(operation: str) -> str:
    """Return the filter for spans that the page counts as errors: of an operation all, of a service its requests.

    A call that failed while the request went well is no error of the service: 404s count for the client span alone.
    """
    return terms.ERRORS if operation else f"{terms.ERRORS} and {why.REQUESTS}"


def _others(trends: marks.Marks) -> Sequence[marks.Mark]:
    """What is marked of a service that is on none of its charts: its memory, queues, pools."""
    return [mark for quantity, found in trends.items() if quantity not in _CHARTED for mark in found][:OTHERS_SHOWN]


def _charts(
    series: Mapping[str, Any], visit: Visit, trends: marks.Marks, operation: str
) -> Sequence[tuple[str, charts.Chart, Sequence[marks.Mark]]]:
    """Return the charts with their marks: of an operation with lines; of a service its operations' are told only."""
    points, step_s = series["points"], series["step_s"]
    buckets = visit.buckets([point["t"] for point in points], step_s)

    def pick(key: str) -> list[float | None]:
        return [point[key] for point in points]

    def rate(value: float | None) -> str:
        return "".join(rate_parts(value or 0))

    def percent(value: float | None) -> str:
        return NONE if value is None else f"{value:.3g}\u202f%"

    first_s = charts.first_filled(points)
    rates = [point["requests"] / step_s if point["t"] >= first_s else None for point in points]
    ratios = [100 * point["errors"] / point["requests"] if point["requests"] else None for point in points]
    requests = [charts.Series("requests", "", rates)]
    failing = [charts.Series("failing", "err", ratios)]
    percentiles = [charts.Series(f"p{p}", css, pick(f"p{p}_ns")) for p, css in ((99, "ink"), (95, ""), (50, "p50"))]
    asked: Sequence[tuple[str, str, str, list[charts.Series], Callable[[float | None], str], float]] = (
        ("Requests", "requests", "Requests over time", requests, rate, 1.0),
        ("Errors", "errors", "Share of failing requests over time", failing, percent, 100.0),
        ("Duration", "duration", "Percentiles of duration over time", percentiles, duration_text, SECOND_NS),
    )
    found = []
    for title, quantity, label, layers, text, scale in asked:
        marked = marks.of(trends, quantity)[:1]
        guides = marks.lines(marked, buckets.times_s, scale) if operation else []
        drawn = charts.lines(marks.labelled(label, marked), buckets, [*layers, *guides], visit.clock, text)
        found.append((title, drawn, marked))
    return found
