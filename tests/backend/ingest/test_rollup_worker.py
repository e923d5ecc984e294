"""Rollups of what is really stored: made in the background, again when points come late, and kept by themselves."""

from __future__ import annotations

import itertools
from typing import Any

from nodes import NOW_NS, Clock, Node, open_node
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spanglass_server.pace import REST_NEW, Pace
from spanglass_server.rollups.making import counts_by_window
from spanglass_server.rollups.windows import GRACE_NS, WINDOW_NS, window_of
from spanglass_server.settings.table import Retention
from spanglass_server.signals import ROLLUPS, Signal
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import NS_PER_MS

WINDOW = window_of(NOW_NS - 2 * WINDOW_NS)
EVERY_NS = 60 * 10**9


def body(first_ns: int, values: list[float], **attributes: str) -> bytes:
    """A gauge with a value every minute."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="queue.size", unit="1")
    for i, value in enumerate(values):
        point = metric.gauge.data_points.add(time_unix_nano=first_ns + i * EVERY_NS, as_double=value)
        for key, text in attributes.items():
            point.attributes.add(key=key).value.string_value = text
    return request.SerializeToString()


def roll(node: Node) -> None:
    """Do what the threads do."""
    node.real._pending.settle()
    node.real._rollups.pace = Pace(lambda: 0.0, lambda: 0.0)  # as if it had rested
    node.real._rollups.run(lambda: False)


def kept(node: Node, signal: Signal) -> list[dict[str, Any]]:
    """The rollups, by time."""

    def ask(session: Any) -> list[dict[str, Any]]:
        columns = ["time_ns", "value_double", "sample_count", "point.queue:str"]
        return session.rows(f"FROM {session.relation(signal, ALL_TIME, columns)} ORDER BY 1, 4")

    return node.real.engine.run_here(ask)


def covered(node: Node) -> dict[Signal, list[Any]]:
    """What queries may read instead of points."""
    return {signal: node.real.engine.run_here(lambda session, s=signal: session.rolled_up(s)) for signal in ROLLUPS}


def test_points_are_rolled_up_once_their_window_is_over(tmp_path):
    """Two series of an hour become few rows that stand for all of them, and the window says that it is covered."""
    clock = Clock()
    clock.now_ns = WINDOW.end_ns + GRACE_NS - 1
    with open_node(tmp_path, clock) as node:
        values = [float(i % 7) for i in range(60)]
        node.submit(body(WINDOW.start_ns + EVERY_NS, values, queue="a"), signal=Signal.METRICS)
        node.submit(body(WINDOW.start_ns + EVERY_NS, values, queue="b"), signal=Signal.METRICS)
        roll(node)
        assert covered(node) == {key: [] for key in ROLLUPS}
        clock.now_ns += 1
        roll(node)
        assert covered(node) == {key: [WINDOW] for key in ROLLUPS}
        hourly, fine = (kept(node, signal) for signal in (Signal.ROLLUPS_1H, Signal.ROLLUPS_5M))
        for queue in "ab":
            rows = [row for row in hourly if row["point.queue:str"] == queue]
            assert [row["value_double"] for row in rows] == [0, 6, 3]
            assert sum(row["sample_count"] for row in rows) == 60
        assert 2 * 12 * 2 <= len(fine) <= 2 * 12 * 4


def test_points_that_come_late_are_in_the_rollups_too(tmp_path):
    """At once points answer for the window; it is made again, in the place of what was made before."""
    clock = Clock()
    with open_node(tmp_path, clock) as node:
        node.submit(body(WINDOW.start_ns + EVERY_NS, [1.0, 2.0]), signal=Signal.METRICS)
        roll(node)
        assert covered(node) == {signal: [WINDOW] for signal in ROLLUPS}
        node.submit(body(WINDOW.start_ns + 10 * EVERY_NS, [9.0]), signal=Signal.METRICS)
        assert covered(node) == {signal: [] for signal in ROLLUPS}
        roll(node)
        assert [row["value_double"] for row in kept(node, Signal.ROLLUPS_1H)] == [1, 9]
        assert covered(node) == {key: [WINDOW] for key in ROLLUPS}


def test_what_is_no_longer_new_keeps_to_the_pace(tmp_path):
    """A window of the last day is rolled up at once; those further back, and again for a late point, after the rest."""
    clock, spent = Clock(), itertools.count()
    elapsed_s = 0.0
    with open_node(tmp_path, clock) as node:
        node.real._rollups.pace = Pace(lambda: elapsed_s, lambda: float(next(spent)))  # each takes a second

        def run() -> list[Window]:
            node.real._pending.settle()
            node.real._rollups.run(lambda: False)
            return sorted(covered(node)[Signal.ROLLUPS_5M], key=lambda window: window.start_ns)

        old = [Window(*(at_ns - days * 4 * WINDOW_NS for at_ns in (WINDOW.start_ns, WINDOW.end_ns))) for days in (3, 2)]
        for window in (*old, WINDOW):
            node.submit(body(window.start_ns + EVERY_NS, [1.0]), signal=Signal.METRICS)
        assert run() == [WINDOW]
        elapsed_s += REST_NEW - 1
        assert run() == [WINDOW]
        elapsed_s += 2
        assert run() == [old[1], WINDOW]

        node.submit(body(WINDOW.start_ns + 2 * EVERY_NS, [1.0]), signal=Signal.METRICS)
        assert run() == [old[1]]
        elapsed_s += REST_NEW + 1
        assert run() == [old[1], WINDOW]
        elapsed_s += REST_NEW + 1
        assert run() == [*old, WINDOW]


def test_a_restart_finds_what_is_not_rolled_up_yet(tmp_path):
    """Points whose window nobody had looked at, or that came late, before the server stopped."""
    clock = Clock()
    with open_node(tmp_path, clock) as node:
        node.submit(body(WINDOW.start_ns + EVERY_NS, [1.0]), signal=Signal.METRICS)
        roll(node)
        node.submit(body(WINDOW.start_ns + 5 * EVERY_NS, [5.0]), signal=Signal.METRICS)
        node.submit(body(WINDOW.end_ns + EVERY_NS, [7.0]), signal=Signal.METRICS)
    with open_node(tmp_path, clock) as node:
        assert covered(node) == {signal: [] for signal in ROLLUPS}
        roll(node)
        assert [row["value_double"] for row in kept(node, Signal.ROLLUPS_1H)] == [1, 5, 7]


def test_points_are_counted_by_window(tmp_path):
    """The same whether the parts that hold them lie in one window, end with it, or reach into the next."""
    clock = Clock()
    after_ns = WINDOW.end_ns + NS_PER_MS
    with open_node(tmp_path, clock) as node:
        counts = {}
        for first_ns, points, more in (
            (WINDOW.start_ns + EVERY_NS, 3, {WINDOW.start_ns: 3}),
            (WINDOW.end_ns - EVERY_NS, 2, {WINDOW.start_ns: 2}),  # the last one is the window's end
            (WINDOW.end_ns - 2 * EVERY_NS, 4, {WINDOW.start_ns: 3, WINDOW.end_ns: 1}),
            (after_ns, 1, {WINDOW.end_ns: 1}),
            (after_ns - 1, 1, {WINDOW.start_ns: 1}),
        ):
            node.submit(body(first_ns, [1.0] * points), signal=Signal.METRICS)
            node.real._pending.settle()  # a part of its own
            counts = {window: counts.get(window, 0) + more.get(window, 0) for window in {*counts, *more}}
            assert node.real.engine.run_here(counts_by_window) == counts


def test_points_of_long_ago_have_rollups_that_stay(tmp_path):
    """They count from when they were made, so they are not deleted at once, and not made again at each start."""
    clock = Clock()
    with open_node(tmp_path, clock) as node:
        node.submit(body(10 * EVERY_NS, [1.0, 2.0]), signal=Signal.METRICS)
        roll(node)
        node.real.store.retain(clock.now_ns)
        assert [len(kept(node, signal)) for signal in ROLLUPS] == [2, 2]


def test_rollups_side_by_side_become_one_and_late_points_still_find_their_place(tmp_path):
    """Four windows of a day are merged, in every size; a late point has the whole day made again, as one."""
    clock = Clock()
    day = WINDOW.start_ns // (4 * WINDOW_NS) * 4 * WINDOW_NS - 4 * WINDOW_NS
    with open_node(tmp_path, clock) as node:
        for place in range(4):
            node.submit(body(day + place * WINDOW_NS + EVERY_NS, [float(place), 9.0]), signal=Signal.METRICS)
        roll(node)
        assert [len(windows) for windows in covered(node).values()] == [4, 4]
        node.real.store.compact()
        whole = {key: [Window(day, day + 4 * WINDOW_NS)] for key in ROLLUPS}
        assert covered(node) == whole
        assert [row["value_double"] for row in kept(node, Signal.ROLLUPS_1H)] == [0, 9, 1, 9, 2, 9, 3, 9]
        node.submit(body(day + WINDOW_NS + 5 * EVERY_NS, [5.0]), signal=Signal.METRICS)
        roll(node)
        assert covered(node) == whole
        assert [row["value_double"] for row in kept(node, Signal.ROLLUPS_1H)] == [0, 9, 1, 9, 5, 2, 9, 3, 9]
    with open_node(tmp_path, clock) as node:
        roll(node)
        assert covered(node) == whole


def test_rollups_outlive_their_points(tmp_path):
    """Each has a retention of its own, and a late point does not replace what was made of points that are gone."""
    clock = Clock()
    day_ns = 86_400 * 10**9
    retention = Retention(metrics_ns=day_ns, rollups_5m_ns=10 * day_ns, rollups_1h_ns=100 * day_ns)
    node = Node(tmp_path, clock, {}, {}, retention=retention)
    try:
        node.submit(body(WINDOW.start_ns + EVERY_NS, [1.0, 2.0]), signal=Signal.METRICS)
        roll(node)
        node.real._generations.seal()
        node.until(lambda: not node.states())
        clock.now_ns += 3 * day_ns
        node.real.store.retain(clock.now_ns)
        assert node.real.store.contents.snapshot.first_ns(Signal.METRICS) is None
        node.submit(body(WINDOW.start_ns + 5 * EVERY_NS, [9.0]), signal=Signal.METRICS)
        roll(node)
        assert [len(kept(node, signal)) for signal in ROLLUPS] == [2, 2]
        clock.now_ns += 20 * day_ns
        node.real.store.retain(clock.now_ns)
        assert [len(kept(node, signal)) for signal in ROLLUPS] == [0, 2]
    finally:
        node.real.close()
