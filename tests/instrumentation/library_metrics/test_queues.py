"""Queues inside a process, and what is only noted down."""

from __future__ import annotations

import asyncio
import gc
import queue
import threading

import pytest

from spanglass.library_metrics.deferred import Deferred
from spanglass.library_metrics.install import install_library_metrics
from spanglass.library_metrics.tasks.queues import watch_queue
from spanglass.settings.settings import load

NAME = "messaging.destination.name"
KINDS = [
    asyncio.Queue, asyncio.LifoQueue, asyncio.PriorityQueue, queue.Queue, queue.LifoQueue, queue.PriorityQueue,
]  # fmt: skip


@pytest.fixture(autouse=True)
def install(measured, clock):
    """Measure libraries."""
    uninstall = install_library_metrics(load({}, {}), meter_provider=measured.provider, clock=clock)
    yield
    uninstall()


@pytest.mark.parametrize("kind", KINDS)
def test_a_queue_is_measured(measured, clock, kind):
    """Length, capacity, what was put and taken, and how long each item was in it, in whatever order they come out."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    watched = kind(maxsize=10)
    watch_queue(watched, name, now_ns=clock.monotonic_ns)
    for item in (3, 1, 1):
        watched.put_nowait(item)
        clock.move_s(1)
    taken = sorted(watched.get_nowait() for _ in range(3))
    watched.put_nowait(5)
    measured.collect()

    assert taken == [1, 1, 3]
    assert measured.values("spanglass.queue.size", NAME)[name] == 1
    assert measured.values("spanglass.queue.capacity", NAME)[name] == 10
    assert measured.values("spanglass.queue.put", NAME)[name] == 4
    assert measured.values("spanglass.queue.taken", NAME)[name] == 3
    assert measured.counts("spanglass.queue.wait_time", NAME)[name] == 3
    assert measured.sums("spanglass.queue.wait_time", NAME)[name] == 6.0


def test_waiting_ways_are_counted_too(measured):
    """put() and get() of asyncio, and of threads."""

    async def main():
        items = asyncio.Queue(maxsize=1)
        watch_queue(items, "coroutines")

        async def take():
            for _ in range(3):
                await items.get()

        taking = asyncio.create_task(take())
        for _ in range(3):
            await items.put("item")
        await taking
        measured.collect()

    asyncio.run(main())
    assert measured.values("spanglass.queue.taken", NAME)["coroutines"] == 3

    threads = queue.Queue()
    watch_queue(threads, "threads")
    getting = threading.Thread(target=threads.get)
    getting.start()
    threads.put("item")
    getting.join()
    assert measured.collect().values("spanglass.queue.taken", NAME)["threads"] == 1


def test_a_queue_that_is_gone_is_forgotten(measured):
    """Watching keeps no queue alive, and its numbers end with it."""
    gone = queue.Queue()
    watch_queue(gone, "gone")
    before = measured.collect().values("spanglass.queue.size", NAME)
    del gone
    gc.collect()

    assert before["gone"] == 0
    assert "gone" not in measured.collect().values("spanglass.queue.size", NAME)


def test_a_queue_watched_again_has_the_new_name(measured):
    """Items are not counted twice."""
    watched = queue.Queue()
    watch_queue(watched, "old")
    watch_queue(watched, "new")
    watched.put(1)
    seen = measured.collect().values("spanglass.queue.put", NAME)

    assert (seen["new"], "old" in seen) == (1, False)


def test_what_is_no_queue_is_refused():
    """The error names the function, the argument, what was expected and what is not possible."""
    with pytest.raises(TypeError) as caught:
        watch_queue(queue.SimpleQueue(), "simple")

    assert str(caught.value) == (
        "watch_queue(): queue: expected an asyncio.Queue or a queue.Queue (got SimpleQueue); "
        "queue.SimpleQueue and queues between processes can't be watched"
    )


def test_notes_are_recorded_when_drained_and_never_lost():
    """Up to the limit they wait; one more is recorded at once; drained, they are recorded in order."""
    recorded = []
    deferred = Deferred(most=2)
    for value in (1, 2, 3):
        deferred(lambda number, attributes: recorded.append((number, attributes)), value, {"a": "b"})
    at_once = list(recorded)
    deferred.drain()

    assert at_once == [(3, {"a": "b"})]
    assert [value for value, _ in recorded] == [3, 1, 2]


def test_a_forked_child_does_not_repeat_the_parents_notes():
    """What forking calls in the child empties them."""
    recorded = []
    deferred = Deferred()
    deferred(lambda value, _: recorded.append(value), 1, {})
    deferred.after_fork()
    deferred.drain()

    assert recorded == []
