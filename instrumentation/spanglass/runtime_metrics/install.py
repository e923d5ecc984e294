"""Put the runtime metrics together."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from spanglass.clock import SYSTEM, Clock
from spanglass.guard import guarded
from spanglass.process import forking
from spanglass.runtime_metrics.background import Background
from spanglass.runtime_metrics.event_loops import EventLoops
from spanglass.runtime_metrics.gc_pauses import GcPauses
from spanglass.runtime_metrics.groups import install_group
from spanglass.runtime_metrics.host.host import HostMetrics
from spanglass.runtime_metrics.host.lock import HostLock, lock_path
from spanglass.runtime_metrics.interpreter import InterpreterMetrics
from spanglass.runtime_metrics.latency import LatencyProbe, targets
from spanglass.runtime_metrics.process import ProcessMetrics
from spanglass.sdk.published import SCOPE

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.metrics import Meter, MeterProvider

    from spanglass.runtime_metrics.groups import Undo
    from spanglass.settings.settings import Settings


def install_runtime_metrics(
    settings: Settings, *, meter_provider: MeterProvider, clock: Clock = SYSTEM, lock_directory: Path | None = None
) -> Undo:
    """Measure process, host, interpreter and event loops with every collection; returns what ends it.

    Does nothing if ``metrics`` or ``runtime_metrics`` is off. Processes that share ``lock_directory`` (default: the
    temporary directory), service, environment and endpoint agree on one that sends the host's metrics.
    """
    if not (settings.metrics and settings.runtime_metrics):
        return lambda: None
    meter = meter_provider.get_meter(SCOPE)
    installed = ExitStack()
    with guarded("measure the process"):
        _add(installed, _process(meter, clock))
    with guarded("measure the interpreter"):
        _add(installed, _interpreter(meter, clock))
    with guarded("measure the host"):
        _add(installed, _host(meter, clock, settings, lock_directory))
    return partial(_take_back, installed)


def _add(installed: ExitStack, undo: list[Undo]) -> None:
    for each in undo:
        installed.callback(each)


def _take_back(installed: ExitStack) -> None:
    with guarded("take runtime metrics back"):
        installed.close()


def _process(meter: Meter, clock: Clock) -> list[Undo]:
    process = ProcessMetrics(clock)
    return [install_group(meter, process.group()), forking.in_child(process.after_fork)]


def _interpreter(meter: Meter, clock: Clock) -> list[Undo]:
    pauses, loops = GcPauses(clock), EventLoops(meter, clock)
    interpreter = InterpreterMetrics(meter, pauses, loops, clock)
    return [
        pauses.install(),
        loops.install(),
        forking.in_child(loops.after_fork),
        install_group(meter, interpreter.group()),
    ]


def _host(meter: Meter, clock: Clock, settings: Settings, lock_directory: Path | None) -> list[Undo]:
    who = (settings.service_namespace, settings.service_name, settings.environment, settings.endpoint)
    lock = HostLock(lock_path(who, lock_directory))
    probing = Background("measure the way to the server")
    probe = LatencyProbe(meter, clock, targets(settings.endpoint, settings.latency_targets))

    def is_ours() -> bool:
        ours = lock.held()
        if ours:
            probing.run(probe.probe)
        return ours

    host = HostMetrics(clock, is_ours)
    return [
        install_group(meter, host.group()),
        forking.in_child(lock.release),
        forking.in_child(probing.after_fork),
        probing.close,
        lock.release,
    ]
