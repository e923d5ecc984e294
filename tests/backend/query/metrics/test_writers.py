"""Which points of a series are those of one writer, and what each writer counted."""

from __future__ import annotations

import itertools
import random

import pytest
from metric_tables import DELTA, SECOND, T0, ask, counter, exponential_row, histogram, values

from spanglass_server.store.ports import Window

#: A writer that counts a hundred a minute, whose first point is the last one before the window.
LONG_AGO_S = -9000
MINUTES = range(0, 600, 60)
HUNDREDS = dict.fromkeys(range(0, 540, 60), 100)


def wavering(starts_s, first=1_000_000):
    """Make points a minute apart, each a hundred more than the one before, with these start times."""
    return [
        counter(time_s, first + 100 * number, start_s=start_s)
        for number, (time_s, start_s) in enumerate(zip(MINUTES, itertools.cycle(starts_s), strict=False))
    ]


@pytest.mark.parametrize(
    "starts_s",
    [
        [LONG_AGO_S],
        [LONG_AGO_S, LONG_AGO_S + 0.001],
        [LONG_AGO_S, LONG_AGO_S + 1],
        [LONG_AGO_S, LONG_AGO_S + 9.5],
        [LONG_AGO_S + 0.002 * number for number in range(10)],
        [LONG_AGO_S + 9 * number for number in range(10)],
        [LONG_AGO_S, LONG_AGO_S, LONG_AGO_S + 3, LONG_AGO_S + 1, LONG_AGO_S + 2, LONG_AGO_S + 1, LONG_AGO_S],
        [None],
        list(MINUTES),
    ],
    ids=["steady", "jitter", "alternate", "far-jitter", "drift", "fast-drift", "random", "none", "own-time"],
)
def test_start_times_that_waver_are_one_writer(open_tables, starts_s):
    """However the start is computed anew, a hundred a minute stay a hundred a minute, and nothing restarted."""
    assert values(open_tables(metrics=wavering(starts_s)), "increase") == HUNDREDS


def test_a_random_jitter_is_one_writer(open_tables):
    """Starts that jitter by a few milliseconds now and then, over many points."""
    rng = random.Random(7)  # noqa: S311 - numbers for a test
    for _ in range(20):
        starts_s = [LONG_AGO_S + rng.choice([0, 0.001, 0.002, 0.9]) for _ in MINUTES]
        assert values(open_tables(metrics=wavering(starts_s)), "increase") == HUNDREDS


def test_a_start_after_the_first_point_is_one_writer(open_tables):
    """A series that begins while it is exported starts after its first point: that adds nothing, later ones do."""
    rows = [counter(time_s, 50 + time_s, start_s=0.002) for time_s in (0, 60, 120)]
    assert values(open_tables(metrics=rows), "increase") == {0: 60, 60: 60}


def test_a_jittering_writer_that_began_in_the_range_counts_from_zero_once(open_tables):
    """Its first point counts whole since its start; none of the later ones does."""
    session = open_tables(metrics=[counter(60, 6, start_s=0), counter(120, 18, start_s=1), counter(180, 20, start_s=0)])
    assert values(session, "increase") == {0: 6, 60: 12, 120: 2}


def test_a_wavering_writer_that_restarts(open_tables):
    """The restart is one, however its new start wavers, and counts from zero."""
    rows = [
        *(counter(60 * number, 1000 + 10 * number, start_s=LONG_AGO_S + number % 2) for number in range(4)),
        *(counter(240 + 60 * number, 6 + 10 * number, start_s=200 + 0.001 * (number % 2)) for number in range(3)),
    ]
    groups, notes = ask(open_tables(metrics=rows), "increase")
    assert notes == ["1 reset"]
    assert groups[()] == pytest.approx({0: 10, 60: 10, 120: 10, 180: 6 * 40 / 40, 240: 10, 300: 10})


