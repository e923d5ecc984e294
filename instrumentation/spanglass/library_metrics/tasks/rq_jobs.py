"""RQ: jobs' time in the queue, their time to run and how they end; lengths of queues.

All is measured in the worker: the process that runs a job ends with it, before anything could be sent from there.
"""

from __future__ import annotations

import datetime as dt
import weakref
from typing import TYPE_CHECKING, Any

from spanglass.clock import NS_PER_S
from spanglass.guard import guarded
from spanglass.library_metrics.polled import QUEUE_LENGTH
from spanglass.library_metrics.tasks.tasks import TaskMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from spanglass.library_metrics.tools import Tools
    from spanglass.runtime_metrics.groups import Reading

_MOST_QUEUES = 20

#: RQ's states after a job was executed, as outcomes; a job that is to run again is queued, or scheduled.
_OUTCOMES = {"finished": "success", "failed": "failure", "scheduled": "retry", "queued": "retry", "stopped": "revoked"}


class RqJobs:
    """What RQ's workers of this process do."""

    def __init__(self, tools: Tools) -> None:
        self._clock = tools.clock
        self._tasks = TaskMetrics(tools.meter, "rq")
        self._workers: weakref.WeakSet[Any] = weakref.WeakSet()

    def executing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``Worker.execute_job``, which returns when the job's process has ended."""

        def execute_job(worker: Any, job: Any, queue: Any) -> Any:
            begin_ns = self._clock.monotonic_ns()
            name = ""
            with guarded("measure a job of RQ"):
                self._workers.add(worker)
                name = job.func_name or "_OTHER"
                self._tasks.began(name, queue.name, self._waited_ns(job))
            try:
                return original(worker, job, queue)
            finally:
                with guarded("measure a job of RQ"):
                    state = job.get_status(refresh=True)
                    outcome = _OUTCOMES.get(getattr(state, "value", str(state)), "ignored")
                    self._tasks.ran(name, queue.name, self._clock.monotonic_ns() - begin_ns, outcome)

        return execute_job

    def working(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``Worker.work``, with which a worker begins."""

        def work(worker: Any, *args: Any, **kwargs: Any) -> Any:
            self._workers.add(worker)
            return original(worker, *args, **kwargs)

        return work

    def enqueuing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``Queue.enqueue_job``."""

        def enqueue_job(queue: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(queue, job, *args, **kwargs)
            with guarded("count a job of RQ"):
                self._tasks.sent(job.func_name or "_OTHER", queue.name)
            return result

        return enqueue_job

    def lengths(self) -> Iterator[Reading]:
        """Ask for the lengths of the queues that this process's workers serve."""
        queues = {queue.name: queue for worker in list(self._workers) for queue in worker.queues}
        for name in sorted(queues)[:_MOST_QUEUES]:
            yield QUEUE_LENGTH, queues[name].count, {"messaging.system": "rq", "messaging.destination.name": name}

    def _waited_ns(self, job: Any) -> int | None:
        enqueued: dt.datetime | None = job.enqueued_at
        if enqueued is None:
            return None
        aware = enqueued if enqueued.tzinfo else enqueued.replace(tzinfo=dt.UTC)
        return self._clock.unix_ns() - int(aware.timestamp() * NS_PER_S)


def hook(module: ModuleType, tools: Tools) -> None:
    """Measure workers and queues; ``module`` is ``rq``."""
    from rq import worker as workers  # noqa: PLC0415 - the application has imported it

    jobs = RqJobs(tools)
    for owner in {value for value in vars(workers).values() if isinstance(value, type)}:
        if "execute_job" in vars(owner) and owner.__name__ != "BaseWorker":
            tools.patches.wrap(owner, "execute_job", jobs.executing)
        if "work" in vars(owner) and hasattr(owner, "execute_job"):
            tools.patches.wrap(owner, "work", jobs.working)
    tools.patches.wrap(module.Queue, "enqueue_job", jobs.enqueuing)
    tools.undo.append(tools.polled.add("rq", jobs.lengths, in_children=False))
