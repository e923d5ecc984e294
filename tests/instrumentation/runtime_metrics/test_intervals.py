"""Collectors that measure less often than metrics are collected, as set and as the server says."""

from __future__ import annotations

import pytest

from spanglass.runtime_metrics.groups import Group, Kind, Metric, install_group
from spanglass.runtime_metrics.intervals import Intervals
from spanglass.settings.settings import SettingsError, load

A = Metric("test.a", Kind.COUNTER, "1", "A.")
SECOND = 10**9


def test_a_collector_sits_cycles_out_until_its_interval_has_passed(measured):
    """It sends nothing in between, neither a point nor an old value, and is on time to half a second."""
    now = [0]
    intervals = Intervals()
    intervals.configure(["host=60s"], "shop")
    group = Group("host", (A,), {"all": lambda: [(A, now[0], {})]}, is_due=intervals.pace("host", lambda: now[0]))
    install_group(measured.provider.get_meter("test"), group)

    seen = []
    for second in (0, 15, 30, 59.8, 75, 119.9):
        now[0] = int(second * SECOND)
        seen.append(bool(measured.collect().values("test.a")))
    assert seen == [True, False, False, True, False, True]


def test_other_collectors_measure_every_cycle():
    """Without an interval of its own each cycle is due, however close they follow."""
    intervals = Intervals()
    intervals.configure(["host=60s"], "shop")
    is_due = intervals.pace("process", lambda: 0)
    assert [is_due() for _ in range(3)] == [True] * 3


def test_what_the_server_says_goes_before_the_setting():
    """Of a service alone before that of all; it can take it back. Other services and nonsense say nothing."""
    intervals = Intervals()
    undo = intervals.configure(["host=60s"], "shop")
    intervals.told("host=30s, process=20s, shop:process=10s, mail:host=1h, weather=5s, host, libraries=soon")
    assert [intervals.of(name) // SECOND for name in ("host", "process", "libraries")] == [30, 10, 0]
    intervals.told("")
    assert [intervals.of(name) // SECOND for name in ("host", "process")] == [60, 0]
    undo()
    assert intervals.of("host") == 0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("host", "collector=duration"),
        ("weather=60s", "collectors: host, interpreter, libraries, process"),
        ("host=sixty", "host: "),
        ("host=0s", "more than 0"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(entry, said):
    """The error names the setting and what it takes."""
    with pytest.raises(SettingsError, match="collection_intervals") as raised:
        load({"collection_intervals": [entry]}, environ={})
    assert said in str(raised.value)
