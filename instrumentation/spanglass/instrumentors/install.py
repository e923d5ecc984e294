"""Turning instrumentations on: each by itself, when the application imports its library; one that fails is left out.

Importing twenty instrumentations imports twenty libraries, whether or not the application uses them. So each waits for
its library (``table.TRIGGERS``); the hook runs when the library's own import has ended, before the application sees
any of its names.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.instrumentors import (
    command_lines,
    coroutines,
    discovery,
    metrics,
    outcomes,
    status,
    threads,
    triggers,
    web,
)
from spanglass.instrumentors.databases import aiosqlite, asyncpg, cursors, drivers, postgres, sqlalchemy, sqlite3
from spanglass.instrumentors.late import originals
from spanglass.instrumentors.network import clients, grpc_servers
from spanglass.instrumentors.status import InstrumentationStatus, State
from spanglass.instrumentors.table import DRIVERS
from spanglass.patching.imports import when_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.metadata import EntryPoint
    from types import ModuleType

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from spanglass.settings.table import Settings

    Undo = Callable[[], None]

#: Name of the threads that wait for the end of an import.
_WAITING = "spanglass-instrument"

#: Those that are turned on in a way of their own.
_OWN_WAYS = {
    "asyncio": coroutines.asyncio,
    "asyncpg": asyncpg.asyncpg,
    "click": command_lines.click,
    "grpc_aio_server": grpc_servers.asyncio,
    "grpc_server": grpc_servers.sync,
    "pika": clients.pika,
    "sqlalchemy": sqlalchemy.sqlalchemy,
    "sqlite3": sqlite3,
    "threading": threads.threading,
}

#: Libraries that have no instrumentation, and need a correction when a module of theirs is imported.
CORRECTED: dict[str, tuple[str, Callable[[ModuleType], Undo]]] = {
    "aiosqlite": ("aiosqlite", aiosqlite),
    "elasticsearch": ("elasticsearch._otel", clients.elasticsearch),
    "wsgi": ("opentelemetry.instrumentation.wsgi", web.correct_wsgi),
}


def install_instrumentors(
    settings: Settings,
    *,
    tracer_provider: TracerProvider,
    meter_provider: MeterProvider,
    logger_provider: LoggerProvider,
) -> Undo:
    """Turn on what is installed, now or when its library is imported; gives what takes everything back.

    Nothing that an instrumentation does wrong is raised: ``spanglass.instrumentors.states()`` has it, and the log a
    line.
    """
    installer = Installer(
        settings, tracer_provider=tracer_provider, meter_provider=meter_provider, logger_provider=logger_provider
    )
    for entry in discovery.installed():
        installer.add(entry)
    for library in CORRECTED:
        installer.correct(library)
    metrics.observe(meter_provider)
    return installer.take_back


def load_one(
    entry: EntryPoint,
    settings: Settings,
    *,
    tracer_provider: TracerProvider,
    meter_provider: MeterProvider,
    logger_provider: LoggerProvider,
) -> Undo:
    """Turn one instrumentation on as ``install_instrumentors`` does, for OpenTelemetry's own loader."""
    installer = Installer(
        settings, tracer_provider=tracer_provider, meter_provider=meter_provider, logger_provider=logger_provider
    )
    installer.add(entry)
    return installer.take_back


