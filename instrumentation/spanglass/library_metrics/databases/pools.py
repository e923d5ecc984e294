"""Pools of connections: how many are in use, how long one waits for one and keeps it, under OpenTelemetry's names."""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass.clock import NS_PER_S
from spanglass.runtime_metrics.groups import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opentelemetry.metrics import Meter

    from spanglass.clock import Clock
    from spanglass.library_metrics.deferred import Deferred
    from spanglass.runtime_metrics.groups import Attributes, Reading

COUNT = Metric("db.client.connection.count", Kind.UP_DOWN_COUNTER, "{connection}", "Connections of the pool, by state.")
MAX = Metric("db.client.connection.max", Kind.UP_DOWN_COUNTER, "{connection}", "Most connections of the pool.")
IDLE_MAX = Metric("db.client.connection.idle.max", Kind.UP_DOWN_COUNTER, "{connection}", "Most idle connections.")
IDLE_MIN = Metric("db.client.connection.idle.min", Kind.UP_DOWN_COUNTER, "{connection}", "Fewest idle connections.")
PENDING = Metric(
    "db.client.connection.pending_requests", Kind.UP_DOWN_COUNTER, "{request}", "Requests that wait for a connection."
)

METRICS = (COUNT, MAX, IDLE_MAX, IDLE_MIN, PENDING)

_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class PoolState(NamedTuple):
    """One pool now; None is what it does not know or has no limit for."""

    attributes: Attributes
    used: int
    idle: int
    most: int | None = None
    most_idle: int | None = None
    fewest_idle: int | None = None
    pending: int | None = None


class Pool:
    """What is known of one pool: its attributes, and who is waiting."""

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.waiting: deque[None] = deque()  # appending and popping need no lock


class Pools:
    """All pools of the process; libraries add sources that say how their pools are."""

    def __init__(self, meter: Meter, clock: Clock, deferred: Deferred) -> None:
        self.now_ns = clock.monotonic_ns
        self.sources: list[Callable[[], Iterable[PoolState]]] = []
        self._deferred = deferred
        self._taken_ns: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

        def histogram(name: str, text: str) -> Callable[[float, Attributes], None]:
            return meter.create_histogram(name, "s", text, explicit_bucket_boundaries_advisory=_BOUNDS_S).record

        self._wait = histogram("db.client.connection.wait_time", "Time to get a connection from the pool.")
        self._use = histogram("db.client.connection.use_time", "Time for which a connection was out of the pool.")
        self._create = histogram("db.client.connection.create_time", "Time to open a connection for the pool.")
        self._timeouts = meter.create_counter(
            "db.client.connection.timeouts", "{timeout}", "Requests for a connection that waited too long."
        ).add

    def readings(self) -> Iterator[Reading]:
        """Yield what the sources say."""
        for source in self.sources:
            for pool in source():
                for state, count in (("used", pool.used), ("idle", pool.idle)):
                    yield COUNT, count, {**pool.attributes, "db.client.connection.state": state}
                for metric, value in (
                    (MAX, pool.most),
                    (IDLE_MAX, pool.most_idle),
                    (IDLE_MIN, pool.fewest_idle),
                    (PENDING, pool.pending),
                ):
                    if value is not None:
                        yield metric, value, pool.attributes

    def waited(self, pool: Pool, since_ns: int, connection: object | None, *, timed_out: bool = False) -> None:
        """Note the end of a wait: the connection that was got, or None."""
        now_ns = self.now_ns()
        self._deferred(self._wait, (now_ns - since_ns) / NS_PER_S, pool.attributes)
        if connection is not None:
            self._taken_ns[connection] = now_ns
        if timed_out:
            self._deferred(self._timeouts, 1, pool.attributes)

    def created(self, pool: Pool, since_ns: int) -> None:
        """Note that a connection was opened."""
        self._deferred(self._create, (self.now_ns() - since_ns) / NS_PER_S, pool.attributes)

    def given_back(self, pool: Pool, connection: object) -> None:
        """Note that a connection was given back."""
        taken_ns = self._taken_ns.pop(connection, None)
        if taken_ns is not None:
            self._deferred(self._use, (self.now_ns() - taken_ns) / NS_PER_S, pool.attributes)
