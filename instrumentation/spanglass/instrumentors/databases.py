"""SQLAlchemy and the drivers below it: one call of a database is one span, and no engine is missed.

Upstream's instrumentations of SQLAlchemy and of the driver each make a span of a statement. SQLAlchemy's knows the
engine and its pool, so connections that SQLAlchemy opens are left to it: they are opened by the driver's own function,
which costs nothing later, when statements run.
"""

from __future__ import annotations

import sys
from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import wrapt

from spanglass.guard import guarded
from spanglass.instrumentors import sqlite
from spanglass.instrumentors.status import State, state_of
from spanglass.instrumentors.table import DRIVERS

if TYPE_CHECKING:
    from collections.abc import Callable

# Between a driver's connect() and SQLAlchemy stand at most a dialect's adapter, and a function given as `creator`.
_MAX_FRAMES = 6
_SQLITE = "_sqlite3"  # module of the connect that is written in C
_OPENERS = ("sqlalchemy.engine.", "sqlalchemy.pool.", "sqlalchemy.dialects.", "aiosqlite.")


def leave_to_sqlalchemy(driver: str) -> Callable[[], None]:
    """Keep the instrumentation of a driver off the connections that SQLAlchemy opens; gives what takes that back."""
    undo = [_bypass(path) for path in DRIVERS.get(driver, ())]

    def take_back() -> None:
        for each in undo:
            each()

    return take_back


def _bypass(path: str) -> Callable[[], None]:
    owner, name = _owner(path)
    instrumented = vars(owner)[name]
    if not isinstance(instrumented, wrapt.FunctionWrapper):  # not instrumented after all
        return lambda: None
    ours = wrapt.FunctionWrapper(instrumented, _connect)
    setattr(owner, name, ours)

    def undo() -> None:
        if vars(owner).get(name) is ours:
            setattr(owner, name, instrumented)

    return undo


def _connect(wrapped: Any, _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if state_of("sqlalchemy") in {State.ACTIVE, State.LATE} and _opened_by_sqlalchemy():
        return wrapped.__wrapped__(*args, **kwargs)
    connection = wrapped(*args, **kwargs)
    return sqlite.Connection(connection) if getattr(wrapped, "__module__", "") == _SQLITE else connection


def _opened_by_sqlalchemy() -> bool:
    frame = sys._getframe(2)  # noqa: SLF001 - the one way to know the caller
    for _ in range(_MAX_FRAMES):
        if frame.f_globals.get("__name__", "").startswith(_OPENERS):
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


def _owner(path: str) -> tuple[Any, str]:
    """Find what ``psycopg:Connection.connect`` is an attribute of, and the attribute's name."""
    module, _, attributes = path.partition(":")
    *outer, name = attributes.split(".")
    return reduce(getattr, outer, import_module(module)), name


def trace_engines_made_before(tracer_provider: Any, meter_provider: Any) -> Callable[[], None]:
    """Instrument engines that upstream has not seen made, when they next connect; gives what takes that back.

    They were made before, or by a ``create_engine`` that was imported before.
    """
    module = import_module("opentelemetry.instrumentation.sqlalchemy.engine")
    base = import_module("sqlalchemy.engine.base")
    known: WeakSet[Any] = WeakSet()
    scope = "opentelemetry.instrumentation.sqlalchemy"
    tracer = tracer_provider.get_tracer(scope)
    usage = meter_provider.get_meter(scope).create_up_down_counter(
        "db.client.connections.usage",
        "connections",
        "The number of connections that are currently in state described by the state attribute.",
    )

    def connect(wrapped: Any, engine: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if engine not in known:
            known.add(engine)
            with guarded("instrument an engine of SQLAlchemy"):
                if not any(_seen_by_upstream(module, engine)):
                    module.EngineTracer(tracer, engine, usage)
        return wrapped(*args, **kwargs)

    instrumented = base.Engine.__dict__["connect"]
    ours = wrapt.FunctionWrapper(instrumented, connect)
    base.Engine.connect = ours

    def undo() -> None:
        if base.Engine.__dict__.get("connect") is ours:
            base.Engine.connect = instrumented

    return undo


def _seen_by_upstream(module: Any, engine: Any) -> list[bool]:
    targets = (entry[0]() for entry in list(module.EngineTracer._remove_event_listener_params))  # noqa: SLF001 - its only list of engines
    return [target is engine for target in targets]
