"""Gauges and sums that may fall: what each series says stays valid until it says something else."""

from __future__ import annotations

import math

import pytest
from metric_tables import CUMULATIVE, SECOND, T0, ask, gauge, point, values

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.store.ports import Window

#: From ten minutes before the other tests' window, so that nothing is held longer than the range.
SHORT = Window(T0 * SECOND, (T0 + 180) * SECOND)


def cpu(number, time_s, value):
    """Make a point of one of several series."""
    return gauge(time_s, value, **{"point.cpu:int": number})


def test_gauges(open_tables):
    """Of a step all values count, and of a series without one its last value, as one value."""
    session = open_tables(metrics=[cpu(0, 10, 1.0), cpu(0, 50, 3.0), cpu(0, 130, 8.0), cpu(1, 20, 5.0)])
    assert values(session, "avg", window=SHORT) == {0: 3.0, 60: 4.0, 120: 6.5}
    assert values(session, "sum", window=SHORT) == {0: 8.0, 60: 8.0, 120: 13.0}
    assert values(session, "min", window=SHORT) == {0: 1.0, 60: 3.0, 120: 5.0}
    assert values(session, "max", window=SHORT) == {0: 5.0, 60: 5.0, 120: 8.0}
    assert values(session, "count", window=SHORT) == {0: 3, 120: 1}
    assert values(session, "quantile", window=SHORT, q=0.5) == {0: 3.0, 60: 4.0, 120: 6.5}


def test_a_value_is_kept_for_five_minutes(open_tables):
    """A step has a series' last value if that is at most five minutes old when the step ends."""
    session = open_tables(metrics=[gauge(10, 7.0)])
    assert values(session, "sum") == dict.fromkeys((0, 60, 120, 180, 240), 7.0)
    session = open_tables(metrics=[gauge(0, 7.0)])
    assert values(session, "sum", step_s=100) == dict.fromkeys((0, 100, 200), 7.0)
    assert values(session, "sum", step_s=600) == {0: 7.0}


def test_the_last_value_before_the_range_is_kept(open_tables):
    """A range between two values has the earlier one, also below the interval in which they come."""
    session = open_tables(metrics=[gauge(-30, 7.0), gauge(130, 9.0)])
    window = Window((T0 + 5) * SECOND, (T0 + 65) * SECOND)
    assert values(session, "avg", window=window, step_s=20) == dict.fromkeys((0, 20, 40, 60), 7.0)
    assert values(session, "count", window=window, step_s=20) == {}


def test_a_point_of_an_exemplar_alone_is_no_value(open_tables):
    """Points of Prometheus' exemplars (flag 2) have no value, end none, and are not counted or complained about."""
    session = open_tables(metrics=[cpu(0, 10, 1.0), cpu(0, 20, None) | {"flags": 2}, cpu(1, 590, None) | {"flags": 1}])
    assert values(session, "count", step_s=600) == {0: 1}
    assert values(session, "avg", step_s=600) == {0: 1.0}


def test_a_marker_ends_a_value_at_once(open_tables):
    """Steps that end after "no recorded value" do not have the value from before it."""
    session = open_tables(
        metrics=[cpu(0, 10, 1.0), gauge(130, None, flags=1, **{"point.cpu:int": 0}), cpu(1, 10, 5.0), cpu(0, 250, 2.0)]
    )
    assert values(session, "sum") == {
        0: 6.0,
        60: 6.0,
        120: 5.0,
        180: 5.0,
        240: 7.0,
        300: 2.0,
        360: 2.0,
        420: 2.0,
        480: 2.0,
    }


def test_instances_that_report_at_different_seconds_are_all_in_a_sum(open_tables):
    """Two instances of ten make twenty at every step, whatever its width."""
    session = open_tables(
        metrics=[
            *(gauge(time, 10.0, **{"resource.service.instance.id:str": "a"}) for time in range(5, 600, 60)),
            *(gauge(time, 10.0, **{"resource.service.instance.id:str": "b"}) for time in range(-25, 600, 60)),
        ]
    )
    for step_s in (1, 7, 30, 60, 200):
        found = values(session, "sum", step_s=step_s)
        assert {value for time_s, value in found.items() if time_s >= 10} == {20.0}
        assert len(found) == -(-600 // step_s) + (T0 % step_s > 0)


def test_values_that_are_no_numbers_are_left_out(open_tables):
    """NaN and infinity do not spoil what they are added to, and end nothing; the answer says how many there were."""
    session = open_tables(metrics=[gauge(10, 1.0), gauge(20, math.nan), gauge(30, math.inf), gauge(70, math.nan)])
    groups, notes = ask(session, "avg", window=SHORT)
    assert groups == {(): {0: 1.0, 60: 1.0, 120: 1.0}}
    assert notes == ["3 values are not finite numbers"]
    assert ask(session, "count", window=SHORT)[0] == {(): {0: 1}}


def test_a_sum_that_may_fall_is_a_gauge(open_tables):
    """An up-down counter has values, no rate."""
    session = open_tables(metrics=[point("sum", 10, value_int=5, is_monotonic=False, temporality=CUMULATIVE)])
    assert values(session, "sum", window=SHORT) == {0: 5.0, 60: 5.0, 120: 5.0}
    with pytest.raises(BadQuestionError, match="fall as well as rise"):
        ask(session, "rate")
