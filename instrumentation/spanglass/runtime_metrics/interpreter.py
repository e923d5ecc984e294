"""The interpreter: garbage collection, threads, asyncio tasks."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

from spanglass.clock import NS_PER_S, SYSTEM, Clock
from spanglass.runtime_metrics.groups import Group, Kind, Metric
from spanglass.runtime_metrics.intervals import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.metrics import Meter

    from spanglass.runtime_metrics.event_loops import EventLoops
    from spanglass.runtime_metrics.gc_pauses import GcPauses
    from spanglass.runtime_metrics.groups import Reading

COLLECTIONS = Metric("cpython.gc.collections", Kind.COUNTER, "{collection}", "Runs of the garbage collector.")
COLLECTED = Metric("cpython.gc.collected_objects", Kind.COUNTER, "{object}", "Objects that the collector freed.")
UNCOLLECTABLE = Metric(
    "cpython.gc.uncollectable_objects", Kind.COUNTER, "{object}", "Objects that the collector could not free."
)
PAUSE_TIME = Metric("spanglass.gc.pause.time", Kind.COUNTER, "s", "Time that the garbage collector took, all in all.")
THREADS = Metric("spanglass.python.thread.count", Kind.UP_DOWN_COUNTER, "{thread}", "Threads that Python knows.")
TASKS = Metric("spanglass.asyncio.task.count", Kind.UP_DOWN_COUNTER, "{task}", "Tasks of running event loops.")
LOOPS = Metric("spanglass.asyncio.loop.count", Kind.UP_DOWN_COUNTER, "{loop}", "Running event loops.")

METRICS = (COLLECTIONS, COLLECTED, UNCOLLECTABLE, PAUSE_TIME, THREADS, TASKS, LOOPS)

_GENERATION = "cpython.gc.generation"
_PAUSE_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

#: Field of gc.get_stats().
_GC_FIELDS = {"collections": COLLECTIONS, "collected": COLLECTED, "uncollectable": UNCOLLECTABLE}


class InterpreterMetrics:
    """Measures the interpreter that runs it."""

    def __init__(self, meter: Meter, pauses: GcPauses, loops: EventLoops, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._pauses = pauses
        self._loops = loops
        self._long_pauses = meter.create_histogram(
            "spanglass.gc.pause.duration",
            "s",
            "Pauses of the garbage collector of 1 ms and more.",
            explicit_bucket_boundaries_advisory=_PAUSE_BOUNDS_S,
        )

    def group(self) -> Group:
        """Make the group of these metrics."""
        collectors = {"garbage collection": self._gc, "threads": self._threads, "event loops": self._event_loops}
        return Group("interpreter", METRICS, collectors, is_due=INTERVALS.pace("interpreter", self._clock.monotonic_ns))

    def _gc(self) -> Iterator[Reading]:
        for generation, stats in enumerate(gc.get_stats()):
            for field, metric in _GC_FIELDS.items():
                yield metric, stats[field], {_GENERATION: generation}
        for generation, total_ns in enumerate(self._pauses.total_ns):
            yield PAUSE_TIME, total_ns / NS_PER_S, {_GENERATION: generation}
        for generation, pause_ns in self._pauses.take_long():
            self._long_pauses.record(pause_ns / NS_PER_S, {_GENERATION: generation})

    def _threads(self) -> Iterator[Reading]:
        yield THREADS, threading.active_count(), {}

    def _event_loops(self) -> Iterator[Reading]:
        counts = self._loops.task_counts()
        yield LOOPS, len(counts), {}
        yield TASKS, sum(counts), {}
