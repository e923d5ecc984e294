"""The interpreter: garbage collection, threads, event loops."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest
import uvloop

from spanglass.clock import Clock
from spanglass.runtime_metrics.event_loops import EventLoops
from spanglass.runtime_metrics.gc_pauses import GcPauses
from spanglass.runtime_metrics.groups import install_group
from spanglass.runtime_metrics.interpreter import InterpreterMetrics

GENERATION = "cpython.gc.generation"
LAG = "spanglass.asyncio.loop.lag"


@pytest.fixture
def meter(measured):
    """Return a meter."""
    return measured.provider.get_meter("test")


@pytest.fixture
def pauses(clock):
    """Measure pauses by a clock that stands still."""
    return GcPauses(clock)


def test_collections_are_what_gc_says(measured, meter, pauses, clock):
    """Counts by generation equal gc.get_stats()."""
    install_group(meter, InterpreterMetrics(meter, pauses, EventLoops(meter, clock)).group())
    before = gc.get_stats()
    measured.collect()
    after = gc.get_stats()

    seen = measured.values("cpython.gc.collections", GENERATION)
    assert [before[i]["collections"] <= seen[i] <= after[i]["collections"] for i in range(3)] == [True] * 3
    assert set(measured.values("cpython.gc.uncollectable_objects", GENERATION)) == {0, 1, 2}


def test_pauses_are_summed_and_long_ones_have_a_histogram(measured, meter, pauses, clock):
    """0.5 ms and 20 ms: both are in the sum of their generation, the longer one in the histogram."""
    for generation, seconds in ((0, 0.0005), (2, 0.02)):
        pauses.called("start", {"generation": generation})
        clock.move_s(seconds)
        pauses.called("stop", {"generation": generation})
    install_group(meter, InterpreterMetrics(meter, pauses, EventLoops(meter, clock)).group())
    measured.collect()

    assert measured.values("spanglass.gc.pause.time", GENERATION) == {0: 0.0005, 1: 0, 2: 0.02}
    assert measured.counts("spanglass.gc.pause.duration", GENERATION) == {2: 1}
    assert measured.sums("spanglass.gc.pause.duration", GENERATION) == {2: 0.02}


def test_the_collector_calls():
    """A real collection of generation 2 is measured, and none after taking it back."""
    pauses = GcPauses(Clock())
    uninstall = pauses.install()
    gc.collect()
    during = pauses.total_ns[2]
    uninstall()
    gc.collect()

    assert during > 0
    assert pauses.total_ns[2] == during


def test_threads_are_counted(measured, meter, pauses, clock):
    """Those that Python knows, one that runs among them."""
    install_group(meter, InterpreterMetrics(meter, pauses, EventLoops(meter, clock)).group())
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    before, after = set(), set(threading.enumerate())
    while before != after:  # a thread of an earlier test ended meanwhile
        before = set(threading.enumerate())
        seen = measured.collect().value("spanglass.python.thread.count")
        after = set(threading.enumerate())
    end.set()
    thread.join()

    assert thread in after
    assert seen == len(after)


def run_in(loop, main):
    """Run in a loop that somebody made."""
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


def run_with_factory(main):
    """Run as uvicorn does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


RUNNERS = {
    "asyncio.run": asyncio.run,
    "a loop of its own": lambda main: run_in(asyncio.new_event_loop(), main),
    "uvloop": lambda main: run_in(uvloop.new_event_loop(), main),
    "asyncio.Runner with uvloop": run_with_factory,
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_loop_that_is_held_up_is_late(measured, meter, runner):
    """A coroutine that blocks for 0.2 s makes a timer late by nearly that; the timers go on afterwards."""
    loops = EventLoops(meter, Clock(), interval_s=0.01)
    uninstall = loops.install()

    async def main():
        for _ in range(2):
            await asyncio.sleep(0.03)  # a timer at least, on a busy machine as well
        time.sleep(0.2)  # noqa: ASYNC251 - what is not to be done is what is measured
        for _ in range(2):
            await asyncio.sleep(0.03)

    RUNNERS[runner](main())
    uninstall()
    measured.collect()

    assert measured.counts(LAG)[()] >= 3
    assert measured.sums(LAG)[()] > 0.15


def test_a_loop_that_runs_already_is_watched(measured, meter):
    """Installed from inside a coroutine, as configure() may be."""

    async def main():
        loops = EventLoops(meter, Clock(), interval_s=0.001)
        uninstall = loops.install()
        await asyncio.sleep(0.05)
        counts = loops.task_counts()
        uninstall()
        return counts

    counts = asyncio.run(main())
    assert counts == [1]
    assert measured.collect().counts(LAG)[()] >= 1


def test_tasks_of_running_loops_are_counted(measured, meter, pauses, clock):
    """Three tasks and the main one, asked from another thread as the SDK does; none when the loop has ended."""
    loops = EventLoops(meter, clock)
    uninstall = loops.install()
    install_group(meter, InterpreterMetrics(meter, pauses, loops).group())

    async def main():
        tasks = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]
        await asyncio.to_thread(measured.collect)
        for task in tasks:
            task.cancel()

    asyncio.run(main())
    during = (measured.value("spanglass.asyncio.loop.count"), measured.value("spanglass.asyncio.task.count"))
    measured.collect()
    after = (measured.value("spanglass.asyncio.loop.count"), measured.value("spanglass.asyncio.task.count"))
    uninstall()

    assert (during, after) == ((1, 4), (0, 0))


def test_loops_are_given_back(meter, clock):
    """After taking it back both kinds of loops have their own methods, and a loop's end leaves no timer."""
    before = (asyncio.BaseEventLoop.run_forever, uvloop.Loop.run_forever)
    loops = EventLoops(meter, clock, interval_s=60)
    uninstall = loops.install()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(0))
    left = [handle for handle in loop._scheduled if not handle.cancelled()]
    loop.close()
    uninstall()

    assert left == []
    assert (asyncio.BaseEventLoop.run_forever, uvloop.Loop.run_forever) == before
