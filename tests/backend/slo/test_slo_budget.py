"""Error budgets: what is left, how fast they burn, when they are used up, and what used them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from spanglass_server.slo.budget import (
    BurnRate,
    Forecast,
    budget_now,
    burn_rates,
    course_of,
    days_of,
    episodes_of,
    forecast,
)
from spanglass_server.slo.checks import minutes_of
from spanglass_server.slo.counting.minutes import Minutes
from spanglass_server.slo.model import MINUTE_NS, Objective
from spanglass_server.slo.windows import window_at

HOUR = 490_000  # since 1970
SHOP = Objective(uid="shop", name="Shop", target=0.99, window="7d", spans="service:shop", good="status:ok")


def steady(first, count, total, bad):
    """Make minutes or hours that are all alike."""
    return Minutes(first, np.full(count, float(total)), np.full(count, float(bad)))


def hour_of(*time):
    """The number of the hour of a time in UTC."""
    return int(datetime(*time, tzinfo=UTC).timestamp()) // 3600


def test_what_is_left_of_a_budget():
    """With half of the bad events that may be, half is left; with more than may be it is below 0; without any, None."""
    hours = steady(HOUR - 500, 501, 1000, 5)

    assert budget_now(SHOP, hours, HOUR).left == pytest.approx(0.5)
    assert budget_now(SHOP, hours, HOUR).total == 7 * 24 * 1000
    assert budget_now(SHOP, steady(HOUR - 500, 501, 1000, 20), HOUR).left == pytest.approx(-1)
    assert budget_now(SHOP, Minutes.none(HOUR - 500, HOUR + 1), HOUR).left is None


@pytest.mark.parametrize(
    ("window", "zone", "now", "first", "last"),
    [
        ("28d", "UTC", (2026, 3, 12, 15), (2026, 2, 12, 16), (2026, 3, 12, 16)),
        ("week", "UTC", (2026, 3, 12, 15), (2026, 3, 9, 0), (2026, 3, 16, 0)),
        ("month", "UTC", (2026, 12, 31, 23), (2026, 12, 1, 0), (2027, 1, 1, 0)),
        ("month", "Asia/Kolkata", (2026, 3, 31, 18), (2026, 2, 28, 19), (2026, 3, 31, 19)),
        ("month", "Asia/Kolkata", (2026, 3, 31, 19), (2026, 3, 31, 19), (2026, 4, 30, 19)),
        ("month", "Europe/Berlin", (2026, 3, 31, 23), (2026, 3, 31, 22), (2026, 4, 30, 22)),
    ],
)
def test_where_windows_begin(window, zone, now, first, last):
    """Rolling windows end with the hour that is not over; calendar ones begin at midnight of their zone.

    Where that is within an hour of UTC, they begin with the next one: each hour lies in its own window.
    """
    objective = Objective(uid="a", name="a", target=0.99, window=window, time_zone=zone, check="a")

    found = window_at(objective, hour_of(*now))

    assert (found.first, found.last) == (hour_of(*first), hour_of(*last))


def test_burn_rates_are_those_of_the_last_minutes():
    """At 1 as many are bad as may be; the minute that is not over is left out; without events there is none."""
    minutes = steady(0, 4320, 100, 1)
    minutes.bad[-5:] = 10

    rates = burn_rates(SHOP, minutes, 4320)

    assert rates["5m"] == BurnRate(500, 50, pytest.approx(10))
    assert rates["1h"].rate == pytest.approx((55 + 5 * 10) / 60)
    assert burn_rates(SHOP, minutes, 9000)["1h"] == BurnRate(0, 0, None)


def test_when_a_rolling_budget_is_used_up():
    """What was bad before leaves the window as time goes on, so that a steady pace below the target never uses it."""
    hours = steady(HOUR - 400, 401, 100, 0.5)
    assert forecast(SHOP, hours, HOUR).hours is None
    hours.bad[-25:] = 5  # of 16,800 events in a week 168 may be bad; 71.5 + 125 are by now: it is used up
    assert forecast(SHOP, hours, HOUR).is_over
    hours.bad[:-25] = 0  # 125 of 168 by now, 5 more each hour: 43 are left
    found = forecast(SHOP, hours, HOUR)
    assert (found.is_over, found.hours) == (False, 9)
    assert (found.earliest, found.latest) == (9, 26)  # as in the last six hours, and as in the last three days
    hours.bad[-24:] = 0
    assert forecast(SHOP, hours, HOUR).hours is None


def test_the_forecast_of_a_new_objective_knows_its_own_hours_only():
    """Before the first hour is over there is none; then it goes on as since the first event, not as in an empty day."""
    hours = Minutes.none(HOUR - 400, HOUR + 1)
    hours.total[-1], hours.bad[-1] = 100, 50
    assert forecast(SHOP, hours, HOUR) is None
    hours.total[-3:], hours.bad[-3:] = 100, 50
    assert forecast(SHOP, hours, HOUR) == Forecast(is_over=True, hours=None, earliest=None, latest=None)
    hours.bad[-3:] = 0.5
    assert forecast(SHOP, hours, HOUR) == Forecast(is_over=False, hours=None, earliest=None, latest=None)


def test_when_a_budget_that_is_used_up_is_there_again():
    """A burst counts until it leaves a rolling window."""
    hours = steady(HOUR - 400, 401, 100, 0)
    hours.bad[-31] = 1000

    found = forecast(SHOP, hours, HOUR)

    assert (found.is_over, found.hours) == (True, 7 * 24 - 30)


@pytest.mark.parametrize(("seed", "back"), [(1, 1), (2, 30), (3, 90)])
def test_the_course_of_a_budget_is_that_of_each_hour(seed, back):
    """What is left at the end of each hour is what the budget of that hour's window says; days add up to all."""
    chance = np.random.default_rng(seed)
    total = chance.integers(0, 3, 300) * chance.integers(0, 50, 300).astype(np.float64)
    total[: 10 * seed] = 0
    hours = Minutes(HOUR, total, np.minimum(total, chance.integers(0, 3, 300)))
    last = HOUR + len(total)

    course = course_of(SHOP, hours, last - back, last)

    for place, left in enumerate(course.left.tolist()):
        own = budget_now(SHOP, hours, last - back + place).left
        assert np.isnan(left) if own is None else left == pytest.approx(own)
    assert all(day.first % 24 == 0 for day in days_of(SHOP, course)[1:])
    assert sum(day.own.bad for day in days_of(SHOP, course)) == pytest.approx(course.bad.sum())
    assert days_of(SHOP, course_of(SHOP, hours, last, last)) == []  # of a range that is still to come


