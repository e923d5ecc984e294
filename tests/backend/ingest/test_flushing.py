"""Sealed generations: in turn, again after a failure, aside when they are stubborn, and always said."""

from __future__ import annotations

import logging

import pytest

from spanglass_server.ingest.journal.flushing import Flushing, FlushPace, State
from spanglass_server.self_metrics import registry as own
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.supervision import Backoff

FULL = OSError(28, "No space left on device")
DEFECT = ValueError("as a defect would")
PACE = FlushPace(Backoff(1, 8), Backoff(60, 600), defects_max=3, quarantined_max=2)


class Steps:
    """The steps, done to nothing: what was called, and what fails by step and generation."""

    def __init__(self):
        self.done = []
        self.failing = {}

    def flush(self, generation):
        """Flush."""
        self._step("flush", generation)

    def quarantine(self, generation):
        """Set aside."""
        self._step("quarantine", generation)

    def finish(self, generation):
        """Remove the file."""
        self._step("finish", generation)

    def file_name(self, generation):
        """Name the file."""
        return f"journal/{generation}.quarantined"

    def _step(self, name, generation):
        if error := self.failing.get((name, generation)):
            raise error
        self.done.append((name, generation))


class Line:
    """A line of generations with a clock set by hand."""

    def __init__(self):
        self.now_s = 100.0
        self.steps = Steps()
        self.telemetry = Telemetry()
        self.flushing = Flushing(self.steps, self.telemetry, PACE, lambda: self.now_s)

    def seal(self, *generations):
        """Seal generations, and do what is due."""
        for generation in generations:
            self.flushing.add(generation)
        self.flushing.run_due()

    def after(self, seconds):
        """Let time pass, and do what is due."""
        self.now_s += seconds
        self.flushing.run_due()

    @property
    def flushed(self):
        """What was flushed, in order."""
        return [generation for name, generation in self.steps.done if name == "flush"]

    @property
    def states(self):
        """How many there are in each state."""
        return {str(state): count for state, count in self.flushing.counts.items() if count}


@pytest.fixture
def line():
    return Line()


def test_generations_are_flushed_in_turn(line):
    """Each is flushed and its file removed before the next; nothing is left of them."""
    line.seal(1, 2, 3)

    assert line.steps.done == [(name, number) for number in (1, 2, 3) for name in ("flush", "finish")]
    assert (line.states, line.flushing.waiting, line.flushing.problem) == ({}, 0, None)


def test_a_full_disk_is_tried_again_with_growing_pauses(line):
    """A failed generation holds up those behind it, after 1, 2, 4, 8 and 8 s, and is never set aside for the disk."""
    line.steps.failing["flush", 1] = FULL
    line.seal(1, 2)
    tries = []
    for second in range(40):
        before = line.telemetry._values[own.STORAGE_ERRORS][("flush",)]
        line.after(1)
        if line.telemetry._values[own.STORAGE_ERRORS][("flush",)] > before:
            tries.append(second + 1)
    states, problem = line.states, line.flushing.problem
    line.steps.failing.clear()
    line.after(8)

    assert tries == [1, 3, 7, 15, 23, 31, 39]
    assert states == {"sealed": 1, "failed": 1}
    assert problem == (
        "segments can't be written (No space left on device); 2 generations wait in the journal, to be tried again"
    )
    assert (line.flushed, line.states, line.flushing.problem) == ([1, 2], {}, None)


def test_a_failure_is_logged_once(line, caplog):
    """However often it is tried; a new reason is logged, a defect with its traceback."""
    line.steps.failing["flush", 1] = FULL
    line.seal(1)
    for _ in range(5):
        line.after(8)
    line.steps.failing["flush", 1] = DEFECT
    line.after(8)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]

    assert [record.exc_info is not None for record in errors] == [False, True]


