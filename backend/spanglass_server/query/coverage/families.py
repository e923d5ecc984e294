"""The families of telemetry that are required, what proves that one is there, and what would send it.

Requirement N13: system, application, user-activity and error telemetry. docs/coverage.md has the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["system", "application", "user_activity", "errors"]
Subject = Literal["host", "service"]

#: Runs an application with everything that needs no code.
_RUN = "spanglass run python app.py"


@dataclass(frozen=True, slots=True)
class Family:
    """A family of telemetry of hosts or services.

    ``metrics`` are beginnings of names that prove it. It is required of services that told of one of ``needed``
    (``reading.Told``), of all where that is empty. What is ``measured`` comes all the time and grows stale; traffic,
    people and failures do not. ``remedy`` is a line that would send it.
    """

    key: str
    group: Group
    title: str
    remedy: str
    metrics: tuple[str, ...] = ()
    subject: Subject = "service"
    needed: tuple[str, ...] = ()
    measured: bool = False


def _host(key: str, title: str, metrics: str, remedy: str = _RUN) -> Family:
    return Family(key, "system", title, remedy, (metrics,), "host", measured=True)


#: All families, in the order in which they are shown.
FAMILIES: tuple[Family, ...] = (
    _host("cpu", "Processors", "system.cpu."),
    _host("memory", "Memory", "system.memory."),
    _host("disk_space", "Disk space", "system.filesystem."),
    _host("disk_traffic", "Disk traffic", "system.disk."),
    _host("network", "Network traffic", "system.network."),
    _host("latency", "Network latency", "spanglass.network.latency", "SPANGLASS_LATENCY_TARGETS=db.internal:5432"),
    Family("process", "application", "Process", _RUN, ("process.cpu.", "process.memory."), measured=True),
    Family("traces", "application", "Traces", _RUN),
    Family("logs", "application", "Logs", _RUN),
    Family("requests", "application", "Requests", _RUN, ("http.server.", "rpc.server."), needed=("entries",)),
    Family("tasks", "application", "Tasks", _RUN, ("messaging.process.", "spanglass.task."), needed=("tasks",)),
    Family(
        "queues",
        "application",
        "Queue lengths",
        'spanglass.watch_queue(thumbnails, "thumbnails")',
        ("spanglass.queue.", "rabbitmq.message.", "kafka.consumer_group."),
        needed=("tasks",),
        measured=True,
    ),
    Family("queries", "application", "Database queries", _RUN, ("db.client.operation.",), needed=("queries", "pools")),
    Family(
        "pools",
        "application",
        "Connection pools",
        _RUN,
        ("db.client.connection",),
        needed=("served", "pools"),
        measured=True,
    ),
    Family("caches", "application", "Cache hits", _RUN, ("spanglass.cache.",), needed=("cache_calls", "caches")),
    Family("users", "user_activity", "Users", "spanglass.set_user(42)", needed=("entries",)),
    Family("sessions", "user_activity", "Sessions", 'spanglass.set_session("5f2a")', needed=("entries",)),
    Family("actions", "user_activity", "Actions", 'spanglass.event("signup")', needed=("entries",)),
    Family(
        "error_rates",
        "errors",
        "Error rates",
        _RUN,
        ("http.server.", "rpc.server.", "messaging.process."),
        needed=("entries", "tasks"),
    ),
    Family("exceptions", "errors", "Exceptions", "spanglass.capture_exception(error)", needed=("failures",)),
)
