"""Series of which it is known what becomes of them: what the functions find, and what they forecast."""

from __future__ import annotations

import numpy as np
import pytest

from spanglass_server.forecasting.capacity import reached
from spanglass_server.forecasting.forecasts import COVERAGE, forecast
from spanglass_server.forecasting.gaps import clean, filled, is_over
from spanglass_server.forecasting.medians import median, ranked, spread
from spanglass_server.forecasting.shifts import find_shifts
from spanglass_server.forecasting.trends import find_trends

DAY, WEEK = 24, 168
PERIODS = (DAY, WEEK)
PAST, AHEAD = 24 * 28, 72


@pytest.fixture(scope="module")
def series() -> dict[str, np.ndarray]:
    """Series of 28 days and three more, by what they do."""
    random = np.random.default_rng(15)
    at = np.arange(PAST + AHEAD)
    day = np.sin(2 * np.pi * at / DAY)

    def chance(size: float) -> np.ndarray:
        return random.normal(0, size, len(at))

    return {
        "daily": 100 + 30 * day + chance(4),
        "weekly": (100 + 30 * day) * np.where(at // DAY % 7 >= 5, 0.5, 1.0) + chance(4),
        "growing": 10 + 0.1 * at + chance(2),
        "falling": 500 - 0.2 * at + 20 * day + chance(3),
        "noise": 50 + chance(5),
        "walk": 1000 + np.cumsum(chance(1)),
        "shifted": np.where(at < 300, 50.0, 80.0) + chance(3),
        "every twenty": 20 + 10 * (at % 20 < 3) + chance(1),
        "factor": (30 + 0.1 * at) * (1 + 0.6 * day) + chance(1),
        "constant": np.full(len(at), 7.0),
        "spiked": 50 + chance(1) + np.where(random.random(len(at)) < 0.01, 500, 0),
    }


def _past(series: dict[str, np.ndarray]) -> np.ndarray:
    return np.array([values[:PAST] for values in series.values()])


def test_trends_of_series(series: dict[str, np.ndarray]) -> None:
    """Slopes are what series were made with and certain only where there is one; seasons and shifts are found alone."""
    found = find_trends(_past(series), PERIODS)
    names = list(series)
    period = dict(zip(names, found.seasons.period.tolist(), strict=True))
    assert period == {
        "daily": 24, "weekly": 168, "growing": 0, "falling": 24, "noise": 0, "walk": 0, "shifted": 0,
        "every twenty": 20, "factor": 24, "constant": 0, "spiked": 0,
    }  # fmt: skip
    assert found.seasons.factor[names.index("factor")]
    assert not found.seasons.factor[names.index("daily")]
    slope = found.slopes
    for name, true in (("growing", 0.1), ("falling", -0.2), ("shifted", 0.0), ("noise", 0.0)):
        row = names.index(name)
        assert slope.low[row] <= true <= slope.high[row], name
        assert slope.per_step[row] == pytest.approx(true, abs=0.004), name
    certain = {name for name, one in zip(names, slope.confidence, strict=True) if one > 0.99}
    assert certain == {"growing", "falling", "factor"}
    jumps = {name: those for name, those in zip(names, found.shifts, strict=True) if those}
    assert set(jumps) == {"shifted"}
    (jump,) = jumps["shifted"]
    assert abs(jump.step - 300) <= 2
    assert (jump.before, jump.after) == pytest.approx((50, 80), abs=1)


def test_forecasts_beat_the_last_period(series: dict[str, np.ndarray]) -> None:
    """Forecasts are nearer to the truth than the last period, and intervals hold most of it."""
    given = forecast(_past(series), AHEAD, PERIODS)
    true = np.array([values[PAST:] for values in series.values()])
    past = _past(series)
    error = np.abs(true - given.expected).mean(axis=1)
    period = np.abs(true - past[:, PAST - DAY + np.arange(AHEAD) % DAY]).mean(axis=1)
    for row, name in enumerate(series):
        assert error[row] <= 1.02 * period[row] + 1e-9 or name == "walk", name
    assert np.median(error[period > 0] / period[period > 0]) < 0.75
    assert error[list(series).index("factor")] < period[list(series).index("factor")] / 2
    inside = ((true >= given.low) & (true <= given.high)).mean()
    assert COVERAGE - 0.1 < inside < 0.95
    assert given.method[list(series).index("constant")] == "last value"
    assert given.error[list(series).index("constant")] == 0
    assert (given.error <= given.naive_error * 1.05).all()


def test_unknown_values() -> None:
    """Series without values have no forecast; those with gaps, infinities, late beginnings have one."""
    at = np.arange(200.0)
    rows = np.tile(5 + 0.5 * at, (5, 1))
    rows[0] = np.nan
    rows[1, :199] = np.nan
    rows[2, 50:80] = np.nan
    rows[3, ::7] = np.inf
    rows[4, :120] = np.nan
    given = forecast(rows, 10)
    assert np.isnan(given.expected[:2]).all()
    assert given.method[:2] == ("", "")
    assert np.allclose(given.expected[2:], 5 + 0.5 * np.arange(200, 210), atol=1)
    assert np.isnan(find_trends(rows).slopes.per_step[:2]).all()
    assert forecast(np.empty((0, 50)), 3).method == ()
    assert forecast(np.ones((1, 3)), 3).method == ("",)


@pytest.mark.parametrize(("ahead", "coverage"), [(0, 0.8), (3, 0.0), (3, 1.0)])
def test_what_cannot_be_asked(ahead: int, coverage: float) -> None:
    """Nothing is forecast of no step, nor held always or never."""
    with pytest.raises(ValueError, match="at least one step ahead"):
        forecast(np.ones((1, 50)), ahead, coverage=coverage)


def test_forecasts_are_not_negative() -> None:
    """What never was negative is not forecast to be, what was may be."""
    falling = np.linspace(100, 2, 100)
    given = forecast(np.array([falling, falling - 50]), 30)
    assert given.low[0].min() == 0
    assert given.expected[1, -1] == pytest.approx(-77, abs=3)


def test_when_a_bound_is_met() -> None:
    """A line meets its bound where it crosses it, between the earliest and the latest; never, or already, is told."""
    at = np.arange(100.0)
    random = np.random.default_rng(1)
    rows = np.array([at + random.normal(0, 2, 100), at * 0 + 5, at, 100 - at])
    given = forecast(rows, 40)
    last = rows[:, -1]
    met = reached(given, last, np.array([119.5, 9.0, 50.0, 200.0]))
    assert met.earliest[0] < met.expected[0] < met.latest[0]
    assert met.expected[0] == pytest.approx(20.5, abs=1.5)
    assert np.isnan(met.expected[[1, 3]]).all()
    assert met.expected[2] == 0
    few = forecast(np.where(at < 97, np.nan, rows), 40)
    assert np.isnan(reached(few, last, np.zeros(4)).expected).all()
    down = reached(given, last, np.array([0.0, 0.0, 0.0, -5.0]), falling=True)
    assert np.isnan(down.expected[:3]).all()
    assert np.isnan(down.expected[3])  # it never was negative


def test_seasons_of_series_with_gaps() -> None:
    """A day stays a day and a week a week where a third of the values is missing, and no slope is certain."""
    random = np.random.default_rng(3)
    at = np.arange(PAST)
    day = 100 + 30 * np.sin(2 * np.pi * at / DAY)
    rows = np.repeat([day, day * np.where(at // DAY % 7 >= 5, 0.5, 1.0), np.full(PAST, 100.0)], 25, axis=0)
    rows += random.normal(0, 4, rows.shape)
    rows[random.random(rows.shape) < 0.3] = np.nan
    found = find_trends(rows, PERIODS)
    assert found.seasons.period.reshape(3, 25).tolist() == [[DAY] * 25, [WEEK] * 25, [0] * 25]
    certain = (found.slopes.confidence >= 0.95).reshape(3, 25).mean(axis=1)
    assert (certain <= [0.1, 0.25, 0.1]).all()


@pytest.mark.parametrize("known", [60, 100, 200, 340])
def test_noise_of_young_series_is_no_season(known: int) -> None:
    """Chance that forgets slowly has no period, however much of it is known; a day is found in the same time."""
    random = np.random.default_rng(known)
    rows = random.normal(0, 1, (60, PAST))
    for step in range(1, PAST):
        rows[20:40, step] += 0.9 * rows[20:40, step - 1]
    rows[40:] += 20 * np.sin(2 * np.pi * np.arange(PAST) / DAY)
    rows[:, : PAST - known] = np.nan
    period = find_trends(rows, PERIODS).seasons.period
    assert np.mean(period[:40] > 0) <= 0.05
    assert (period[40:] == DAY).all()


def test_whole_numbers_do_not_jump_by_chance() -> None:
    """Few counts and a few threads more or less have no level shift; whole numbers that stay elsewhere have one."""
    random = np.random.default_rng(6)
    at = np.arange(PAST)
    for size in (288, PAST):
        chance = [random.poisson(mean, (40, size)) for mean in (0.3, 1, 2, 5)]
        chance += [10 + random.integers(-1, 2, (40, size)), random.integers(0, 2, (40, size))]
        told = [bool(one) for one in find_shifts(np.concatenate(chance).astype(float))]
        assert np.mean(told) <= 0.02, size
    low = np.where(at < 300, 0, 1)
    real = [10 + low, 10 + 10 * low + random.integers(-1, 2, PAST), random.poisson(5 + 10 * low)]
    for (shift,) in find_shifts(np.array(real, float)):
        assert abs(shift.step - 300) <= 3


def test_a_jump_beside_a_slope() -> None:
    """The height of a jump has nothing of the slope, the slope nothing of the jump, whichever way both go."""
    random = np.random.default_rng(7)
    at = np.arange(PAST)
    made = [(0.0004, 0.2, 200), (0.0004, -0.2, 450), (-0.0004, 0.2, 600), (-0.0004, -0.2, 200), (0.0, 0.2, 600)]
    rows = np.array([0.5 + slope * at + jump * (at >= step) for slope, jump, step in made])
    found = find_trends(rows + random.normal(0, 0.004, rows.shape), PERIODS)
    for row, (slope, jump, step) in enumerate(made):
        ((at_step, before, after),) = found.shifts[row]
        assert abs(at_step - step) <= 1
        assert after - before == pytest.approx(jump, abs=0.006)
        assert found.slopes.per_step[row] == pytest.approx(slope, abs=1e-5)
        assert (found.slopes.confidence[row] > 0.95) == (slope != 0)


def test_forecasts_after_a_late_jump() -> None:
    """After a jump near the end the new level goes on, not one between both; intervals are as wide as without it."""
    random = np.random.default_rng(8)
    at = np.arange(PAST + AHEAD)
    rows = np.repeat(
        [50 + 30.0 * (at >= PAST - 50), 50 + 10 * np.sin(2 * np.pi * at / DAY) - 30 * (at >= PAST - 50)], 8, 0
    )
    rows += random.normal(0, 2, rows.shape)
    given = forecast(rows[:, :PAST], AHEAD, PERIODS)
    assert np.abs(given.expected - rows[:, PAST:]).mean() < 2
    inside = ((rows[:, PAST:] >= given.low) & (rows[:, PAST:] <= given.high)).mean()
    assert 0.7 < inside < 0.9
    assert (given.high - given.low).mean() < 8


def test_what_is_told_has_an_interval() -> None:
    """Whatever is missing, a series with a method has numbers only, one without it none; ten values are the least."""
    random = np.random.default_rng(9)
    rows = 50 + random.normal(0, 2, (40, 200))
    rows[:20][random.random((20, 200)) < np.linspace(0.5, 0.95, 20)[:, None]] = np.nan
    for row in range(20, 40):
        rows[row, 100 + 4 * (row - 20) :] = np.nan
    rows[39], rows[39, -9:] = np.nan, 1.0
    given = forecast(rows, 60, (24,))
    told = np.array([bool(name) for name in given.method])
    assert told.any()
    assert not told[39]
    for path in (given.expected, given.low, given.high, given.error):
        assert np.isfinite(path[told]).all()
        assert np.isnan(path[~told]).all()


def test_series_that_are_over() -> None:
    """A series is over after a twentieth of its steps; rare values are given twice their usual distance."""
    rows = np.full((5, 200), np.nan)
    rows[0, :189], rows[1, :190], rows[2, :181:20], rows[3, :150:20] = 1, 1, 1, 1
    assert is_over(rows).tolist() == [True, False, False, True, True]
    assert is_over(np.array([[1, 1, np.nan, np.nan, np.nan], [1, np.nan, np.nan, np.nan, np.nan]])).tolist() == [0, 1]


def test_small_tools() -> None:
    """Medians, ranks, spreads and filled gaps leave out what is missing."""
    rows = np.array([[3.0, np.nan, 1.0, 2.0], [np.nan] * 4])
    assert median(rows)[0] == 2
    assert np.isnan(median(rows)[1])
    assert ranked(rows, np.array([0.5, 0.0]))[0] == 1.5
    assert np.isnan(ranked(rows, np.array([0.5, 0.0]))[1])
    assert spread(rows)[0] == pytest.approx(1.4826)
    assert filled(np.array([[np.nan, 2.0, np.nan, np.nan, 5.0, np.nan]])).tolist() == [[2, 2, 3, 4, 5, 5]]
    assert np.isnan(clean(np.array([[np.inf, 1e200]]))).all()


@pytest.mark.parametrize(("known", "ahead"), [(96, 24), (168, 72)])
def test_intervals_of_young_walks_hold_what_they_say(known, ahead):
    """Of random walks of a few days 70 to 90 of 100 steps ahead lie in the interval of 80 %; a level's is no wider."""
    random = np.random.default_rng(11)
    steps = random.normal(0, 1, (60, known + ahead))
    walks = 1000 + np.cumsum(steps, axis=1)
    given = forecast(walks[:, :known], ahead)
    inside = (walks[:, known:] >= given.low) & (walks[:, known:] <= given.high)
    assert 0.7 <= inside.mean() <= 0.9
    level = forecast(100 + steps[:, :known], ahead)
    assert np.median(level.high - level.low) < 2 * 1.2816 * 1.4
