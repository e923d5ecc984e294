"""Forecasts of the series of a query, when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.forecasting.capacity import Reached, reached
from spanglass_server.forecasting.forecasts import COVERAGE, LEAST_VALUES, forecast
from spanglass_server.forecasting.gaps import ends, is_over
from spanglass_server.forecasting.trends import find_trends
from spanglass_server.measures.grammar import MeasureError, parse_measure
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.times import NS_PER_MS, format_time
from spanglass_server.trends.history import DAYS, WEEKS
from spanglass_server.trends.shaping import listed, met_of, season_of, shifts_of, slope_of
from spanglass_server.trends.watcher import values_of, without_first

if TYPE_CHECKING:
    from spanglass_server.forecasting.forecasts import Forecasts
    from spanglass_server.forecasting.trends import Trends
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.trends.answers import ForecastAnswer, ForecastSeries
    from spanglass_server.trends.history import Course, Labels

#: Up to this far ahead, values are read by five minutes: three days of them.
_SOON_MS: Final = 12 * 3_600_000
_SOON_PAST: Final = 864
_MINUTE_MS: Final = 60_000
_WINDOW: Final = "5m"


@dataclass(frozen=True, slots=True)
class Question:
    """A measure or PromQL, how far ahead, until when values are known, and where the series are used up.

    ``first_ms`` is when the first record was, None without any.
    """

    query: str
    ahead_ms: int
    end_ms: int
    bound: float | None = None
    falling: bool = False
    limit: int = 20
    first_ms: int | None = None


def answer(source: SeriesSource, question: Question) -> ForecastAnswer:
    """Return forecasts, of the series with the largest newest values first.

    Raises ``MeasureError`` for a text that was probably meant to be a measure, else what evaluation raises.
    """
    promql, unit = expression_of(question.query)
    course = _course(question.ahead_ms)
    last = question.end_ms // course.step_ms
    steps = Steps((last - course.past + 1) * course.step_ms, course.step_ms, course.past)
    labels, values = values_of(source, promql, steps)
    if unit == "/s" and question.first_ms is not None:
        values = without_first(values, steps, question.first_ms)
    chosen = _largest(values, question.limit)
    values = values[chosen]
    enough = np.where(is_over(values)[:, None], np.nan, values)
    trends, given = find_trends(values, course.periods), forecast(enough, course.ahead, course.periods)
    met = _met(question, given, values)
    ahead = [steps.end_ms + step * course.step_ms for step in range(1, course.ahead + 1)]
    return {
        "query": question.query,
        "promql": promql,
        "unit": unit,
        "step_s": course.step_ms / 1000,
        "times": [format_time(each * NS_PER_MS) for each in range(steps.start_ms, steps.end_ms + 1, course.step_ms)],
        "ahead_times": [format_time(each * NS_PER_MS) for each in ahead],
        "coverage": COVERAGE,
        "series": [
            _series(labels[place], values[row], (trends, given, met), row, (course, steps.end_ms))
            for row, place in enumerate(chosen)
        ],
        "total": len(labels),
    }


def expression_of(query: str) -> tuple[str, str]:
    """The PromQL of a measure, and its unit; of anything else itself, with an unknown unit ""."""
    try:
        asked = parse_measure(query)
    except MeasureError as error:
        if error.is_near:
            raise
        return query, ""
    unit = "/s" if asked.aggregate == "count" else asked.measure.unit
    return asked.promql(_WINDOW, by=asked.by or asked.measure.kind.ids), unit


def _course(ahead_ms: int) -> Course:
    course = replace(DAYS, past=_SOON_PAST) if ahead_ms <= _SOON_MS else WEEKS
    return replace(course, ahead=max(1, -(-ahead_ms // course.step_ms)))


def _largest(values: np.ndarray[Any, Any], limit: int) -> list[int]:
    newest = np.array([row[~np.isnan(row)][-1] if (~np.isnan(row)).any() else -np.inf for row in values])
    return [int(row) for row in np.argsort(-newest, kind="stable")[:limit]]


def _met(question: Question, given: Forecasts, values: np.ndarray[Any, Any]) -> Reached | None:
    if question.bound is None:
        return None
    newest = np.array([row[~np.isnan(row)][-1] if (~np.isnan(row)).any() else np.nan for row in values])
    return reached(given, newest, np.full(len(values), question.bound), falling=question.falling)


def _series(
    labels: Labels,
    values: np.ndarray[Any, Any],
    found: tuple[Trends, Forecasts, Reached | None],
    row: int,
    grid: tuple[Course, int],
) -> ForecastSeries:
    (trends, given, met), (course, end_ms) = found, grid
    is_told = bool(given.method[row])
    return {
        "labels": dict(labels),
        "values": listed(values),
        "expected": listed(given.expected[row]) if is_told else [],
        "low": listed(given.low[row]) if is_told else [],
        "high": listed(given.high[row]) if is_told else [],
        "method": given.method[row] or None,
        "error": float(given.error[row]) if is_told else None,
        "naive_error": float(given.naive_error[row]) if is_told else None,
        "slope": slope_of(trends.slopes, row, course.step_ms),
        "season": season_of(trends.seasons, row, course.step_ms),
        "shifts": shifts_of(trends.shifts[row], end_ms, course.past, course.step_ms),
        "met": met_of(met, row, end_ms, course.step_ms) if met is not None and is_told else None,
        "reason": None if is_told else _reason(values, end_ms, course),
    }


def _reason(values: np.ndarray[Any, Any], end_ms: int, course: Course) -> str:
    known = int(np.count_nonzero(~np.isnan(values)))
    if known and is_over(values):
        since_ms = end_ms - (len(values) - 1 - int(ends(values)[1])) * course.step_ms
        return f"no value since {format_time(since_ms * NS_PER_MS)}: the series is over"
    told = f"{'1 value is' if known == 1 else f'{known} values are'} known, {LEAST_VALUES} are needed"
    left = max(1, LEAST_VALUES - known) * course.step_ms // _MINUTE_MS
    if course.step_ms == DAYS.step_ms:
        return f"{told}; ask again in {left} min"
    return f"{told}; ask for 12h ahead or less, which takes one each 5 min, or in {left // 60} h"
