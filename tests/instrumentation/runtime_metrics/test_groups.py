"""Groups of metrics: one snapshot a cycle, and failures that stay where they are."""

from __future__ import annotations

import logging

import pytest

from spanglass.guard import failures
from spanglass.runtime_metrics.groups import Group, Kind, Metric, install_group

A = Metric("test.a", Kind.GAUGE, "1", "A.")
B = Metric("test.b", Kind.COUNTER, "1", "B.")


def test_one_snapshot_serves_all_instruments_of_a_cycle(measured):
    """Two instruments and two cycles: two snapshots, and both values of a cycle are from the same one."""
    taken = []

    def collect():
        taken.append(len(taken))
        yield A, len(taken), {}
        yield B, len(taken), {}

    install_group(measured.provider.get_meter("test"), Group("test", (A, B), {"both": collect}))

    seen = [(measured.collect().value("test.a"), measured.value("test.b")) for _ in range(2)]
    assert (seen, taken) == ([(1, 1), (2, 2)], [0, 1])


def test_equal_attributes_are_added_up(measured):
    """Two readings of one series are one value: their sum."""
    readings = [(A, 1, {"x": "1"}), (A, 2, {"x": "1"}), (A, 5, {"x": "2"})]
    install_group(measured.provider.get_meter("test"), Group("test", (A,), {"all": lambda: readings}))

    assert measured.collect().values("test.a", "x") == {"1": 3, "2": 5}


def test_a_collector_that_fails_does_not_stop_the_rest(measured, monkeypatch, caplog):
    """It is logged once and counted each time; what it yielded before and what others measure arrives."""
    monkeypatch.delenv("SPANGLASS_STRICT")

    def breaks():
        yield A, 1, {}
        raise OSError("no such thing")

    name = "measure broken: breaks"
    before = failures[name]
    group = Group("broken", (A, B), {"breaks": breaks, "works": lambda: [(B, 7, {})]})
    install_group(measured.provider.get_meter("test"), group)

    with caplog.at_level(logging.WARNING, "spanglass"):
        seen = [measured.collect().values("test.b") for _ in range(3)]

    assert seen == [{(): 7}] * 3
    assert failures[name] - before == 3
    assert [record.message.split(";")[0] for record in caplog.records] == [f"could not {name}"]


def test_what_is_not_there_is_left_off_without_a_word(measured, caplog):
    """A collector that raises what its group expects is asked once, and nothing is logged."""
    asked = []

    def absent():
        asked.append(1)
        raise NotImplementedError

    install_group(measured.provider.get_meter("test"), Group("absent", (A,), {"absent": absent}))
    for _ in range(3):
        measured.collect()

    assert (len(asked), caplog.records) == (1, [])


def test_groups_come_and_go_on_the_same_meter(measured):
    """Uninstalled, a group is silent; another of its name takes its instruments, which the SDK never forgets."""
    meter = measured.provider.get_meter("test")
    uninstall = install_group(meter, Group("test", (A,), {"a": lambda: [(A, 1, {})]}))
    first = measured.collect().values("test.a")
    uninstall()
    silent = measured.collect().names
    install_group(meter, Group("test", (A,), {"a": lambda: [(A, 2, {})]}))
    uninstall()  # the one that is gone must not take the new one along

    assert (first, silent, measured.collect().value("test.a")) == ({(): 1}, set(), 2)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_an_instrument(measured, kind):
    """Each kind names a method of the meter."""
    metric = Metric("test.kind", kind, "1", "Some.")
    install_group(measured.provider.get_meter("test"), Group("kinds", (metric,), {"all": lambda: [(metric, 4, {})]}))

    assert measured.collect().value("test.kind") == 4
