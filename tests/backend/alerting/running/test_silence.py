"""Whether anything came in around a tick, asked of stored records."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from worlds import World

from spanglass_server.alerting.running.alerter import Alerter
from spanglass_server.alerting.watching.silence import live
from spanglass_server.findings.announcing import COUNT
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.signals import Signal
from spanglass_server.store.contents import Snapshot
from spanglass_server.store.ports import Part, Window

S = 10**9


@pytest.mark.parametrize(
    ("records", "steps", "said"),
    [
        ({}, Steps(900_000, 15_000, 3), [False] * 3),
        ({"spans": 885}, Steps(900_000, 15_000, 1), [True]),
        ({"logs": 810}, Steps(900_000, 15_000, 1), [False]),
        ({"metrics": 811}, Steps(900_000, 15_000, 1), [True]),
        ({"spans": 901}, Steps(900_000, 15_000, 1), [False]),
        ({"spans": 901}, Steps(900_000, 15_000, 9), [False, *[True] * 6, False, False]),
        ({"spans": 870, "logs": 975}, Steps(900_000, 15_000, 12), [*[True] * 4, False, *[True] * 6, False]),
        ({"spans": 901}, Steps(600_000, 300_000, 4), [False, False, True, False]),
    ],
)
def test_live(open_tables, records, steps, said):
    """A step is live if a record of any signal has a time in the 90 s up to it, or since the step before.

    What the server makes of spans that came in, whatever their times, is no record.
    """
    times = {"spans": "start_time_ns", "logs": "time_ns", "metrics": "time_ns"}
    tables = {signal: [{times[signal]: second * S}] for signal, second in records.items()}
    own = [{"time_ns": second * S, "metric_name": COUNT} for second in range(600, 1800, 15)]
    session = open_tables(**{**tables, "metrics": [*tables.get("metrics", ()), *own]})

    assert live(session, steps).tolist() == said
    single = [Steps(steps.start_ms + n * steps.step_ms, steps.step_ms, 1) for n in range(steps.size)]
    assert [live(session, step).all() for step in single] == said


def test_the_times_of_a_part_are_enough():
    """No statement is needed where the first or last span or log record of a part is within the 90 s."""
    seconds = {"before and in": (700, 811), "in and after": (900, 950), "around": (700, 950)}
    asked, said = [], []
    for name, (first, last) in seconds.items():
        part = Part(("chunk", 1), Signal.LOGS, 2, first * S, last * S, frozenset({"time_ns"}))
        session = SimpleNamespace(
            parts=lambda signal, _, part=part: [part] if signal is Signal.LOGS else [],
            relation=lambda *_: "logs",
            rows=lambda *_, name=name: asked.append(name) or [],
        )
        said += live(session, Steps(900_000, 15_000, 1)).tolist()
    assert (asked, said) == (["around"], [True, True, False])


@pytest.mark.parametrize("knows", [True, False])
def test_what_is_known_is_not_asked(knows):
    """Where a record of the time is known nothing is asked to tell that something comes in; else it is."""
    world, asked, windows = World(), [], []
    around = replace(
        world.around,
        holds=lambda window: windows.append(window) or knows,
        ask=lambda query: (asked.append(1), query(world.samples))[1],
    )
    alerter = Alerter(around, world._limits)
    world.second = 5
    while alerter.step():
        pass
    asked.clear()
    world.second = 15  # the watch is due, rules are 5 s later
    while alerter.step():
        pass

    assert len(asked) == (not knows)
    end_ns = around.clock_ns() + 1
    assert windows[-1] == Window(end_ns - around.quiet_ns, end_ns)


def test_the_newest_records_are_known_at_once():
    """Of each part the newest one; what is newer than the window, or of another signal, says nothing."""
    parts = dict.fromkeys(Signal, ())
    chunks = {**parts, Signal.SPANS: (SimpleNamespace(max_time_ns=99), SimpleNamespace(max_time_ns=5))}
    snapshot = Snapshot(chunks=chunks, segments={**parts, Signal.LOGS: (SimpleNamespace(max_time_ns=7),)})

    assert [snapshot.holds(Window(1, end), Signal.SPANS) for end in (5, 6)] == [False, True]
    assert not snapshot.holds(Window(7, 8), Signal.SPANS)
    assert snapshot.holds(Window(7, 8), Signal.SPANS, Signal.LOGS)
