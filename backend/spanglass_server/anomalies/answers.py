"""What the API answers about anomalies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from spanglass_server.anomalies.model import METRIC, OPERATION, STEP_MS, Key, Kind
from spanglass_server.query.answers import JsonSchema, Time
from spanglass_server.query.differences.answering import DifferentKey
from spanglass_server.query.traces.summaries import ListedTrace
from spanglass_server.times import NS_PER_MS, format_time

if TYPE_CHECKING:
    from spanglass_server.anomalies.model import Fine, Known

#: What kinds are called where people read them.
TITLES = {
    Kind.REQUESTS: "Requests",
    Kind.FAILURES: "Failed requests",
    Kind.DURATION: "Duration, p95",
    Kind.METRIC: "Metric",
    Kind.LOGS: "Lines of a log pattern",
}


class Points(TypedDict):
    """Values each ``step_s`` from ``start_time`` on, with what was expected and between what is usual."""

    start_time: Time
    step_s: float
    values: list[float | None]
    expected: list[float | None]
    low: list[float | None]
    high: list[float | None]


class Anomaly(TypedDict):
    """One anomaly. Figures are of its most surprising step: what it was and what is usual then.

    ``surprise`` is in usual deviations beyond what is usual, ``impact`` the share of all requests that are affected,
    ``affected`` how many these were from the start on; 0 where that is not known, as of metrics.
    """

    id: int
    kind: str
    kind_title: str
    title: str
    service: str | None
    services: Annotated[list[str], JsonSchema({"description": "of lines those that wrote them, three at most"})]
    operation: str | None
    metric: str | None
    pattern: str | None
    labels: dict[str, str]
    unit: Annotated[str, JsonSchema({"description": "ratio, s, bytes, /s or the metric's own"})]
    direction: Annotated[str, JsonSchema({"enum": ["above", "below"]})]
    is_new: Annotated[bool, JsonSchema({"description": "a log pattern without a line before"})]
    state: Annotated[str, JsonSchema({"enum": ["open", "ended", "fine"]})]
    start_time: Time
    end_time: Time | None
    seen_time: Time
    peak_time: Time
    value: float
    expected: float
    low: float
    high: float
    surprise: float
    impact: float
    affected: float
    importance: float
    points: Points


class Watching(TypedDict):
    """How much is watched of one source. ``hours`` of its past were read, of ``past_hours`` that there are at most."""

    source: str
    series: int
    left_out: int
    hours: int
    past_hours: int
    is_ready: bool
    judged_time: Time | None
    problem: str | None


class AnomalyList(TypedDict):
    """Anomalies, the most important first. ``metrics_left_out`` are metrics that are not watched.

    ``anomalies_left_out`` go on and are not kept, as a thousand are more surprising. ``ready_time`` is when three hours
    of data are there, before which nothing is told; null once they are, and while nothing is stored.
    """

    anomalies: list[Anomaly]
    total: int
    counts: dict[str, int]
    watching: list[Watching]
    anomalies_left_out: int
    metrics_left_out: int
    enabled: bool
    ready_time: Time | None


class OneAnomaly(Anomaly):
    """One anomaly with the attributes that set its requests apart, and traces that show it; empty for other kinds."""

    compared: str | None
    differences: list[DifferentKey]
    traces: list[ListedTrace]


class Feedback(TypedDict):
    """Somebody said that anomalies of a series are fine; ``until_time`` is null where that is for good."""

    id: int
    kind: str
    title: str
    labels: dict[str, str]
    reason: str
    actor: str
    made_time: Time
    until_time: Time | None
    undone_time: Time | None
    undone_by: str
    holds: bool


class FeedbackList(TypedDict):
    """The newest first, with what was undone."""

    feedback: list[Feedback]


def anomaly_json(known: Known) -> Anomaly:
    """Shape one."""
    labels, peak, course = _labels(known.key), known.peak, known.course
    return {
        "id": known.id,
        "kind": known.key.kind.value,
        "kind_title": TITLES[known.key.kind],
        "title": known.name,
        "service": known.key.service or None,
        "services": list(known.services),
        "operation": labels.get(OPERATION) if known.key.kind in _OF_OPERATIONS else None,
        "metric": labels.get(METRIC) if known.key.kind is Kind.METRIC else None,
        "pattern": known.title if known.key.kind is Kind.LOGS else None,
        "labels": labels,
        "unit": known.unit,
        "direction": "below" if known.side < 0 else "above",
        "is_new": known.is_new,
        "state": known.state.value,
        "start_time": format_time(known.start_ns),
        "end_time": None if known.end_ns is None else format_time(known.end_ns),
        "seen_time": format_time(known.seen_ns),
        "peak_time": format_time(peak.time_ns),
        "value": peak.value,
        "expected": peak.expected,
        "low": peak.low,
        "high": peak.high,
        "surprise": round(peak.surprise, 2),
        "impact": round(peak.impact, 4),
        "affected": round(known.affected, 1),
        "importance": round(known.importance, 4),
        "points": {
            "start_time": format_time(course.start_ms * NS_PER_MS),
            "step_s": STEP_MS / 1000,
            "values": list(course.values),
            "expected": list(course.expected),
            "low": list(course.low),
            "high": list(course.high),
        },
    }


_OF_OPERATIONS = {Kind.REQUESTS, Kind.FAILURES, Kind.DURATION}


def _labels(key: Key) -> dict[str, str]:
    return dict(key.labels)


def feedback_json(fine: Fine, now_ns: int) -> Feedback:
    """Shape one."""
    return {
        "id": fine.id,
        "kind": fine.key.kind.value,
        "title": fine.title,
        "labels": _labels(fine.key),
        "reason": fine.reason,
        "actor": fine.actor,
        "made_time": format_time(fine.made_ns),
        "until_time": None if fine.until_ns is None else format_time(fine.until_ns),
        "undone_time": None if fine.undone_ns is None else format_time(fine.undone_ns),
        "undone_by": fine.undone_by,
        "holds": fine.holds(now_ns),
    }


def one_json(known: Known, evidence: dict[str, Any]) -> OneAnomaly:
    """Shape one with its evidence."""
    return {**anomaly_json(known), **evidence}  # type: ignore[typeddict-item] # of the keys above
