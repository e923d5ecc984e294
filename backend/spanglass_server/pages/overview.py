"""The overview: what is wrong now, then requests, services, hosts, key metrics, recent errors, and what comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.pages.alerts import firing
from spanglass_server.pages.findings import reading
from spanglass_server.pages.health.standing import standing
from spanglass_server.pages.hosts import pages as host_pages
from spanglass_server.pages.hosts import wrong
from spanglass_server.pages.incidents import listing as incident_list
from spanglass_server.pages.metrics import kinds
from spanglass_server.pages.metrics.listing import stored_name
from spanglass_server.pages.notifications import told
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.rendering.format import duration_text, parse_time_ns, percent_parts, rate_parts
from spanglass_server.pages.rendering.units import rate_unit_parts, unit_of, value_parts
from spanglass_server.pages.services import usual
from spanglass_server.pages.services.services import what_is_wrong, with_sparks
from spanglass_server.pages.window import SECOND_NS
from spanglass_server.service_names import UNKNOWN_SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from starlette.responses import Response

    from spanglass_server.pages.visit import Visit

Row = dict[str, Any]
#: Rows of each list; the pages behind them have the rest.
SERVICES, HOSTS, ISSUES, METRICS, NEW_ISSUES, SENDERS = 10, 6, 5, 6, 3, 5
BUCKETS = 40
MINUTE_S = 60
#: A service that sent a signal for a while and then nothing for so long is behind: SDKs send every 5 to 60 s.
BEHIND_NS = 300 * SECOND_NS
SIGNALS = {"spans": "spans", "logs": "log records", "metrics": "data points"}
NOTHING: dict[str, Any] = {"hosts": [], "issues": [], "senders": [], "metrics": [], "courses": [], "counts": {}}


async def show(visit: Visit) -> Response:
    """``/``."""
    window = visit.window.as_params()
    earlier = {name: str(max(1, int(at) - visit.window.length_ns)) for name, at in window.items()}
    (
        listing,
        total,
        before,
        hosts,
        issues,
        senders,
        metrics,
        status,
        alerts,
        telling,
        incidents,
        whole,
        findings,
        earlier_courses,
    ) = await visit.together(
        visit.api("services", **window, buckets=BUCKETS),
        visit.api("requests", **window, buckets=BUCKETS),
        visit.attempt(visit.api("requests", **earlier, buckets=BUCKETS), {"points": [], "requests": 0}),
        visit.attempt(visit.api("hosts", **window), NOTHING),
        visit.attempt(visit.api("issues", **window, sort="last_seen", limit=20), NOTHING),
        visit.attempt(visit.api("senders", **window), NOTHING),
        _key_metrics(visit),
        visit.attempt(visit.api("status"), {"counters": {}, "health": None}),
        firing.read(visit),
        told.standing(visit),
        incident_list.live(visit),
        standing(visit),
        reading.section(visit),
        usual.courses(visit, BUCKETS),
    )
    first_s = charts.first_filled(point for service in listing["services"] for point in service["series"])
    services = [with_sparks(service, visit.until_s, first_s, earlier_courses) for service in listing["services"]]
    host_rows = [host_pages.with_host(host, visit) for host in hosts["hosts"]]
    host_rows.sort(key=lambda host: -(host["disks"][0]["ratio"] if host["disks"] else 0))
    told_of = {alert["labels"].get("issue") for alert in alerts.alerts}
    fresh = [issue for issue in issues["issues"] if _is_new(issue, visit) and issue["id"] not in told_of]
    arriving, causes = incoming(senders["senders"], visit), await what_is_wrong(visit, services)
    is_quiet = arriving["age_ns"] is not None and arriving["age_ns"] > BEHIND_NS and visit.window.live
    named = {row["service"] for cause in causes for row in (cause.row, *cause.others)}
    return visit.page(
        "overview.html", firing=alerts, telling=telling, incidents=incidents, whole=whole,
        findings=findings,
        causes=[] if is_quiet else causes,
        services=services[:SERVICES], found=len(services),
        troubles=[] if is_quiet else wrong.troubles(host_rows, visit), is_quiet=is_quiet,
        hosts=host_rows[:HOSTS], host_count=len(host_rows),
        hosts_problem=hosts["problem"], new_issues=fresh[:NEW_ISSUES], more_issues=len(fresh) - NEW_ISSUES,
        issues=[{**row, "spark": charts.spark(row["series"])} for row in issues["issues"][:ISSUES]],
        issues_problem=issues["problem"], behind=[] if is_quiet else _behind(senders["senders"], named, visit),
        incoming=arriving,
        refused=_refused(status["counters"]), health=status["health"], metrics=metrics, total=total,
        figures=_figures(total, before, visit), is_empty=not (services or host_rows or senders["senders"]),
    )  # fmt: skip


def _is_new(issue: Mapping[str, Any], visit: Visit) -> bool:
    """Whether an issue was first seen in the range, or came back in it."""
    return issue["state"] == "regressed" or parse_time_ns(issue["first_seen_time"]) >= visit.window.start_ns


async def _key_metrics(visit: Visit) -> list[Row]:
    """Return the application's own metrics with most points, else those of its libraries, with their course."""
    window = visit.window.as_params()
    catalog = await visit.attempt(visit.api("metrics", "catalog", **window, limit=10_000), NOTHING)
    ranked = sorted(catalog["metrics"], key=lambda row: -row["points"])
    chosen = [row for kind in ("custom", "application") for row in ranked if kinds.kind_of(row["name"]) == kind][
        :METRICS
    ]
    names = ",".join(stored_name(row) for row in chosen if "," not in row["name"])
    if not names:
        return []
    answer = await visit.attempt(visit.api("metrics", "courses", **window, names=names, buckets=BUCKETS), NOTHING)
    courses = {(course["name"], course["unit"]): course["values"] for course in answer["courses"]}
    return [_metric(row, courses.get((stored_name(row), row["unit"]), []), answer, visit) for row in chosen]