def test_what_used_most_of_a_budget():
    """Stretches of bad minutes, a few good ones apart, are one; what used most comes first, with its share."""
    minutes = steady(1000, 600, 10, 0)
    minutes.bad[100:110] = 5
    minutes.bad[115] = 5
    minutes.bad[300:302] = 10

    first, second = episodes_of(SHOP, minutes, limit=5)

    assert (first.first, first.last, first.bad) == (1100, 1116, 55)
    assert first.share == pytest.approx(55 / 60)
    assert (second.first, second.last, second.total) == (1300, 1302, 20)
    assert episodes_of(SHOP, steady(0, 60, 10, 0), 5) == []


@dataclass(frozen=True)
class Turn:
    """A change of a status."""

    time_ns: int
    status: str


def test_minutes_of_a_check():
    """Time in which a status is known counts, and that in which it is unhealthy is bad; what is to come does not."""
    changes = [Turn(90 * MINUTE_NS // 60, "unhealthy"), Turn(3 * MINUTE_NS, "degraded"), Turn(5 * MINUTE_NS, "unknown")]

    found = minutes_of(changes, "healthy", 0, 7, 6 * MINUTE_NS)

    assert found.total.tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert found.bad.tolist() == [0, 0.5, 1, 0, 0, 0, 0]
    assert minutes_of([], "healthy", 0, 3, 90 * MINUTE_NS // 60).total.tolist() == [1, 0.5, 0]
