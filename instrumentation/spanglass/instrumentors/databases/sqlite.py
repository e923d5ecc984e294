"""sqlite3: connections and cursors that are real ones, so that whatever takes sqlite3's takes them.

Upstream gives proxies: C code refuses them (``backup``, ``sqlite3.Row``, unbound methods), and ``Connection.execute``
passes them by.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, suppress
from functools import partial, wraps
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from spanglass.instrumentors.databases.aiosqlite import Left
from spanglass.instrumentors.databases.cursors import correct_cursors
from spanglass.instrumentors.databases.drivers import opened_by_sqlalchemy
from spanglass.instrumentors.databases.subclasses import Family, stand_in, with_spans
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    Method = Any  # a function of Python's or C's, which can be bound

_SCOPE = "opentelemetry.instrumentation.sqlite3"
_FACTORY_AT = 5  # position of ``factory`` among the arguments of connect()


class _Tracing:
    """Upstream's tracer of cursors while sqlite3 is instrumented; connections outlive that."""

    def __init__(self) -> None:
        self.cursors: Any = None


_tracing = _Tracing()


def _around(method: Method) -> Method:
    """Return a method that runs a statement within a span."""

    @wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        tracer, bound = _tracing.cursors, method.__get__(self)
        if tracer is None:
            return bound(*args, **kwargs)
        return tracer.traced_execution(self, bound, *args, **kwargs)

    return run


def _through_cursor(method: Method, *counts: int) -> Method:
    """Return a method of connections that runs a statement with a new cursor, which is what sqlite3 does in C.

    ``counts`` are the numbers of arguments that it takes.
    """
    name = method.__name__

    @wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        cursor = None
        if _tracing.cursors is not None and len(args) in counts and not kwargs:  # else an error, in sqlite3's words
            with suppress(sqlite3.Error):  # what is wrong with the connection or the arguments is told in its order
                cursor = sqlite3.Connection.cursor(self, stand_in(CURSORS))
        return method.__get__(self)(*args, **kwargs) if cursor is None else getattr(cursor, name)(*args)

    return run


class TracedCursor(sqlite3.Cursor):
    """A cursor whose statements are spans."""

    __slots__ = ()

    execute = _around(sqlite3.Cursor.execute)
    executemany = _around(sqlite3.Cursor.executemany)
    executescript = _around(sqlite3.Cursor.executescript)


class TracedConnection(sqlite3.Connection):
    """A connection whose cursors make spans, those of its own shortcuts too."""

    __slots__ = ()

    execute = _through_cursor(sqlite3.Connection.execute, 1, 2)
    executemany = _through_cursor(sqlite3.Connection.executemany, 2)
    executescript = _through_cursor(sqlite3.Connection.executescript, 1)

    @wraps(sqlite3.Connection.cursor)
    def cursor(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Give a cursor of the class that is asked for, with spans."""
        if _tracing.cursors is None:
            pass
        elif args:
            args = (with_spans(args[0], CURSORS), *args[1:])
        elif not kwargs or "factory" in kwargs:  # another keyword is an error, in sqlite3's words
            kwargs["factory"] = with_spans(kwargs.get("factory", sqlite3.Cursor), CURSORS)
        return super().cursor(*args, **kwargs)


_METHODS = ("execute", "executemany", "executescript")
CURSORS = Family(sqlite3.Cursor, TracedCursor, _METHODS, _around)
CONNECTIONS = Family(sqlite3.Connection, TracedConnection, _METHODS, _around)


def instrument(instrumentor: Any, options: dict[str, Any]) -> Callable[[], None]:
    """Turn upstream's on, which then knows that it is, and put our connections before its proxies."""
    from opentelemetry.instrumentation import dbapi  # noqa: PLC0415 - only where sqlite3 is instrumented

    instrumentor.instrument(skip_dep_check=True, **options)
    undo = ExitStack()
    undo.callback(instrumentor.uninstrument)
    undo.callback(correct_cursors())
    number = version("opentelemetry-instrumentation-sqlite3")
    integration = dbapi.DatabaseApiIntegration(_SCOPE, "sqlite", {}, version=number, **options)
    integration.get_connection_attributes(None)
    tracer: Any = dbapi.CursorTracer(integration)
    _tracing.cursors = tracer
    undo.callback(_end, tracer)
    make = partial(_connect, is_on=lambda: instrumentor.is_instrumented_by_opentelemetry)
    undo.callback(replace(sqlite3, "connect", make))
    undo.callback(replace(type(instrumentor), "instrument_connection", _instrument_connection))
    undo.callback(_share_connect())
    return undo.close


def _end(tracer: Any) -> None:
    if _tracing.cursors is tracer:  # unless somebody turned it on once more
        _tracing.cursors = None


def _connect(replacement: Replacement, *, is_on: Callable[[], bool]) -> Method:
    upstream = replacement.original
    plain = getattr(upstream, "__wrapped__", upstream)

    @wraps(plain)
    def connect(*args: Any, **kwargs: Any) -> Any:
        if not replacement.active or not is_on():
            return upstream(*args, **kwargs)
        given = args[_FACTORY_AT] if len(args) > _FACTORY_AT else kwargs.get("factory", sqlite3.Connection)
        if type(given) is Left or opened_by_sqlalchemy():
            return plain(*args, **kwargs)
        factory = with_spans(given, CONNECTIONS)
        if len(args) > _FACTORY_AT:
            args = (*args[:_FACTORY_AT], factory, *args[_FACTORY_AT + 1 :])
        else:
            kwargs["factory"] = factory
        return _with_class(plain(*args, **kwargs))

    connect.__module__ = "sqlite3"  # where it is found when it is pickled
    return connect


def _share_connect() -> Callable[[], None]:
    """Make ``sqlite3.dbapi2.connect`` the same function as ``sqlite3.connect`` is; gives what takes that back."""
    before, ours = sqlite3.dbapi2.connect, sqlite3.connect
    sqlite3.dbapi2.connect = ours

    def take_back() -> None:
        if sqlite3.dbapi2.connect is ours:
            sqlite3.dbapi2.connect = before

    return take_back


def _instrument_connection(replacement: Replacement) -> Any:
    """Leave a connection that has spans as it is, as upstream leaves its own."""

    def instrument_connection(connection: Any, *args: Any, **kwargs: Any) -> Any:
        has_spans = _tracing.cursors is not None and isinstance(connection, TracedConnection)
        return connection if has_spans else replacement.original(connection, *args, **kwargs)

    return staticmethod(instrument_connection)


def _with_class(connection: Any) -> Any:
    """Give what a function of the application's made a class with spans, if Python lets its class change."""
    kind = type(connection)
    if not issubclass(kind, TracedConnection) and issubclass(kind, sqlite3.Connection):
        made = with_spans(kind, CONNECTIONS)
        with suppress(TypeError):
            object.__setattr__(connection, "__class__", made)
    return connection
