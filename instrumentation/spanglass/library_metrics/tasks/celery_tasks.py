"""Celery by its signals: tasks sent, their time in the queue, their time to run and how they end; lengths of queues.

The time a task was sent at travels in a header, so waiting is measured by two clocks. Lengths of queues are asked for
by the worker's main process, for Redis, AMQP and whatever else kombu can ask.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
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

#: Header with the time at which a task was sent, in nanoseconds since 1970, as text.
SENT_HEADER = "spanglass_sent_unix_ns"

#: Tasks that began and never ended, killed with their thread or greenlet, are forgotten beyond so many.
_MOST_RUNNING = 10_000
_MOST_QUEUES = 20
_ASK_TIMEOUT_S = 2.0

#: Celery's states as outcomes.
_OUTCOMES = {"SUCCESS": "success", "FAILURE": "failure", "RETRY": "retry", "REVOKED": "revoked", "REJECTED": "rejected"}


class CeleryTasks:
    """What Celery's signals tell. A forked worker goes on with what it has from its parent."""

    def __init__(self, tools: Tools) -> None:
        self._clock = tools.clock
        self._polled = tools.polled
        self._tasks = TaskMetrics(tools.meter, "celery")
        self._began_ns: OrderedDict[str, int] = OrderedDict()
        self._errors: dict[str, str] = {}
        self._forget: Callable[[], None] | None = None

    def before_task_publish(self, headers: Any = None, **_: Any) -> None:
        """Stamp a task; also one that is sent again, as a retry is."""
        if isinstance(headers, dict):
            headers[SENT_HEADER] = str(self._clock.unix_ns())

    def after_task_publish(self, sender: Any = None, routing_key: str = "", exchange: str = "", **_: Any) -> None:
        """Count a task that was sent."""
        self._tasks.sent(str(sender), routing_key or exchange or "celery")

    def task_prerun(self, task_id: str, task: Any, **_: Any) -> None:
        """Begin to measure a task."""
        while len(self._began_ns) >= _MOST_RUNNING:
            self._began_ns.popitem(last=False)
        self._began_ns[task_id] = self._clock.monotonic_ns()
        self._tasks.began(task.name, _queue(task.request), self._waited_ns(task.request))

    def task_failure(self, task_id: str, sender: Any = None, exception: Any = None, **_: Any) -> None:
        """Note what failed; in the main process this is a task whose worker was lost."""
        error_type = type(exception).__qualname__
        if task_id in self._began_ns:
            self._errors[task_id] = error_type
        else:
            self._tasks.ended(getattr(sender, "name", "_OTHER"), "", "failure", error_type)

    def task_postrun(self, task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
        """Record a task that has run."""
        began_ns = self._began_ns.pop(task_id, None)
        if began_ns is None:
            return
        duration_ns = self._clock.monotonic_ns() - began_ns
        outcome = _OUTCOMES.get(state or "", "ignored")
        self._tasks.ran(task.name, _queue(task.request), duration_ns, outcome, self._errors.pop(task_id, None))

    def task_revoked(self, request: Any = None, **_: Any) -> None:
        """Count a task that was called back, or was too old to run."""
        name = getattr(request, "name", None) or getattr(request, "task", None) or "_OTHER"
        self._tasks.ended(str(name), "", "revoked")

    def task_unknown(self, **_: Any) -> None:
        """Count a task that this worker does not have; its name may be anything."""
        self._tasks.ended("_OTHER", "", "unknown")

    def worker_ready(self, sender: Any = None, **_: Any) -> None:
        """Begin to ask for lengths of queues: ``sender`` is the worker's consumer."""
        app = sender.app
        names = [name for name, _ in zip(app.amqp.queues.consume_from, range(_MOST_QUEUES), strict=False)]
        self._forget = self._polled.add("celery", lambda: _lengths(app, names), in_children=False)

    def worker_shutdown(self, **_: Any) -> None:
        """Ask no more."""
        if self._forget is not None:
            self._forget()

    def _waited_ns(self, request: Any) -> int | None:
        """Read how long a task waited: since it was sent, or since it was to run."""
        sent = getattr(request, SENT_HEADER, None)
        if sent is None or not str(sent).isdigit():
            return None
        since_ns, eta = int(sent), getattr(request, "eta", None)
        if isinstance(eta, str):
            due = dt.datetime.fromisoformat(eta)
            due = due if due.tzinfo else due.replace(tzinfo=dt.UTC)
            since_ns = max(since_ns, int(due.timestamp() * NS_PER_S))
        return self._clock.unix_ns() - since_ns


def _queue(request: Any) -> str:
    delivery = getattr(request, "delivery_info", None) or {}
    return str(delivery.get("routing_key") or "")


def _lengths(app: Any, names: list[str]) -> Iterator[Reading]:
    """Ask the broker, on a connection of our own."""
    with app.connection_for_read() as connection:
        connection.connect_timeout = _ASK_TIMEOUT_S
        connection.connect()
        channel = connection.channel()
        for name in names:
            if hasattr(channel, "_size"):  # kombu's own brokers: there an empty queue does not exist
                length = channel._size(name)  # noqa: SLF001
            else:
                length = channel.queue_declare(queue=name, passive=True).message_count
            yield QUEUE_LENGTH, length, {"messaging.system": "celery", "messaging.destination.name": name}


#: Signals that are listened to: the methods of their names.
SIGNALS = (
    "before_task_publish", "after_task_publish", "task_prerun", "task_postrun", "task_failure", "task_revoked",
    "task_unknown", "worker_ready", "worker_shutdown",
)  # fmt: skip


def hook(module: ModuleType, tools: Tools) -> None:
    """Listen; ``module`` is ``celery.signals``."""
    tasks = CeleryTasks(tools)
    for name in SIGNALS:
        _listen(getattr(module, name), getattr(tasks, name), tools)


def _listen(signal: Any, receiver: Callable[..., None], tools: Tools) -> None:
    def received(*_: Any, **kwargs: Any) -> None:
        with guarded("measure a task of Celery"):
            receiver(**kwargs)

    signal.connect(received, weak=False)
    tools.undo.append(lambda: signal.disconnect(received))
