"""Put the metrics of libraries together: each library's hook waits until the application imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import wrapt

from spanglass import forking
from spanglass.clock import SYSTEM, Clock
from spanglass.guard import guarded
from spanglass.library_metrics import (
    celery_tasks,
    polled,
    pools,
    postgres,
    psycopg_pools,
    queues,
    redis_commands,
    rq_jobs,
    sqlalchemy_pools,
)
from spanglass.library_metrics.tools import Tools
from spanglass.runtime_metrics.groups import Group, install_group
from spanglass.runtime_metrics.install import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.metrics import MeterProvider

    from spanglass.runtime_metrics.groups import Undo
    from spanglass.settings import Settings

#: The module whose import a hook waits for.
HOOKS: dict[str, Callable[[ModuleType, Tools], None]] = {
    "sqlalchemy.engine.base": sqlalchemy_pools.hook,
    "psycopg_pool": psycopg_pools.hook,
    "redis": redis_commands.hook,
    "celery.signals": celery_tasks.hook,
    "rq": rq_jobs.hook,
}

METRICS = (
    *pools.METRICS, *polled.METRICS, *queues.METRICS, *postgres.METRICS, sqlalchemy_pools.SIZE,
)  # fmt: skip


def install_library_metrics(settings: Settings, *, meter_provider: MeterProvider, clock: Clock = SYSTEM) -> Undo:
    """Measure pools, caches, tasks and queues of the libraries that the application uses; returns what ends it.

    Imports none of them. Does nothing if ``metrics`` or ``runtime_metrics`` is off.
    """
    if not (settings.metrics and settings.runtime_metrics):
        return lambda: None
    tools = Tools(meter_provider.get_meter(SCOPE), clock)
    tools.collectors |= {
        "pools": tools.pools.readings,
        "queues": queues.QueueMetrics(tools.meter).readings,
        "servers": tools.polled.readings,
        "what was noted down": tools.deferred.drain,
    }
    tools.polled.add("PostgreSQL", postgres.ask_all, in_children=True)
    tools.undo += [
        install_group(tools.meter, Group("libraries", METRICS, tools.collectors)),
        forking.in_child(tools.deferred.after_fork),
        forking.in_child(tools.polled.after_fork),
    ]
    installed = _Hooks(tools)
    for name, hook in HOOKS.items():
        installed.add(name, hook)
    return installed.take_back


class _Hooks:
    """Hooks of one installation; those of libraries that are imported after it has ended do nothing."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._ended = False

    def add(self, name: str, hook: Callable[[ModuleType, Tools], None]) -> None:
        def imported(module: ModuleType) -> None:
            if not self._ended:
                with guarded(f"measure {name}"):
                    hook(module, self._tools)

        with guarded(f"wait for {name}"):
            wrapt.when_imported(name)(imported)

    def take_back(self) -> None:
        self._ended = True
        self._tools.polled.close()
        with guarded("take library metrics back"):
            self._tools.patches.undo()
        while self._tools.undo:
            with guarded("take library metrics back"):
                self._tools.undo.pop()()