class Installer:
    """Turns instrumentations on with the same settings and providers."""

    def __init__(
        self,
        settings: Settings,
        *,
        tracer_provider: TracerProvider,
        meter_provider: MeterProvider,
        logger_provider: LoggerProvider,
    ) -> None:
        self._settings = settings
        self._providers: dict[str, Any] = {
            "tracer_provider": tracer_provider,
            "meter_provider": meter_provider,
            "logger_provider": logger_provider,
        }
        self._undo: list[Undo] = [opt_in(settings.semconv)]
        self._over = False

    def add(self, entry: EntryPoint) -> None:
        """Turn one on: now if its library is imported or nobody knows which it is, else when that is imported."""
        aside = discovery.set_aside(entry.name, self._settings)
        if aside is not None:
            status.record(aside)
            return
        groups, missing = triggers.awaited(entry)
        if missing:
            status.record(discovery.library_missing(entry.name, missing))
        elif all(any(module in sys.modules for module in group) for group in groups):
            self._begin(entry, late=bool(groups))
        else:
            status.record(InstrumentationStatus(name=entry.name, state=State.READY))
            self._undo += triggers.when_all_imported(groups, partial(self._begin, entry, late=False))

    def correct(self, library: str) -> None:
        """Correct a library without an instrumentation, when it is imported, unless it is named among the disabled."""
        module, hook = CORRECTED[library]
        if discovery.set_aside(library, self._settings) is None:

            def act(imported: ModuleType) -> None:
                self._undo.append(hook(imported))

            doing = "correct the spans of a library"
            self._undo.append(when_imported(module, act, doing=doing))

    def take_back(self) -> None:
        """Turn everything off again, the last first; what waits for an import waits no more."""
        self._over = True
        while self._undo:
            with guarded("take an instrumentation back"):
                self._undo.pop()()
        status.forget()

    def _begin(self, entry: EntryPoint, *, late: bool) -> None:
        """Turn one on. Called by the import of a library: raises nothing."""
        if self._over:
            return
        try:
            found = discovery.examine(entry)
        except Exception as error:  # noqa: BLE001 - metadata that can't be read
            unknown = InstrumentationStatus(name=entry.name, state=State.BROKEN)
            outcomes.tell(outcomes.not_loaded(unknown, error))
            return
        if found.state is not State.READY:
            outcomes.tell(found)
        else:
            self._turn_on(entry, found, originals=originals(entry.name) if late else {}, late=late)

    def _turn_on(
        self,
        entry: EntryPoint,
        found: InstrumentationStatus,
        *,
        originals: Mapping[str, Any],
        late: bool,
    ) -> None:
        if entry.name in web.OWN or (entry.name in web.MODULES and not _is_imported(entry.module)):
            self._turn_on_web(found)
            return
        if _is_being_imported(entry.module):
            # the application imports the instrumentation itself, and that has just imported the library: a thread
            # waits for the end of that import by the module's import lock
            again = partial(self._turn_on, entry, found, originals=originals, late=late)
            with guarded("wait for the end of an import"):
                threading.Thread(target=again, name=_WAITING, daemon=True).start()
            return
        try:
            instrumentor = entry.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module does
            outcomes.tell(outcomes.not_loaded(found, error))
            return
        try:
            self._undo.extend(self._instrument(found, instrumentor(), late=late))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's code does
            outcomes.tell(outcomes.failed(found, error))
            return
        outcomes.tell(outcomes.turned_on(found, originals))

    def _turn_on_web(self, found: InstrumentationStatus) -> None:
        """Instrument a web framework in our own way, without its instrumentation."""
        try:
            self._undo.append(self._web(found))
        except Exception as error:  # noqa: BLE001 - a release of the framework that is made otherwise
            outcomes.tell(outcomes.failed(found, error))
            return
        outcomes.tell(outcomes.turned_on(found, {}))

    def _web(self, found: InstrumentationStatus) -> Undo:
        return web.turn_on(
            found.name,
            found.package_version,
            tracer_provider=self._providers["tracer_provider"],
            meter_provider=self._providers["meter_provider"],
            message_spans=self._settings.framework_spans,
        )

    def _instrument(self, found: InstrumentationStatus, instrumentor: Any, *, late: bool) -> list[Undo]:
        name = found.name
        given = self._providers.copy()
        if instrumentor.is_instrumented_by_opentelemetry:  # the application has done it, and takes it back
            return []
        if name in web.MODULES:  # the application has only imported it
            return [self._web(found)]
        if name in _OWN_WAYS:
            del given["logger_provider"]
            return [_OWN_WAYS[name](instrumentor, given, late=late)]
        instrumentor.instrument(skip_dep_check=True, **given)
        undo = [instrumentor.uninstrument]
        if name in DRIVERS:
            undo += [
                postgres.correct_connections(name),
                drivers.leave_to_sqlalchemy(name),
                cursors.correct_cursors(),
                drivers.complete_proxies(),
            ]
        return undo


def _is_imported(module: str) -> bool:
    """Whether a module has been imported whole."""
    return module in sys.modules and not getattr(sys.modules[module].__spec__, "_initializing", False)


def _is_being_imported(module: str) -> bool:
    """Whether this very thread is in the middle of the module's import."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    in_progress = bool(getattr(spec, "_initializing", False))
    return in_progress and threading.current_thread().name != _WAITING


#: Which conventions instrumentations follow: they read this variable when the first of them is turned on.
VARIABLE = "OTEL_SEMCONV_STABILITY_OPT_IN"
OPT_IN = {"new": "http,database", "dup": "http/dup,database/dup", "old": ""}


def opt_in(semconv: str) -> Callable[[], None]:
    """Set the variable by our setting unless the user has set it; gives what takes it back."""
    if VARIABLE in os.environ or not OPT_IN[semconv]:
        return lambda: None
    os.environ[VARIABLE] = OPT_IN[semconv]
    return lambda: _take_back(OPT_IN[semconv])


def _take_back(ours: str) -> None:
    if os.environ.get(VARIABLE) == ours:
        del os.environ[VARIABLE]
