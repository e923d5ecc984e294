"""What was found as the API tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.times import NS_PER_MS, format_time
from spanglass_server.trends.found import is_trend
from spanglass_server.trends.history import DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.forecasting.capacity import Reached
    from spanglass_server.forecasting.seasons import Seasons
    from spanglass_server.forecasting.shifts import Shift
    from spanglass_server.forecasting.slopes import Slopes
    from spanglass_server.trends.answers import (
        CapacityList,
        LevelShift,
        Looked,
        Met,
        Outlook,
        Season,
        Slope,
        Trend,
        TrendList,
    )
    from spanglass_server.trends.board import Board, Place
    from spanglass_server.trends.found import Found

_DAY_MS: Final = 86_400_000


def trend_list(board: Board, places: Sequence[Place], limit: int) -> TrendList:
    """Return the first so many."""
    return {"trends": [trend(place) for place in places[:limit]], "total": len(places), **_about(board)}  # type: ignore[typeddict-item] # of the keys below


def capacity_list(board: Board, places: Sequence[Place], limit: int) -> CapacityList:
    """Return the first so many."""
    told = [_bounded(place) for place in places[:limit]]
    return {"capacity": told, "total": len(places), **_about(board)}  # type: ignore[typeddict-item] # of the keys below


def _bounded(place: Place) -> Trend:
    """What is known of one series and of its bound, whosever that is."""
    found, row, told = place.found, place.row, trend(place)
    told["bound"], told["bound_of"] = float(found.bounds.values[row]), found.bounds.of[row]
    told["met"] = met_of(found.met, row, found.end_ms, found.course.step_ms)
    return told


def _about(board: Board) -> dict[str, Any]:
    all_found = board.all_found
    course = all_found[0].course if all_found else DAYS
    return {
        "step_s": course.step_ms / 1000,
        "past_s": course.past * course.step_ms / 1000,
        "ahead_s": course.outlook * course.step_ms / 1000,
        "bounds_s": course.ahead * course.step_ms / 1000,
        "looked": [_looked(found) for found in all_found],
    }


def _looked(found: Found) -> Looked:
    return {
        "quantity": found.quantity.name,
        "title": found.quantity.title,
        "series": len(found.now),
        "left_out": found.left_out,
        "share_read": round(found.share_read, 4),
        "time": format_time(found.end_ms * NS_PER_MS),
    }


def trend(place: Place) -> Trend:
    """Return what is known of one series."""
    found, row = place.found, place.row
    labels, course, quantity = dict(found.labels[row]), found.course, found.quantity
    is_told = bool(is_trend(found)[row])
    expected, low, high = found.paths[:, row]
    return {
        "quantity": quantity.name,
        "title": quantity.title,
        "measure": quantity.measure,
        "query": query_of(found, row),
        "unit": quantity.unit,
        "labels": labels,
        "service": labels.get("service_name"),
        "host": labels.get("host_name"),
        "now": float(found.now[row]),
        "level": float(found.level[row]),
        "known_s": int(found.known[row]) * course.step_ms / 1000,
        "change": float(found.change[row]),
        "direction": ("rising" if found.change[row] > 0 else "falling") if is_told else "steady",
        "slope": slope_of(found.trends.slopes, row, course.step_ms),
        "season": season_of(found.trends.seasons, row, course.step_ms),
        "shifts": shifts_of(found.trends.shifts[row], found.end_ms, course.past, course.step_ms),
        "forecast": _outlook(found, row),
        "bound": quantity.bound,
        "bound_of": "",
        "met": met_of(found.met, row, found.end_ms, course.step_ms) if quantity.bound is not None else None,
        "importance": round(float(found.importance[row]), 4),
        "past": listed(found.past[row]),
        "expected": listed(expected),
        "low": listed(low),
        "high": listed(high),
    }


def query_of(found: Found, row: int) -> str:
    """The measure of one series alone, for its chart."""
    aggregated, _, by = found.quantity.measure.partition(" by ")
    conditions = ", ".join(f"{key}={_quoted(value)}" for key, value in found.labels[row])
    return f"{aggregated[:-1]}{{{conditions}}}) by {by}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def slope_of(slopes: Slopes, row: int, step_ms: int) -> Slope:
    """The slope of a row, a day."""
    per_day = _DAY_MS / step_ms
    return {
        "per_day": _number(slopes.per_step[row] * per_day),
        "low_per_day": _number(slopes.low[row] * per_day),
        "high_per_day": _number(slopes.high[row] * per_day),
        "confidence": round(float(slopes.confidence[row]), 4),
    }


def season_of(seasons: Seasons, row: int, step_ms: int) -> Season | None:
    """The season of a row; None if there is none."""
    period = int(seasons.period[row])
    if not period:
        return None
    return {"period_s": period * step_ms / 1000, "strength": round(float(seasons.strength[row]), 4)}


def shifts_of(shifts: Sequence[Shift], end_ms: int, past: int, step_ms: int) -> list[LevelShift]:
    """Level shifts with their times; ``end_ms`` is the time of the last of ``past`` steps."""
    return [
        {
            "time": format_time((end_ms - (past - 1 - shift.step) * step_ms) * NS_PER_MS),
            "before": shift.before,
            "after": shift.after,
        }
        for shift in shifts
    ]


def met_of(met: Reached, row: int, end_ms: int, step_ms: int) -> Met:
    """When a row meets its bound."""

    def time(steps: float) -> str | None:
        return None if np.isnan(steps) else format_time(int(end_ms + steps * step_ms) * NS_PER_MS)

    return {
        "earliest_time": time(float(met.earliest[row])),
        "expected_time": time(float(met.expected[row])),
        "latest_time": time(float(met.latest[row])),
    }


def _outlook(found: Found, row: int) -> Outlook | None:
    given = found.given
    if not given.method[row]:
        return None
    return {
        "time": format_time((found.end_ms + found.course.outlook * found.course.step_ms) * NS_PER_MS),
        "expected": float(given.expected[row, -1]),
        "low": float(given.low[row, -1]),
        "high": float(given.high[row, -1]),
        "method": given.method[row],
        "error": float(given.error[row]),
        "naive_error": float(given.naive_error[row]),
    }


def listed(values: np.ndarray[Any, Any]) -> list[float | None]:
    """Values as JSON has them: null where there is none."""
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
