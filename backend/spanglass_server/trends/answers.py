"""What the API answers about trends, capacity and forecasts."""

from __future__ import annotations

from typing import TypedDict


class Slope(TypedDict):
    """In the unit a day, with the interval that holds it 9 times out of 10."""

    per_day: float | None
    low_per_day: float | None
    high_per_day: float | None
    confidence: float


class Season(TypedDict):
    """A period that repeats itself; ``strength`` is the share of what moves that it explains."""

    period_s: float
    strength: float


class LevelShift(TypedDict):
    """From when on the level is another one."""

    time: str
    before: float
    after: float


class Outlook(TypedDict):
    """The value some time ahead, and how good past forecasts were: their mean distance from the truth.

    ``low`` and ``high`` hold the value 8 times out of 10. ``naive_error`` is that of the last value, or last period.
    """

    time: str
    expected: float
    low: float
    high: float
    method: str
    error: float
    naive_error: float


class Met(TypedDict):
    """When a bound is met; null where that is not within the time that is forecast."""

    earliest_time: str | None
    expected_time: str | None
    latest_time: str | None


class Trend(TypedDict):
    """What is known of one series. ``change`` is what the slope added over ``known_s``, as a share of the level.

    ``bound_of`` is whose the bound is, or how it was made; "" where it is used up there.
    """

    quantity: str
    title: str
    measure: str
    query: str
    unit: str
    labels: dict[str, str]
    service: str | None
    host: str | None
    now: float
    level: float
    known_s: float
    change: float
    direction: str
    slope: Slope
    season: Season | None
    shifts: list[LevelShift]
    forecast: Outlook | None
    bound: float | None
    bound_of: str
    met: Met | None
    importance: float
    past: list[float | None]
    expected: list[float | None]
    low: list[float | None]
    high: list[float | None]


class Looked(TypedDict):
    """How much is watched of a quantity. ``left_out`` are series beyond the most that are kept.

    What is told of it is as of ``time``.
    """

    quantity: str
    title: str
    series: int
    left_out: int
    share_read: float
    time: str


class TrendList(TypedDict):
    """Series, the most important first. ``past_s`` and ``ahead_s`` are the time of their points.

    When a bound is met is told up to ``bounds_s`` ahead.
    """

    trends: list[Trend]
    total: int
    step_s: float
    past_s: float
    ahead_s: float
    bounds_s: float
    looked: list[Looked]


class CapacityList(TypedDict):
    """Series with a bound, those first that meet it soonest."""

    capacity: list[Trend]
    total: int
    step_s: float
    past_s: float
    ahead_s: float
    bounds_s: float
    looked: list[Looked]


class ForecastSeries(TypedDict):
    """One series: values at ``times``, then what is expected at ``ahead_times``; ``reason`` where there is nothing."""

    labels: dict[str, str]
    values: list[float | None]
    expected: list[float | None]
    low: list[float | None]
    high: list[float | None]
    method: str | None
    error: float | None
    naive_error: float | None
    slope: Slope
    season: Season | None
    shifts: list[LevelShift]
    met: Met | None
    reason: str | None


class ForecastAnswer(TypedDict):
    """Forecasts of a query's series."""

    query: str
    promql: str
    unit: str
    step_s: float
    times: list[str]
    ahead_times: list[str]
    coverage: float
    series: list[ForecastSeries]
    total: int
