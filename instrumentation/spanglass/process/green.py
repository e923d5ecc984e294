"""gevent and eventlet, where they replace threads, locks and sockets after we have begun, as under ``spanglass run``.

A lock or event made before would stop all greenlets of its thread when one of ours waits for it. So after the patching
all parts begin anew as in a forked child: new locks and events, threads as soon as there is something to do. The thread
that collects metrics ends before: one that was begun before the patching is an error to ``threading`` when it ends.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

from spanglass.guard import guarded
from spanglass.patching.imports import when_imported
from spanglass.patching.patches import Replacement, replace
from spanglass.process import forking

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.sdk.metrics import MeterProvider

_JOIN_S = 1.0

#: The function of each that replaces parts of the standard library.
_PATCHERS = {"gevent.monkey": "patch_all", "eventlet": "monkey_patch"}


def begin_anew_when_patched(provider: MeterProvider) -> Callable[[], None]:
    """Have all parts and the provider's readers begin anew after the application has patched; returns what ends it."""
    undo: list[Callable[[], None]] = []
    for module, function in _PATCHERS.items():

        def watch(patcher: ModuleType, function: str = function) -> None:
            undo.append(replace(patcher, function, partial(_around, provider)))

        undo.append(when_imported(module, watch, doing=f"watch {module} patch"))

    def take_back() -> None:
        while undo:
            undo.pop()()

    return take_back


def _around(provider: MeterProvider, replaced: Replacement) -> Callable[..., Any]:
    def patch(*args: Any, **kwargs: Any) -> Any:
        """Patch the standard library."""
        if not replaced.active:
            return replaced.original(*args, **kwargs)
        readers = [
            reader
            for reader in provider._measurement_consumer._reader_storages  # noqa: SLF001 - there is no public way
            if isinstance(reader, PeriodicExportingMetricReader)
        ]
        with guarded("pause before the application patches"):
            for reader in readers:
                _pause(reader)
        result = replaced.original(*args, **kwargs)
        forking.begin_anew()
        with guarded("go on after the application has patched"):
            for reader in readers:
                _resume(reader)
        return result

    return patch


def _pause(reader: PeriodicExportingMetricReader) -> None:
    collect, reader._collect = reader._collect, lambda *_, **__: None  # type: ignore[assignment] # noqa: SLF001
    reader._shutdown_event.set()  # noqa: SLF001
    if reader._daemon_thread is not None:  # noqa: SLF001
        reader._daemon_thread.join(_JOIN_S)  # noqa: SLF001
    reader._collect = collect  # noqa: SLF001


def _resume(reader: PeriodicExportingMetricReader) -> None:
    """Begin its thread anew, as one of the class that ``threading`` has now: others can't be waited for."""
    reader._shutdown_event = threading.Event()  # noqa: SLF001
    thread = threading.Thread(target=reader._ticker, name="OtelPeriodicExportingMetricReader", daemon=True)  # noqa: SLF001
    reader._daemon_thread = thread  # noqa: SLF001
    thread.start()
