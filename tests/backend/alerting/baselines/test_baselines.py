"""Baselines: usual values of seasonal series and of new ones, robust, and the same live as in a backtest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_server.alerting.baselines.baselines import Baselines
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.series.labels import NAME, LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
#: A Wednesday, 00:00 UTC, in 2023.
START = 19_675 * DAY


def source(series):
    """Series ``x`` with samples: labels to (times since the start, values)."""
    sizes = [len(times) for _, times, _ in series]
    return SeriesInMemory(
        Samples(
            LabelSets.of([{NAME: "x", **labels} for labels, _, _ in series]),
            np.cumsum([0, *sizes]),
            np.concatenate([START + np.asarray(times, np.int64) for _, times, _ in series]),
            np.concatenate([np.asarray(values, np.float64) for _, _, values in series]),
        )
    )


def every(step, until, value, since=0):
    """Times from the start on, and a value at each by a function of days."""
    times = np.arange(since, until, step)
    return times, value(times / DAY)


def usual(found, at, **more):
    """Baseline and spread of the only key at a time since the start."""
    keys, baseline, spread = Baselines(**more).usual(found, "x", (), Steps(START + int(at), 0, 1))
    assert len(keys) <= 1
    return (float(baseline[0, 0]), float(spread[0, 0])) if keys else (np.nan, np.nan)


def wave(days):
    """A day with its peak at noon: 100 at night, 300 then."""
    return 200 - 100 * np.cos(2 * np.pi * days)


def test_a_seasonal_series_has_its_daily_course():
    """At each time of day the baseline is the value of that time on earlier days; the spread is small."""
    found = source([({}, *every(5 * MINUTE, 8 * DAY, wave))])
    steps = Steps(START + 7 * DAY, 7 * MINUTE, 200)
    keys, baseline, spread = Baselines().usual(found, "x", ("job",), steps)
    expected = wave(np.arange(200) * 7 * MINUTE / DAY)
    assert keys == ((),)
    assert np.abs(baseline[0] / expected - 1).max() < 0.01
    assert (spread[0] / expected < 0.06).all()


def test_an_incident_of_earlier_days_does_not_count():
    """Two of seven days with an outage or a surge move the baseline hardly, and the spread neither."""

    def value(days):
        values = wave(days) + np.random.default_rng(7).normal(0, 2, len(days))
        return np.where((days > 2.4) & (days < 2.7), 5000, np.where((days > 5.4) & (days < 5.7), 0, values))

    baseline, spread = usual(source([({}, *every(5 * MINUTE, 7 * DAY, value))]), 7.5 * DAY)
    assert baseline == pytest.approx(300, abs=5)
    assert spread < 20


@pytest.mark.parametrize("weekday", range(7))
def test_weekends_are_known_from_two_weeks_on(weekday):
    """With two weeks of data each day is like its own weekday, though most others are not."""

    def value(days):
        return np.where((np.floor(days) + 2) % 7 >= 5, 10.0, 100.0)  # Monday is 0, the start a Wednesday

    day = 14 + (weekday - 2) % 7
    found = source([({}, *every(5 * MINUTE, day * DAY, value))])
    assert usual(found, (day + 0.5) * DAY)[0] == (10 if weekday >= 5 else 100)


def test_a_new_series_is_judged_by_the_hours_before():
    """Ten minutes of data are enough, fewer are not; the last five minutes are left out; six hours count at most."""
    minutes = np.arange(1000)
    found = source([({}, minutes * MINUTE, np.where(minutes < 600, 1.0, 50.0))])
    assert np.isnan(usual(found, 10 * MINUTE)[0])
    assert usual(found, 15 * MINUTE)[0] == 1
    # The fault begins at minute 600, and is most of the six hours three hours later.
    assert usual(found, 700 * MINUTE)[0] == 1
    assert usual(found, 800 * MINUTE)[0] == 50


def test_two_days_are_no_season():
    """Only where three earlier days have data do they count; until then the hours before do."""
    for days, expected in ((2, 7.0), (3, 1.0)):
        found = source([({}, *every(5 * MINUTE, (days + 0.5) * DAY, lambda at, n=days: np.where(at > n, 7.0, 1.0)))])
        assert usual(found, (days + 0.5) * DAY)[0] == expected


def test_a_flat_series_has_a_spread():
    """A series that never moved does not alarm at its first digit: the spread has a floor, relative and absolute."""
    flat = every(5 * MINUTE, 4 * DAY, lambda days: 0 * days + 40)
    assert usual(source([({}, *flat)]), 4 * DAY) == (40, pytest.approx(2))
    zero = every(5 * MINUTE, 4 * DAY, lambda days: 0 * days)
    assert usual(source([({}, *zero)]), 4 * DAY) == (0, pytest.approx(0.005))


def test_keys_are_told_apart_by_the_labels_asked_for():
    """Each key has its own baseline, NaN where it has too little; what is no number counts as missing."""
    found = source(
        [
            ({"job": "a", "zone": "1"}, *every(5 * MINUTE, 4 * DAY, lambda days: 0 * days + 5)),
            ({"job": "b", "zone": "2"}, *every(5 * MINUTE, 4 * DAY, lambda days: np.full(len(days), np.inf))),
            ({"job": "c", "zone": "3"}, *every(5 * MINUTE, 4 * DAY + HOUR, lambda days: 0 * days + 6, 4 * DAY)),
        ]
    )
    steps = Steps(START + 4 * DAY, HOUR, 2)
    keys, baseline, _ = Baselines().usual(found, "x", ("job",), steps)
    assert keys == ((("job", "a"),), (("job", "c"),))
    np.testing.assert_array_equal(baseline, [[5, 5], [np.nan, 6]])
    assert Baselines().usual(found, "nothing", (), steps)[1].shape == (0, 2)


def test_within_a_slot_nothing_is_read_again(monkeypatch):
    """Live evaluation reads once in five minutes, and of earlier days only what moved into sight."""
    found = source([({}, *every(5 * MINUTE, 9 * DAY, wave))])
    asked = []
    plain = SeriesInMemory.select
    monkeypatch.setattr(
        SeriesInMemory, "select", lambda self, selector: asked.append(selector) or plain(self, selector)
    )
    baselines = Baselines()
    numbers = []
    for seconds in range(0, 900, 15):
        before = len(asked)
        baselines.usual(found, "x", (), Steps(START + 8 * DAY + 10_000 + seconds * 1000, 0, 1))
        numbers.append(len(asked) - before)
    assert numbers[0] > 1
    assert [at * 15 for at, number in enumerate(numbers) if number] == [0, 300, 600]
    assert numbers[20] == numbers[40] == 1


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_live_and_backtest_agree(data):
    """At any step the baseline is the same to the last bit, however it is asked for.

    Alone, with what is stored up to then only, or with all others over everything that came later.
    """
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    days = data.draw(st.sampled_from([0.1, 2.0, 5.0, 16.0]))
    times = np.sort(random.choice(int(days * 1440), int(days * 1440 * random.uniform(0.2, 0.9)), replace=False))
    series = [
        ({"job": name}, times[random.random(len(times)) < share] * MINUTE, None)
        for name, share in (("a", 1.0), ("b", 0.7), ("c", 0.02))
    ]
    series = [(labels, at, random.normal(10, 5, len(at))) for labels, at, _ in series]
    step = data.draw(st.sampled_from([15_000, 7 * MINUTE, HOUR]))
    size = 60
    begin = int(random.uniform(0.3, 1) * days * DAY) // 15_000 * 15_000
    steps = Steps(START + begin, step, size)
    keys, baseline, spread = Baselines().usual(source(series), "x", (), steps)
    live = Baselines(max_bytes=1 << 16)
    for place in sorted(random.choice(size, 6, replace=False).tolist()):
        at = begin + place * step
        known = [(labels, when[when <= at], values[when <= at]) for labels, when, values in series]
        own_keys, own, own_spread = live.usual(source(known), "x", (), Steps(START + at, 0, 1))
        rows = [keys.index(key) for key in own_keys]
        others = sorted({*range(len(keys))} - {*rows})
        assert own[:, 0].tolist() == baseline[rows, place].tolist()
        assert own_spread[:, 0].tolist() == spread[rows, place].tolist()
        assert np.isnan(baseline[others, place]).all()
