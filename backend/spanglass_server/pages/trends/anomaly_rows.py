"""Anomalies as pages show them: values as text, charts with what is usual, where each leads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from spanglass_server.pages.rendering import charts, terms, units
from spanglass_server.pages.rendering.charts import SECOND_NS
from spanglass_server.pages.rendering.format import parse_time_ns, rfc3339
from spanglass_server.pages.trends.drawing import text_of, unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: What stands for anomalies that can't be had.
NOTHING: Final[dict[str, Any]] = {
    "anomalies": [], "total": 0, "counts": {"open": 0, "ended": 0, "fine": 0}, "watching": [],
    "anomalies_left_out": 0, "metrics_left_out": 0, "enabled": True, "ready_time": None,
}  # fmt: skip
#: Times around an anomaly that links lead to.
_AROUND_NS: Final = 1800 * SECOND_NS
#: A small chart's line stays away from its edges, where its stroke would be cut.
_EDGE: Final = 4.0
#: Labels that say more than the title does.
_TOLD: Final = frozenset({"service_name", "span_name", "metric", "pattern"})
_MOST_LABELS: Final = 4


@dataclass(frozen=True)
class Row:
    """An anomaly beside others; ``one`` is the API's answer."""

    one: Mapping[str, Any]
    href: str
    chart: Mapping[str, str]
    was: str
    expected: str
    usual: str
    start_ns: int
    end_ns: int | None
    labels: Sequence[str]


def row(one: Mapping[str, Any]) -> Row:
    """Return an anomaly with what its row shows."""
    unit = one["unit"]
    return Row(
        one=one,
        href=f"/anomalies/{one['id']}",
        chart=small(one["points"]),
        was=text_of(one["value"], unit),
        expected=text_of(one["expected"], unit),
        usual=f"{text_of(one['low'], unit)} to {text_of(one['high'], unit)}",
        start_ns=parse_time_ns(one["start_time"]),
        end_ns=None if one["end_time"] is None else parse_time_ns(one["end_time"]),
        labels=[f"{name}={value}" for name, value in one["labels"].items() if name not in _TOLD][:_MOST_LABELS],
    )


def small(points: Mapping[str, Any]) -> dict[str, str]:
    """Return paths in a box of 100 by 100: ``past`` are the values, ``band`` is what is usual."""
    known = [value for name in ("values", "low", "high") for value in points[name] if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    height = high - low or abs(high) or 1.0
    count = max(1, len(points["values"]) - 1)

    def placed(values: Sequence[float | None]) -> list[tuple[float, float]]:
        size = 100 - 2 * _EDGE
        return [
            (100 * place / count, 100 - _EDGE - size * (value - low) / height)
            for place, value in enumerate(values)
            if value is not None
        ]

    top, bottom = placed(points["high"]), placed(points["low"])
    band = _line([*top, *reversed(bottom)]) + "Z" if top and bottom else ""
    return {"past": _line(placed(points["values"])), "expected": "", "band": band}


def _line(places: Sequence[tuple[float, float]]) -> str:
    return "M" + " ".join(f"{x:.2f},{y:.2f}" for x, y in places) if places else ""


def large(one: Mapping[str, Any], visit: Visit) -> charts.Chart:
    """Return the course of an anomaly: its values between what is usual, marked where it began and ended."""
    points, unit = one["points"], unit_of(one["unit"])
    begin_s, step_s = parse_time_ns(points["start_time"]) / SECOND_NS, points["step_s"]
    times = [begin_s + step_s * place for place in range(len(points["values"]))]
    layers = [
        charts.Series("value", "", points["values"]),
        charts.Series("expected", "p50", points["expected"]),
        charts.Series("usually at least", "p", points["low"]),
        charts.Series("usually at most", "p", points["high"]),
    ]
    chart = charts.lines(
        "What it was and what is usual", charts.Buckets(times, step_s), layers, visit.clock,
        lambda value: units.value_text(value, unit), units.ceiling_of(unit),
    )  # fmt: skip
    marked = [parse_time_ns(one[name]) / SECOND_NS for name in ("start_time", "end_time") if one[name]]
    span = len(times) * step_s or 1.0
    marks = [{"css": "c-m", "x1": round(100 * (at - begin_s) / span, 2)} for at in marked if at >= begin_s]
    return replace(chart, marks=[*marks, *chart.marks])


@dataclass(frozen=True)
class Link:
    """Where an anomaly leads."""

    text: str
    href: str
    icon: str


def links(one: Mapping[str, Any], visit: Visit) -> list[Link]:
    """Return what can be looked at of the time of an anomaly: its operation, traces, lines of logs, its metric."""
    start_ns, until_ns = parse_time_ns(one["start_time"]), parse_time_ns(one["end_time"] or one["seen_time"])
    times = {"start": _time(start_ns - _AROUND_NS, visit), "end": _time(until_ns + _AROUND_NS, visit)}
    found: list[Link] = []
    service, operation = one["service"], one["operation"]
    if service and operation:
        page = f"/services/{_segment(service)}"
        span = f"{terms.term(terms.SERVICE, service)} and {terms.term(terms.OPERATION, operation)}"
        found.append(Link("Operation", visit.link(page, {**times, "operation": operation}), "services"))
        found.append(Link("Traces", visit.link("/traces", {**times, "filter": span}), "traces"))
    elif service:
        found.append(Link("Service", visit.link(f"/services/{_segment(service)}", times), "services"))
    if service:
        of_service = terms.term(terms.SERVICE, service)
        found.append(Link("Logs", visit.link("/logs", {**times, "filter": of_service}), "logs"))
    if one["metric"]:
        found.append(Link("Metric", visit.link(f"/metrics/{_segment(one['metric'])}", times), "metrics"))
    if one["pattern"]:
        found.append(Link("Patterns", visit.link("/logs", {**times, "view": "patterns"}), "logs"))
    return found


def _segment(name: str) -> str:
    return quote(name, safe="")


def _time(time_ns: int, visit: Visit) -> str:
    return rfc3339(min(time_ns, visit.clock.now_ns))


@dataclass(frozen=True)
class Section:
    """The anomalies that go on, on a page that is about something else."""

    rows: Sequence[Row]
    more: int
    href: str


async def section(visit: Visit, service: str, operation: str = "", most: int = 3) -> Section:
    """Return those of a service, or of one of its operations; none where they can't be had."""
    asked = visit.api("anomalies", state="open", service=service, operation=operation, limit=most)
    answer = await visit.attempt(asked, NOTHING)
    rows = [row(one) for one in answer["anomalies"]]
    return Section(rows, answer["total"] - len(rows), visit.link("/anomalies", {"service": service}))