def test_jobs_that_start_one_after_another_are_restarts(open_tables):
    """Short programs that each count five and end before the next one starts, close together, count five each."""
    rows = [counter(second + 1, 5, start_s=second) for second in (0, 3, 6, 9)]
    groups, notes = ask(open_tables(metrics=rows), "increase")
    assert groups == {(): {0: 20}}
    assert notes == ["3 resets"]


@pytest.mark.parametrize("apart_s", [0.2, 1, 5, 60, 4000])
@pytest.mark.parametrize("phase_s", [0, 0.5, 10, 29])
def test_two_writers_stay_apart(open_tables, apart_s, phase_s):
    """Two processes of one series, at a hundred and ten a minute, are added; neither restarted."""
    one = [counter(time_s, 1_000_000 + time_s * 100 // 60, start_s=LONG_AGO_S) for time_s in (*MINUTES, 600)]
    other = [counter(time_s + phase_s, 5000 + time_s // 6, start_s=LONG_AGO_S + apart_s) for time_s in (*MINUTES, 600)]
    groups, notes = ask(open_tables(metrics=[*one, *other]), "increase", step_s=600)
    assert notes == []
    assert groups[()][0] == pytest.approx(1000 + 100, rel=0.01)


def test_two_writers_that_never_contradict_each_other_come_in_pairs(open_tables):
    """Workers forked at once, whose values rise in turn, are told by exporters that run side by side."""
    rows = [
        counter(time_s + 0.5 * worker, time_s * 10 + worker, start_s=LONG_AGO_S + 0.1 * worker)
        for time_s in MINUTES
        for worker in (0, 1)
    ]
    found = values(open_tables(metrics=rows), "increase")
    assert sum(found.values()) == pytest.approx(2 * 5400)


def test_a_fall_of_a_drifting_writer_is_a_reset(open_tables):
    """Starts that never come back are no second writer: the value that fell counts from zero."""
    rows = [
        counter(60 * number, value, start_s=LONG_AGO_S + 0.01 * number) for number, value in enumerate((90, 95, 4, 9))
    ]
    groups, notes = ask(open_tables(metrics=rows), "increase")
    assert groups == {(): {0: 5, 60: 4, 120: 5}}
    assert notes == ["1 reset"]


def test_no_increase_is_drawn_over_a_marker(open_tables):
    """Between a vanished target and its return nothing is known; a return with a new start counts since that."""
    gone = counter(120, None, start_s=None, flags=1)
    rows = [counter(60, 100, start_s=LONG_AGO_S), gone, counter(300, 160, start_s=LONG_AGO_S)]
    assert values(open_tables(metrics=rows), "rate") == {240: 0.25}
    rows = [counter(60, 100, start_s=LONG_AGO_S), gone, counter(300, 6, start_s=240), counter(360, 12, start_s=240)]
    groups, notes = ask(open_tables(metrics=rows), "rate")
    assert groups == {(): {240: 0.1, 300: 0.1}}
    assert notes == ["1 reset"]


def test_a_marker_ends_only_its_own_series(open_tables):
    """Another series of the metric goes on over the time of the marker."""
    other = {"point.route:str": "/b"}
    rows = [counter(60, 0), counter(120, None, flags=1), *(counter(time_s, time_s, **other) for time_s in (60, 180))]
    assert values(open_tables(metrics=rows), "increase") == {0: 60, 60: 60, 120: 60}


def test_integers_are_subtracted_as_integers(open_tables):
    """Past 2^53, where doubles have only every other integer, one more is one."""
    rows = [counter(60 * number, 2**62 + number, start_s=LONG_AGO_S) for number in range(4)]
    assert values(open_tables(metrics=rows), "increase") == {0: 1, 60: 1, 120: 1}
    rows = [histogram(60 * number, (2**60 + number, 3), 1.0, start_s=LONG_AGO_S, bounds=(4.0,)) for number in range(3)]
    session = open_tables(metrics=rows)
    assert values(session, "count") == {0: 1, 60: 1}
    assert values(session, "quantile", q=0.5) == {0: 2.0, 60: 2.0}
    rows = [exponential_row(60 * number, (2**60 + number,), start_s=LONG_AGO_S) for number in range(3)]
    session = open_tables(metrics=rows)
    assert values(session, "count") == {0: 1, 60: 1}
    assert values(session, "quantile", q=1.0) == {0: 2.0, 60: 2.0}


def test_an_integer_counter_that_becomes_a_double_goes_on(open_tables):
    """Whole and real values of one series are subtracted from each other."""
    rows = [counter(0, 10, start_s=LONG_AGO_S), counter(60, None, start_s=LONG_AGO_S, value_double=12.5)]
    assert values(open_tables(metrics=rows), "increase") == {0: 2.5}


def test_values_of_counters_that_are_no_numbers_are_noted(open_tables):
    """NaN adds nothing and breaks nothing: the next point adds to the one before it."""
    rows = [counter(0, 10), counter(60, None, value_double=float("nan")), counter(120, 16)]
    groups, notes = ask(open_tables(metrics=rows), "increase")
    assert groups == {(): {0: 3, 60: 3}}
    assert notes == ["1 value is not a finite number"]


@pytest.mark.parametrize(("aggregate", "expected"), [("count", 12), ("sum", 30.0), ("increase", 12)])
def test_a_fallen_bucket_is_a_reset(open_tables, aggregate, expected):
    """A histogram whose total rises while a bucket falls began anew: all of it is new."""
    rows = [
        histogram(60, (10, 0, 0, 0), 5.0, start_s=LONG_AGO_S),
        histogram(120, (0, 0, 12, 0), 30.0, start_s=LONG_AGO_S),
    ]
    groups, notes = ask(open_tables(metrics=rows), aggregate)
    assert (groups, notes) == ({(): {60: expected}}, ["1 reset"])
    groups, notes = ask(open_tables(metrics=rows), "quantile", q=0.5)
    assert (groups, notes) == ({(): {60: 3.0}}, ["1 reset"])


@pytest.mark.parametrize(
    "after",
    [
        {"counts": (0, 0, 12)},
        {"counts": (12,), "offset": 2},
        {"counts": (3, 9), "scale": -1},
        {"counts": (9,), "zeros": 3, "offset": 1},
    ],
    ids=["bucket", "offset", "scale", "moved"],
)
def test_a_fallen_exponential_bucket_is_a_reset(open_tables, after):
    """At whatever places and scales its buckets are, one that fell shows that the histogram began anew."""
    session = open_tables(
        metrics=[exponential_row(60, (10, 0, 0), start_s=LONG_AGO_S), exponential_row(120, start_s=LONG_AGO_S, **after)]
    )
    for aggregate, options in (("count", {}), ("quantile", {"q": 0.5})):
        groups, notes = ask(session, aggregate, **options)
        assert notes == ["1 reset"], aggregate
        assert [*groups[()]] == [60]
    assert ask(session, "count")[0] == {(): {60: 12}}


def test_exponential_buckets_that_only_grow_are_no_reset(open_tables):
    """Buckets that come in below or above, and a lower scale, subtract what was there."""
    session = open_tables(
        metrics=[
            exponential_row(0, (4, 2), offset=2, start_s=LONG_AGO_S),
            exponential_row(60, (1, 0, 4, 2, 3), offset=0, start_s=LONG_AGO_S),
            exponential_row(120, (1, 6, 4), offset=0, scale=-1, start_s=LONG_AGO_S),
        ]
    )
    assert values(session, "count") == {0: 4, 60: 1}
    assert values(session, "quantile", q=0) == {0: 1.0, 60: 16.0}


@pytest.mark.parametrize("overlap_s", [0.001, 0.5, 1])
def test_slight_overlaps_of_deltas_are_trimmed(open_tables, overlap_s):
    """A delta that begins a little before the last one ended is the next one, whole."""
    rows = [counter(time_s, 60, start_s=time_s - 60 - overlap_s, temporality=DELTA) for time_s in (60, 120, 180, 240)]
    found = values(open_tables(metrics=rows), "increase", step_s=30)
    assert sum(found.values()) == pytest.approx(240, abs=1.1)
    assert [*found] == [*range(0, 240, 30)]


def test_a_resent_delta_counts_once(open_tables):
    """The same interval again, and one that covers both, are doubles."""
    rows = [counter(60, 60, temporality=DELTA), counter(60, 60, temporality=DELTA), counter(61, 60, temporality=DELTA)]
    groups, notes = ask(open_tables(metrics=rows), "increase", step_s=600)
    assert groups == {(): {0: 60}}
    assert notes == ["2 overlapping delta points were left out"]


@pytest.mark.parametrize("order", [(5, 4, 5), (4, 5, 5), (5, 5, 4)])
def test_deltas_of_one_interval_that_differ_all_count(open_tables, order):
    """Micrometer sends what was counted in a process's last moments with the interval before it: that is no copy."""
    rows = [counter(60, 7, temporality=DELTA)]
    rows += [counter(120, value, start_s=60, temporality=DELTA) for value in order]
    groups, notes = ask(open_tables(metrics=rows), "increase", step_s=30)
    assert groups == {(): {0: 3.5, 30: 3.5, 60: 4.5, 90: 4.5}}
    assert notes == ["1 overlapping delta point was left out"]


def test_a_start_at_the_last_point_is_a_restart(open_tables):
    """A run that starts when the one before it was last seen counts from zero, however short both are."""
    rows = [counter(2, 2, start_s=0), counter(4, 4, start_s=2), counter(6, 5, start_s=4), counter(8, 5, start_s=6)]
    groups, notes = ask(open_tables(metrics=rows), "increase", step_s=60)
    assert (groups, notes) == ({(): {0: 16}}, ["3 resets"])


def test_of_two_temporalities_of_one_sender_the_cumulative_counts(open_tables):
    """One program with a reader of each counts once; a program with deltas only is added."""
    other = {"resource.service.instance.id:str": "other"}
    rows = [
        *(counter(time_s, time_s, start_s=0) for time_s in (60, 120, 180)),
        *(counter(time_s, 60, start_s=time_s - 60, temporality=DELTA) for time_s in (60, 120, 180)),
        *(counter(time_s, 60, start_s=time_s - 60, temporality=DELTA, **other) for time_s in (60, 120)),
    ]
    groups, notes = ask(open_tables(metrics=rows), "increase")
    assert groups == {(): {0: 120, 60: 120, 120: 60}}
    assert notes == ["3 delta points were left out, whose senders also send cumulative ones"]


def test_a_sender_that_changes_its_temporality_counts_all_along(open_tables):
    """Deltas from before the cumulative points began are what was counted then."""
    rows = [
        *(counter(time_s, 60, start_s=time_s - 60, temporality=DELTA) for time_s in (60, 120)),
        *(counter(time_s, time_s - 150, start_s=150) for time_s in (180, 240)),
    ]
    groups, _ = ask(open_tables(metrics=rows), "increase")
    assert groups == {(): {0: 60, 60: 60, 120: 30, 180: 60}}


def test_a_range_between_two_points_has_its_part_of_the_increase(open_tables):
    """A range without a point inside is answered from those around it."""
    session = open_tables(metrics=[counter(0, 100, start_s=LONG_AGO_S), counter(120, 112, start_s=LONG_AGO_S)])
    window = Window((T0 + 40) * SECOND, (T0 + 80) * SECOND)
    assert values(session, "rate", window=window, step_s=20) == dict.fromkeys((40, 60), 0.1)
    assert values(session, "increase", window=window, step_s=20) == dict.fromkeys((40, 60), 2)
