"""Objectives as the API shows them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from spanglass_server.query.window import describe
from spanglass_server.slo.budget import minute_of
from spanglass_server.slo.counting.minutes import HOUR
from spanglass_server.slo.form.spec import OBJECTIVES
from spanglass_server.slo.model import MINUTE_NS
from spanglass_server.slo.rules import burns_of, rule_uid
from spanglass_server.store.ports import Window
from spanglass_server.times import format_time, format_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.api.slo import answers
    from spanglass_server.query.answers import TimeRange
    from spanglass_server.slo.budget import Budget, Course, Day, Episode, Forecast
    from spanglass_server.slo.standing import Standing
    from spanglass_server.slo.store.store import SloChange

_HOUR_NS = HOUR * MINUTE_NS


def range_json(first: int, last: int) -> TimeRange:
    """A range of minutes."""
    return describe(Window(first * MINUTE_NS, last * MINUTE_NS))


def _minute(minute: int | None) -> str | None:
    return None if minute is None else format_time(minute * MINUTE_NS)


def budget_json(budget: Budget) -> answers.BudgetJson:
    """A budget."""
    return {
        "total": budget.total,
        "bad": budget.bad,
        "allowed": budget.allowed,
        "good": budget.good,
        "left": budget.left,
    }


def _forecast_json(forecast: Forecast | None, now_ns: int) -> answers.ForecastJson | None:
    if forecast is None:
        return None

    def time(hours: int | None) -> str | None:
        return None if hours is None else format_time(now_ns + hours * _HOUR_NS)

    return {
        "exhausted": forecast.is_over,
        "time": time(forecast.hours),
        "earliest_time": time(forecast.earliest),
        "latest_time": time(forecast.latest),
    }


def slo_json(standing: Standing, now_ns: int, lacking: str | None) -> answers.SloJson:
    """One objective as a row of a list."""
    objective, window = standing.found.value, standing.window
    return {
        "uid": objective.uid,
        "name": objective.name,
        "status": standing.status,
        "service": objective.of_service,
        "target": objective.target,
        "window": objective.window,
        "source": "check" if objective.check else "spans",
        "what": objective.check or objective.spans,
        "window_range": range_json(max(0, minute_of(window.first)), minute_of(window.last)),
        "budget": budget_json(standing.budget),
        "burn_rates": dict(standing.burns),
        "forecast": _forecast_json(standing.forecast, now_ns),
        "since_time": _minute(standing.since),
        "partial": standing.is_partial,
        "last_event_time": _minute(standing.last_event),
        "enabled": objective.enabled,
        "alerts": objective.alerts,
        "lacking": lacking,
    }


def slo_page(standing: Standing, now_ns: int, lacking: str | None) -> answers.SloPage:
    """One with everything."""
    found = standing.found
    objective = found.value
    return {
        **slo_json(standing, now_ns, lacking),
        "slo": OBJECTIVES.to_json(objective),
        "yaml": OBJECTIVES.to_yaml([objective]),
        "version": found.version,
        "origin": found.origin,
        "file": found.file,
        "line": found.line or None,
        "editable": found.origin == "kept",
        "rules": [
            {
                "uid": rule_uid(objective, burn),
                "rate": burn.rate,
                "long": burn.long,
                "short": burn.short,
                "severity": str(burn.severity),
            }
            for burn in (burns_of(objective) if objective.alerts and objective.enabled else ())
        ],
        "spans_filter": objective.spans,
        "bad_filter": objective.bad_filter,
        "description": objective.description,
        "owner": objective.owner,
        "runbook": objective.runbook,
    }


def history_json(course: Course, days: Sequence[Day], counted: Budget) -> answers.SloHistory:
    """A course, and what was counted in the range that was asked for."""
    last = course.first + len(course.total)
    times = [hour * _HOUR_NS for hour in range(course.first, last)]
    return {
        "range": range_json(minute_of(course.first), minute_of(last)),
        "counted": budget_json(counted),
        "times": format_times(times) if times else [],
        "total": course.total.tolist(),
        "bad": course.bad.tolist(),
        "left": [None if math.isnan(left) else left for left in course.left.tolist()],
        "days": [
            {"start_time": format_time(day.first * _HOUR_NS), "budget": budget_json(day.own), "left": day.left}
            for day in days
        ],
    }


def episode_json(episode: Episode) -> answers.EpisodeJson:
    """A stretch of time that used some of the budget."""
    return {
        "start_time": format_time(episode.first * MINUTE_NS),
        "end_time": format_time(episode.last * MINUTE_NS),
        "total": episode.total,
        "bad": episode.bad,
        "share": episode.share,
    }


def change_json(change: SloChange) -> answers.SloChangeJson:
    """A change."""
    return {
        "time": format_time(change.time_ns),
        "uid": change.uid,
        "by": change.by,
        "kind": change.kind,
        "before": change.before,
        "after": change.after,
    }
