"""aiosqlite: statements in the trace of whoever awaits them, and those below SQLAlchemy left to SQLAlchemy.

It opens and uses connections of sqlite3 in a thread of its own, where neither the caller's span nor SQLAlchemy's call
is to be seen.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from opentelemetry import context

from spanglass.instrumentors.databases.drivers import opened_by_sqlalchemy
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Left:
    """A factory of connections that are left to a library which makes the spans itself."""

    def __init__(self, factory: Any) -> None:
        self.factory = factory

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make the connection as without us."""
        if "factory" in kwargs:
            kwargs["factory"] = self.factory
        return self.factory(*args, **kwargs)


class _Carried:
    """A function that runs in the context in which it was handed over; looks like itself in aiosqlite's log."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._context = context.get_current()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = context.attach(self._context)
        try:
            return self._function(*args, **kwargs)
        finally:
            context.detach(token)

    def __repr__(self) -> str:
        return repr(self._function)


def hook(module: ModuleType) -> Callable[[], None]:
    """Patch aiosqlite; gives what takes that back."""
    undo = ExitStack()
    for owner in (module, module.core):
        undo.callback(replace(owner, "connect", _connect))
    if hasattr(module.core.Connection, "_execute"):  # of version 0.22
        undo.callback(replace(module.core.Connection, "_execute", _execute))
    return undo.close


def _connect(replacement: Replacement) -> Callable[..., Any]:
    def connect(*args: Any, **kwargs: Any) -> Any:
        if replacement.active and opened_by_sqlalchemy():
            kwargs["factory"] = Left(kwargs.get("factory", sqlite3.Connection))
        return replacement.original(*args, **kwargs)

    return connect


def _execute(replacement: Replacement) -> Callable[..., Any]:
    def _execute(self: Any, fn: Any, *args: Any, **kwargs: Any) -> Any:
        carried = _Carried(fn) if replacement.active else fn
        return replacement.original(self, carried, *args, **kwargs)

    return _execute
