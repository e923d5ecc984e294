"""The durable queue of the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from shop import messaging
from shop.queue_table import LEASE_S, MAX_ATTEMPTS, Queue

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        """Return the time it is moved to."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> Queue:
    return Queue(tmp_path / "queue.db", "orders", clock)


def test_messages_come_out_in_the_order_they_went_in(queue: Queue) -> None:
    """First in, first out, with headers and body as they were; then the queue is empty."""
    queue.send("a", {"traceparent": "00-1"}, {"n": 1})
    queue.send("b", {}, {"n": 2})
    first, second = queue.take(), queue.take()
    assert (first.id, first.headers, first.body, first.sent_s) == ("a", {"traceparent": "00-1"}, {"n": 1}, 1_000_000.0)
    assert (second.id, queue.take()) == ("b", None)


def test_messages_survive_the_process(tmp_path: Path, clock: Clock, queue: Queue) -> None:
    """Another process that opens the same file finds what was sent."""
    queue.send("a", {}, {"n": 1})
    assert Queue(tmp_path / "queue.db", "orders", clock).take().body == {"n": 1}


def test_a_message_of_a_dead_worker_comes_back(queue: Queue, clock: Clock) -> None:
    """Held while the lease runs, given out again when it is over, with the attempt counted."""
    queue.send("a", {}, {})
    assert queue.take().attempts == 1
    clock.now_s += LEASE_S - 1
    assert queue.take() is None
    clock.now_s += 1
    assert queue.take().attempts == 2


def test_a_finished_message_is_gone(queue: Queue, clock: Clock) -> None:
    """It does not come back after its lease and is not counted."""
    queue.send("a", {}, {})
    assert queue.length() == 1
    queue.finish(queue.take())
    clock.now_s += LEASE_S
    assert (queue.length(), queue.take()) == (0, None)


def test_a_released_message_waits_a_second_for_each_attempt(queue: Queue, clock: Clock) -> None:
    """A failing message is tried again soon, but not in a hot loop."""
    queue.send("a", {}, {})
    queue.release(queue.take())
    assert queue.take() is None
    clock.now_s += 1
    assert queue.take().attempts == 2


def test_a_message_that_always_fails_is_given_up(queue: Queue, clock: Clock) -> None:
    """After MAX_ATTEMPTS it is neither given out nor counted, and the one behind it is reached."""
    queue.send("bad", {}, {})
    for _ in range(MAX_ATTEMPTS):
        queue.release(queue.take())
        clock.now_s += MAX_ATTEMPTS
    queue.send("good", {}, {})
    assert queue.length() == 1
    assert queue.take().id == "good"


def test_a_wait_of_milliseconds_is_not_told_in_seconds() -> None:
    """A histogram of seconds has a bucket for 30 ms that ends well below a second."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    messaging.in_seconds(provider.get_meter("test"), "shop.queue.wait", "").record(0.03)
    data = reader.get_metrics_data()
    assert data is not None
    (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert isinstance(point, HistogramDataPoint)
    assert point.explicit_bounds[list(point.bucket_counts).index(1)] == 0.05
    provider.shutdown()
