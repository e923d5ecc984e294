"""Background tasks, whatever runs them: how long they waited, how long they took, how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.clock import NS_PER_S
from spanglass_core.attribute_names import TASK_NAME, TASK_OUTCOME

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


class TaskMetrics:
    """The instruments of one system of tasks, such as ``celery``."""

    def __init__(self, meter: Meter, system: str) -> None:
        self._system = system
        self._duration = meter.create_histogram(
            "messaging.process.duration",
            "s",
            "Time that a task took to run.",
            explicit_bucket_boundaries_advisory=_BOUNDS_S,
        )
        self._wait = meter.create_histogram(
            "spanglass.task.wait_time",
            "s",
            "Time from when a task was sent, or was due, to when it began.",
            explicit_bucket_boundaries_advisory=_BOUNDS_S,
        )
        self._ended = meter.create_counter("spanglass.task.count", "{task}", "Tasks that ended, by how.")
        self._active = meter.create_up_down_counter("spanglass.task.active", "{task}", "Tasks that are running.")
        self._sent = meter.create_counter("messaging.client.sent.messages", "{message}", "Tasks that were sent.")

    def sent(self, task: str, queue: str) -> None:
        """Count a task that was sent."""
        self._sent.add(1, {**self._attributes(task, queue), "messaging.operation.name": "publish"})

    def began(self, task: str, queue: str, waited_ns: int | None) -> None:
        """Count a task that begins to run; by clocks of two hosts it may seem to begin before it was sent."""
        attributes = self._attributes(task, queue)
        self._active.add(1, attributes)
        if waited_ns is not None:
            self._wait.record(max(0, waited_ns) / NS_PER_S, attributes)

    def ran(self, task: str, queue: str, duration_ns: int, outcome: str, error_type: str | None = None) -> None:
        """Count a task that has run."""
        attributes = self._attributes(task, queue)
        self._active.add(-1, attributes)
        with_end = {**attributes, "messaging.operation.name": "process", TASK_OUTCOME: outcome}
        if error_type:
            with_end["error.type"] = error_type
        self._duration.record(duration_ns / NS_PER_S, with_end)
        self.ended(task, queue, outcome, error_type)

    def ended(self, task: str, queue: str, outcome: str, error_type: str | None = None) -> None:
        """Count the end of a task, also of one that never ran here."""
        attributes = {**self._attributes(task, queue), TASK_OUTCOME: outcome}
        if error_type:
            attributes["error.type"] = error_type
        self._ended.add(1, attributes)

    def _attributes(self, task: str, queue: str) -> dict[str, str]:
        return {
            "messaging.system": self._system,
            "messaging.destination.name": queue,
            TASK_NAME: task,
        }
