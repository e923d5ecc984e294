"""Put the metrics of libraries together: each library's hook waits until the application imports it."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from spanglass.clock import SYSTEM, Clock
from spanglass.guard import guarded
from spanglass.library_metrics import polled
from spanglass.library_metrics.databases import pools, postgres, sqlalchemy_pools
from spanglass.library_metrics.tasks import queues
from spanglass.library_metrics.tools import Tools
from spanglass.patching.imports import when_imported
from spanglass.process import forking
from spanglass.runtime_metrics.groups import Group, install_group
from spanglass.runtime_metrics.intervals import INTERVALS
from spanglass.sdk.published import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.metrics import MeterProvider

    from spanglass.runtime_metrics.groups import Undo
    from spanglass.settings.settings import Settings

#: The module whose import is waited for, and our module whose ``hook`` measures it: imported no sooner, 0.5 ms each.
HOOKS = {
    "sqlalchemy.engine.base": "databases.sqlalchemy_pools",
    "psycopg_pool": "databases.psycopg_pools",
    "redis": "redis_commands",
    "celery.signals": "tasks.celery_tasks",
    "rq": "tasks.rq_jobs",
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
    is_due = INTERVALS.pace("libraries", clock.monotonic_ns)
    tools.undo += [
        install_group(tools.meter, Group("libraries", METRICS, tools.collectors, is_due=is_due)),
        forking.in_child(tools.deferred.after_fork),
        forking.in_child(tools.polled.after_fork),
    ]
    waiting = [when_imported(name, _hook(ours, tools), doing=f"measure {name}") for name, ours in HOOKS.items()]
    return partial(_take_back, tools, waiting)


def _hook(ours: str, tools: Tools) -> Callable[[ModuleType], None]:
    return lambda module: import_module(f"spanglass.library_metrics.{ours}").hook(module, tools)


def _take_back(tools: Tools, waiting: list[Undo]) -> None:
    for forget in waiting:
        forget()
    tools.polled.close()
    with guarded("take library metrics back"):
        tools.patches.undo()
    while tools.undo:
        with guarded("take library metrics back"):
            tools.undo.pop()()
