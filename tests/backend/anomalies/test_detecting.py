"""What is told of labelled series, and what is usual of series of which that is known."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

import anomalies as benchmark
from made_anomalies import DAY, HOUR, made_anomalies
from spanglass_server.anomalies.detecting.episodes import BEGIN, END_STEPS, UNSEEN_STEPS, Episodes
from spanglass_server.anomalies.detecting.judging import judge, judge_durations, judge_failures
from spanglass_server.anomalies.detecting.scales import scaled, unscaled
from spanglass_server.anomalies.detecting.usual import AHEAD, STEPS, find_usual, hours_of


def test_labelled_series() -> None:
    """Of labelled series at least nine in ten anomalies are found, at least 19 in 20 that are told of are there."""
    by_kind = defaultdict(list)
    for one in made_anomalies(3, benchmark.PAST, DAY // 2, seed=7):
        by_kind[one.kind].append(one)
    told_of = [(made, benchmark.ours(made, DAY // 2)[0]) for made in by_kind.values()]
    figures = np.sum([benchmark._figures(made, told)[:4] for made, told in told_of], axis=0)
    labelled, found, told, wrong = figures.tolist()
    assert labelled == 24
    assert found >= 0.9 * labelled
    assert wrong <= 0.05 * told


@pytest.mark.parametrize("days", [0.5, 2, 21])
def test_a_rise_is_seen_and_chance_is_not(days: float) -> None:
    """With half a day, two days or three weeks known, values like those before are usual and a rise is not."""
    random = np.random.default_rng(3)
    steps = int(days * DAY)
    values = 50 + random.normal(0, 2, (40, steps + HOUR))
    usual = find_usual(hours_of(values[:, :steps]), "plain")
    chance = np.array([usual.deviations(values[:, steps + step], step) for step in range(HOUR)])
    assert np.abs(chance).max() < BEGIN
    assert (usual.deviations(np.full(40, 80.0), 0) > BEGIN).all()
    assert (usual.deviations(np.full(40, 20.0), 0) < -BEGIN).all()


def test_time_of_day_and_nightly_jobs() -> None:
    """What is usual follows the day, and a short job at one time of each night is usual then and not at noon."""
    random = np.random.default_rng(4)
    at = np.arange(14 * DAY)
    values = 100 + 50 * np.sin(2 * np.pi * at / DAY) + random.normal(0, 2, (3, len(at)))
    values[:, (at % DAY >= 26) & (at % DAY < 29)] += 200  # ten past two
    night, noon = find_usual(hours_of(values), "plain"), find_usual(hours_of(values[:, : 13 * DAY + 144]), "plain")
    assert (night.period == 24).all()
    assert night.centre[:, 3] == pytest.approx([103] * 3, abs=8)
    assert (np.abs(night.deviations(np.full(3, 330.0), 26)) < BEGIN).all()
    assert (noon.deviations(np.full(3, 330.0), 4) > BEGIN).all()
    assert night.centre.shape == (3, AHEAD * STEPS)


def test_counts_have_the_chance_of_poisson_and_few_requests_say_little() -> None:
    """A few more events, one failed request of five, and slow ones of ten, are no surprise; many are."""
    hours = np.zeros((3, 3, 48))
    counts = find_usual(scaled(hours + 4, "count"), "count")
    found = judge(np.array([9.0, 60.0, np.nan]), counts, 0, "count")
    assert found.deviations[0] < BEGIN < found.deviations[1]
    assert np.isnan(found.deviations[2])
    shares = find_usual(hours, "share")
    failed = judge_failures(np.array([0.2, 0.2, 0.0]), np.array([5.0, 500.0, 500.0]), shares, 0, 0.01)
    assert failed.deviations[0] < BEGIN < failed.deviations[1]
    assert failed.deviations[2] == 0
    durations = find_usual(scaled(hours + 0.1, "log"), "log")
    slow = judge_durations(np.full(3, 0.2), np.array([10.0, 25.0, 10_000.0]), durations, 0, 0.005)
    assert np.isnan(slow.deviations[0])
    assert slow.deviations[1] < BEGIN < slow.deviations[2]
    assert unscaled(scaled(np.array([7.0, 0.0]), "count"), "count") == pytest.approx([7.0, 0.0])


def test_nothing_is_known_of_new_or_empty_series() -> None:
    """With fewer than three hours, or no value, nothing is usual and nothing a surprise; none at all is no error."""
    hours = np.full((3, 2, 48), np.nan)
    hours[:, 0, -2:] = 5.0
    usual = find_usual(hours, "plain")
    assert np.isnan(usual.centre).all()
    assert np.isnan(usual.deviations(np.array([500.0, 500.0]), 0)).all()
    assert find_usual(hours_of(np.empty((0, 48 * STEPS))), "plain").centre.shape == (0, AHEAD * STEPS)


def test_where_the_side_turns_or_values_are_gone() -> None:
    """What turns to the other side ends there, and another begins; what has no value for an hour is over."""
    episodes, every = Episodes.of(1), np.ones(1, bool)
    changes = [episodes.step(np.array([value]), every) for value in [6.0, 6, -6, 0, -6, -6] + [np.nan] * 13]
    assert [(step, *(int(each[0]) for each in one)) for step, one in enumerate(changes) if one.began | one.ended] == [
        (1, 2, 0, 1), (5, 2, 2, -1), (17, 0, UNSEEN_STEPS, -1),
    ]  # fmt: skip
    assert not episodes.is_open[0]


def test_the_level_is_of_hours_that_are_known() -> None:
    """After a day and more without values the level is that of the 24 hours before, not of all the past."""
    hours = np.full((3, 1, 300), 10.0)
    hours[:, :, 200:] = 50.0
    hours[:, :, 265:295] = np.nan
    assert find_usual(hours, "plain").centre[0, 0] == pytest.approx(50.0)


def test_begin_and_end() -> None:
    """One odd value or one far below begins nothing, two or one far above or a lasting lesser one do; three end it."""
    rows = {
        "odd": [6, 0, 6, 0, 0, 0, 0, 0, 0, 0],
        "two": [0, 6, 6, 0, 0, 6, 0, 0, 0, 0],
        "turned": [5, -5, 5, -5, 0, 0, 0, 0, 0, 0],
        "far": [0, 0, 20, 0, 0, 0, 0, 0, 0, 0],
        "lost": [0, 0, -20, 0, 0, 0, 0, 0, 0, 0],
        "missing": [0, -20, -20, 0, 0, 0, 0, 0, 0, 0],
        "lasting": [3, 3, 3, 3, 3, 3, 0, 0, 0, 0],
        "gap": [6, np.nan, 6, 0, 0, 0, 0, 0, 0, 0],
    }
    values = np.array(list(rows.values()), dtype=float)
    episodes = Episodes.of(len(rows))
    began: dict[str, tuple[int, int, int]] = {}
    ended: dict[str, int] = {}
    for step in range(values.shape[1]):
        change = episodes.step(values[:, step], np.ones(len(rows), bool))
        for name, length, is_end, side in zip(rows, change.began, change.ended, change.side, strict=True):
            if length:
                began[name] = step, int(length), int(side)
            if is_end:
                ended[name] = step
    assert began == {"two": (2, 2, 1), "far": (2, 1, 1), "missing": (2, 2, -1), "lasting": (5, 6, 1), "gap": (2, 2, 1)}
    assert ended == {"two": 8, "far": 2 + END_STEPS, "missing": 2 + END_STEPS, "lasting": 8, "gap": 5}
    moved = episodes.taken(np.array([1, -1]))
    assert moved.within.tolist() == [episodes.within[1], 0]
    small = Episodes.of(1)
    for _ in range(3):
        assert not small.step(np.array([50.0]), np.array([False])).began.any()
