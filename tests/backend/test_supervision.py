"""Threads of the server go on whatever they meet, and what fails is known until it works again."""

from __future__ import annotations

import threading

import pytest

from spanglass_server.self_metrics import registry as own
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.supervision import Backoff, Pulse, Supervisor, in_words


@pytest.fixture
def supervisor():
    made = Supervisor(Telemetry(), Backoff(0.001, 0.002))
    yield made
    made.stop()


def test_pauses_double_up_to_the_most():
    """The first pause, twice as long each time, and never longer than the most, after any number of failures."""
    backoff = Backoff(1.0, 8.0)

    assert [backoff.after(failures) for failures in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 8, 8, 8]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError(), RuntimeError("odd")])
def test_a_failing_step_is_called_again(supervisor, caplog, error):
    """Its thread lives, the failures are counted and logged once, and health knows until a step succeeds."""
    fails, seen, again = 5, [], threading.Event()

    def step():
        if len(seen) < fails:
            seen.append(task.problem)
            raise error
        seen.append(task.problem)
        return again.wait(60) and len(seen) < fails + 2

    started = threading.Event()
    task = supervisor.start("worker", lambda: started.wait(60) and step())
    started.set()
    again.set()
    task.join()

    assert seen[0] is None
    assert seen[1:6] == [f"the server's thread 'worker' fails ({in_words(error)}); it is tried again"] * 5
    assert seen[6] is None
    assert (task.problem, supervisor.problems) == (None, [])
    assert supervisor.telemetry._values[own.STORAGE_ERRORS] == {("worker",): 5}
    assert caplog.text.count("trying again") == 1
    assert "works again after 5 failures" in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_is_a_problem(supervisor):
    """Whatever ends a thread whose work is not over, health says which one; one that was to end is no problem."""

    def broken():
        raise SystemExit

    ended, done = supervisor.start("broken", broken), supervisor.start("done", lambda: False)
    ended.join()
    done.join()

    assert (ended.ended, done.ended) == (True, False)
    assert supervisor.problems == ["the server's thread 'broken' has ended; restart the server"]


def test_repeated_work_ends_when_it_is_stopped(supervisor):
    """Work is done again and again, after a failure too, until the stop, which waits for no pause."""
    calls, enough = [], threading.Event()

    def work():
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("once")
        if len(calls) == 4:
            enough.set()

    often, seldom = supervisor.every(0.001, "often", work), supervisor.every(3600, "seldom", calls.clear)
    assert enough.wait(60)
    supervisor.stop()
    often.join()
    seldom.join()

    assert len(calls) >= 4
    assert supervisor.problems == []


def test_work_that_is_not_needed_is_not_called():
    """One look asks all whose time has come; work is called when it is needed, or can't say; pauses end on a grid."""
    now_s, asked, wanted = 10.1, [], set()

    def needed(name):
        def ask():
            asked.append(name)
            if "broken" in wanted:
                raise RuntimeError("it can't say")
            return name in wanted

        return ask

    pulse = Pulse(lambda: now_s)
    quick, slow = pulse.pause(0.2, needed("quick")), pulse.pause(1, needed("slow"))
    assert (round(quick.due_s, 3), slow.due_s) == (10.3, 11.0)
    pulse.end()  # a look waits for nothing then

    def looked(later_s, *names):
        nonlocal now_s
        now_s = later_s
        asked.clear()
        wanted.clear()
        wanted.update(names)
        pulse.step()
        return list(asked), quick.over.is_set(), slow.over.is_set()

    assert looked(10.2, "quick") == ([], False, False)
    assert looked(11.05) == (["quick", "slow"], False, False)
    assert looked(11.3, "quick", "slow") == (["quick"], True, False)
    assert looked(12.0, "broken") == (["slow"], True, True)


def test_a_stop_waits_for_no_thread_that_only_fails(supervisor):
    """A step that fails without end is given up after the stop."""

    def failing():
        raise RuntimeError("always")

    task = supervisor.start("failing", failing)
    supervisor.stop()
    task.join()

    assert task.problem is None