def _metric(row: Row, values: Sequence[float | None], answer: Mapping[str, Any], visit: Visit) -> Row:
    times = [answer["start"] + place * answer["step_s"] for place, _ in enumerate(values)]
    whole = visit.buckets(times, answer["step_s"]).whole(values) if times else []
    last = next((value for value in reversed(whole) if value is not None), None)
    unit = unit_of(row["name"], row["unit"])
    counted = row["shape"] not in {"gauge", "counter"}
    parts = rate_unit_parts(last, "" if counted else unit) if row["shape"] != "gauge" else value_parts(last, unit)
    return {**row, "spark": charts.spark(whole), "parts": parts}


def _figures(total: Mapping[str, Any], before: Mapping[str, Any], visit: Visit) -> list[Row]:
    """Return the three charts of requests, each with its figure, and the same of the period before in grey."""
    points, step_s = total["points"], total["step_s"]
    old = before if before["requests"] else None

    def rate(value: float | None) -> str:
        return "".join(rate_parts(value or 0))

    def percent(value: float | None) -> str:
        return "".join(percent_parts(value))

    def requests(point: Mapping[str, Any]) -> float:
        return float(point["requests"] / step_s)

    def ratio(point: Mapping[str, Any]) -> float | None:
        return point["errors"] / point["requests"] if point["requests"] else None

    def p95(point: Mapping[str, Any]) -> float | None:
        return point["p95_ns"]  # type: ignore[no-any-return]

    p50 = charts.Series("p50", "p50", [point["p50_ns"] for point in points])
    kinds_of = (
        ("Requests", "rate", "rate_per_s", _lines("requests", "", points, old, requests), rate),
        ("Errors", "ratio", "error_ratio", _lines("failing", "err", points, old, ratio), percent),
        ("Duration", "duration", "p95_ns", [*_lines("p95", "", points, old, p95), p50], duration_text),
    )
    buckets = visit.buckets([point["t"] for point in points], step_s)
    return [
        {
            "title": title,
            "kind": kind,
            "now": total[key],
            "before": old[key] if old else None,
            "chart": charts.lines(f"{title} over time", buckets, lines, visit.clock, text),
        }
        for title, kind, key, lines, text in kinds_of
    ]


def _lines(
    name: str,
    css: str,
    points: Sequence[Mapping[str, Any]],
    old: Mapping[str, Any] | None,
    value: Callable[[Mapping[str, Any]], float | None],
) -> list[charts.Series]:
    """Return a line, and that of the earlier period; where nothing was received yet, there is no zero to draw."""

    def values(found: Sequence[Mapping[str, Any]]) -> list[float | None]:
        first_s = charts.first_filled(found)
        drawn = [value(point) if point["t"] >= first_s else None for point in found[: len(points)]]
        return drawn + [None] * (len(points) - len(drawn))

    then = [charts.Series(f"{name} before", "p", values(old["points"]))] if old else []
    return [*then, charts.Series(name, css, values(points))]


def _behind(senders: Sequence[Mapping[str, Any]], told: Container[str], visit: Visit) -> list[Row]:
    """Return who has stopped sending metrics: services that sent none in the newest minutes, but for those told of.

    Requests that stopped are told by their service, and logs come when something happens: metrics come all the time.
    """
    now_ns = min(visit.window.end_ns, visit.clock.now_ns)
    found = [
        {**sender, "last_ns": last_ns}
        for sender in senders
        if sender["signal"] == "metrics"
        and now_ns - (last_ns := parse_time_ns(sender["last_time"])) > BEHIND_NS
        and sender["service"] != UNKNOWN_SERVICE
        and sender["service"] not in told
    ]
    return sorted(found, key=lambda sender: -sender["last_ns"])[:SENDERS]


def incoming(senders: Sequence[Mapping[str, Any]], visit: Visit) -> Row:
    """Return how many records of each signal came a second in the newest minute, and the age of the newest one.

    Where data is not a minute old, it counts from the first record on.
    """
    first_ns = visit.site.first_time()
    age_s = MINUTE_S if first_ns is None else (visit.window.end_ns - first_ns) / SECOND_NS
    over_s = min(max(age_s, 1), MINUTE_S)
    rates = {
        name: sum(sender["newest_minute"] for sender in senders if sender["signal"] == signal) / over_s
        for signal, name in (("spans", "Spans"), ("logs", "Logs"), ("metrics", "Points"))
    }
    last_ns = max((parse_time_ns(sender["last_time"]) for sender in senders), default=None)
    return {
        "rates": rates,
        "last_ns": last_ns,
        "age_ns": None if last_ns is None else max(0, visit.clock.now_ns - last_ns),
    }


def _refused(counters: Mapping[str, Any]) -> int | None:
    """Return how many requests were refused and records left out since the server's start."""
    totals = [counters[name]["series"] for name in ("refused_requests", "rejected_records") if name in counters]
    return sum(int(entry["value"]) for series in totals for entry in series) if totals else None