def test_a_stubborn_generation_is_set_aside(line, caplog):
    """After three defects the ones behind it go on; it is said, and tried again every minute and more seldom."""
    line.steps.failing["flush", 1] = DEFECT
    line.seal(1, 2)
    for _ in range(2):
        line.after(8)
    aside, problem = (line.states, line.flushing.waiting), line.flushing.problem
    flushed = line.flushed
    line.steps.failing.clear()
    line.after(59)
    early = line.flushed
    line.after(1)

    assert aside == ({"quarantined": 1}, 0)
    assert flushed == early == [2]
    assert problem == (
        "generation 1 of the journal can't become segments (ValueError: as a defect would): its records are in memory "
        "and in journal/1.quarantined, and are tried again; see the server's log"
    )
    assert caplog.text.count("can't become segments") == 1
    assert (line.flushed, line.states, line.flushing.problem) == ([2, 1], {}, None)


def test_what_cant_be_set_aside_holds_up_the_others(line):
    """Later generations may not become segments before an earlier one whose file is still in the journal's order."""
    line.steps.failing |= {("flush", 1): DEFECT, ("quarantine", 1): FULL}
    line.seal(1, 2)
    for _ in range(10):
        line.after(8)
    before = line.states, line.flushed
    del line.steps.failing["quarantine", 1]
    line.after(8)

    assert before == ({"sealed": 1, "failed": 1}, [])
    assert (line.states, line.flushed) == ({"quarantined": 1}, [2])


def test_only_so_many_are_set_aside(line):
    """When every generation fails, memory stays bounded: the third stays at the head, and senders are refused."""
    line.steps.failing |= {("flush", number): DEFECT for number in range(1, 6)}
    line.seal(1, 2, 3, 4, 5)
    for _ in range(100):
        line.after(8)

    assert line.states == {"quarantined": 2, "failed": 1, "sealed": 2}
    assert line.flushing.waiting == 3


def test_a_file_that_cant_be_removed_holds_up_nobody(line):
    """Its records are in segments: the next generation goes on, and the file is tried again until it is gone."""
    line.steps.failing["finish", 1] = PermissionError(1, "Operation not permitted")
    line.seal(1, 2)
    states, waiting, problem = line.states, line.flushing.waiting, line.flushing.problem
    line.steps.failing.clear()
    line.after(1)

    assert (line.flushed, states, waiting) == ([1, 2], {"flushed": 1}, 0)
    assert problem == "a file of the journal can't be removed (Operation not permitted); it is tried again"
    assert (line.states, line.flushing.problem) == ({}, None)
    assert line.steps.done[-1] == ("finish", 1)


def test_what_a_start_found_goes_its_own_way(line):
    """A generation in segments only loses its file; one set aside before is tried at once and blocks nobody."""
    line.steps.failing["flush", 2] = DEFECT
    line.flushing.add(1, State.FLUSHED)
    line.flushing.add(2, State.QUARANTINED)
    line.seal(3)

    assert sorted(line.steps.done) == [("finish", 1), ("finish", 3), ("flush", 3)]
    assert line.states == {"quarantined": 1}


def test_the_end_tries_each_once_more(line):
    """Once closed, what waits is tried once, in turn, and what fails stays with all behind it in the journal."""
    line.steps.failing["flush", 2] = FULL
    line.flushing.add(1)
    line.flushing.add(2)
    line.flushing.add(3)
    line.flushing.close()
    steps = 0
    while line.flushing.step():
        steps += 1

    assert (line.flushed, steps) == ([1], 2)
    assert line.states == {"failed": 1, "sealed": 1}


def test_waiting_for_room_ends_with_a_flush(line):
    """Whoever waits for room gets it when a generation is in segments, and after the time at the latest."""
    line.flushing.add(1)
    line.flushing.wait_for_room(1, 0.001)
    waited = line.flushing.waiting
    line.flushing.run_due()
    line.flushing.wait_for_room(1, 3600)

    assert (waited, line.flushing.waiting) == (1, 0)
