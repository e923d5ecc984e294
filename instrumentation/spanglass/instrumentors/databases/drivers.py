"""Drivers below SQLAlchemy: one call of a database is one span.

Upstream's instrumentations of SQLAlchemy and of the driver each make a span of a statement. SQLAlchemy's knows the
engine and its pool, so connections that SQLAlchemy opens are left to it: they are opened by the driver's own function,
which costs nothing later, when statements run.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import reduce
from importlib import import_module
from typing import TYPE_CHECKING, Any

import wrapt

from spanglass.instrumentors.status import State, state_of
from spanglass.instrumentors.table import DRIVERS
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

# Between a driver's connect() and SQLAlchemy stand at most a dialect's adapter, and a function given as `creator`.
_MAX_FRAMES = 6
# The last of them awaits what a dialect calls, in the event loop of an asynchronous engine.
_OPENERS = ("sqlalchemy.engine.", "sqlalchemy.pool.", "sqlalchemy.dialects.", "sqlalchemy.util.")


def leave_to_sqlalchemy(driver: str) -> Callable[[], None]:
    """Keep the instrumentation of a driver off the connections that SQLAlchemy opens; gives what takes that back."""
    undo = ExitStack()
    for path in DRIVERS.get(driver, ()):
        undo.callback(_bypass(path))
    return undo.close


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
    return (wrapped.__wrapped__ if opened_by_sqlalchemy() else wrapped)(*args, **kwargs)


def opened_by_sqlalchemy() -> bool:
    """Whether SQLAlchemy, instrumented itself, has called what calls this, directly or nearly so."""
    if state_of("sqlalchemy") not in {State.ACTIVE, State.LATE}:
        return False
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


def complete_proxies() -> Callable[[], None]:
    """Give upstream's proxies of cursors and connections what they lack; gives what takes that back.

    They are no iterators, which the cursors of MySQL's and other drivers are, and swallow what ``__exit__`` returns.
    """
    from opentelemetry.instrumentation.dbapi import (  # noqa: PLC0415 - only where a driver is instrumented
        TracedConnectionProxy,
        TracedCursorProxy,
    )

    undo = ExitStack()
    for proxy in (TracedConnectionProxy, TracedCursorProxy):
        undo.callback(replace(proxy, "__exit__", _exit))
    if not hasattr(TracedCursorProxy, "__next__"):
        TracedCursorProxy.__next__ = _next  # type: ignore[attr-defined]
        undo.callback(delattr, TracedCursorProxy, "__next__")
    return undo.close


def _exit(_replacement: Replacement) -> Callable[..., Any]:
    def leave(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__.__exit__(*args, **kwargs)

    return leave


def _next(self: Any) -> Any:
    return next(self.__wrapped__)
