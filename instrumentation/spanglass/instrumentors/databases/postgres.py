"""psycopg and psycopg2: the application's own classes of connections and cursors stay in use, with spans.

Upstream passes a ``cursor_factory`` to ``connect``, which displaces the one that a class of connections sets itself,
such as psycopg2's ``RealDictConnection``, and fails for one that is no class. And a cursor of psycopg2 for which a
class is given has no spans.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from spanglass.guard import guarded
from spanglass.instrumentors.databases.subclasses import Family, with_spans
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    Method = Callable[..., Any]

_FACTORIES_AT = 1  # position of ``connection_factory`` in psycopg2.connect, and of ``cursor_factory`` in cursor()


def correct_connections(driver: str) -> Callable[[], None]:
    """Correct how a driver's connections get their spans; gives what takes that back. Others are left as they are."""
    undo = ExitStack()
    if driver == "psycopg":
        upstream: Any = import_module("opentelemetry.instrumentation.psycopg")
        for kind, make in (
            (upstream.DatabaseApiIntegration, partial(_connect, make=upstream._new_cursor_factory)),  # noqa: SLF001 - its only hooks
            (upstream.DatabaseApiAsyncIntegration, partial(_connect_async, make=upstream._new_cursor_async_factory)),  # noqa: SLF001
        ):
            undo.callback(replace(kind, "wrapped_connection", make))
    elif driver == "psycopg2":
        upstream = import_module("opentelemetry.instrumentation.psycopg2")
        families = _Psycopg2(upstream.CursorTracer)
        undo.callback(replace(upstream.DatabaseApiIntegration, "wrapped_connection", families.connecting))
    return undo.close


def _connect(replacement: Replacement, *, make: Method) -> Method:
    def wrapped_connection(self: Any, connect: Method, args: Any, kwargs: Any) -> Any:
        if not replacement.active:
            return replacement.original(self, connect, args, kwargs)
        connection = connect(*args, **kwargs)
        _give_cursors_spans(self, connection, make)
        return connection

    return wrapped_connection


def _connect_async(replacement: Replacement, *, make: Method) -> Method:
    async def wrapped_connection(self: Any, connect: Method, args: Any, kwargs: Any) -> Any:
        if not replacement.active:
            return await replacement.original(self, connect, args, kwargs)
        connection = await connect(*args, **kwargs)
        _give_cursors_spans(self, connection, make)
        return connection

    return wrapped_connection


def _give_cursors_spans(integration: Any, connection: Any, make: Method) -> None:
    """Put upstream's class of cursors in the place of the one that a connection has come to use."""
    with guarded("instrument a connection of psycopg"):
        integration.get_connection_attributes(connection)
        used = connection.cursor_factory
        if isinstance(used, type):
            made = make(db_api=integration, base_factory=used)
            for name in ("__name__", "__qualname__", "__module__", "__doc__"):
                setattr(made, name, getattr(used, name))
            if not hasattr(used, "callproc"):
                del made.callproc
            connection.cursor_factory = made


class _Psycopg2:
    """The classes of psycopg2 with spans. Connections are known by weak reference, for they may have no attributes."""

    def __init__(self, tracer: Callable[[Any], Any]) -> None:
        extensions: Any = import_module("psycopg2.extensions")
        self._make_tracer = tracer
        self._tracers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        methods = {name: self._around(getattr(extensions.cursor, name)) for name in _STATEMENTS}
        traced = type("cursor", (extensions.cursor,), {"__slots__": (), **methods})
        self._cursors = Family(extensions.cursor, traced, _STATEMENTS, self._around)
        opening = {"__slots__": (), "cursor": self._opening(extensions.connection.cursor)}
        self._connections = Family(
            extensions.connection, type("connection", (extensions.connection,), opening), ("cursor",), self._opening
        )

    def connecting(self, replacement: Replacement) -> Method:
        """Return what upstream's integration does to make a connection."""

        def wrapped_connection(integration: Any, connect: Method, args: Any, kwargs: Any) -> Any:
            if not replacement.active:
                return replacement.original(integration, connect, args, kwargs)
            default = self._connections.driver
            connection = connect(
                *_with_factory(args, kwargs, "connection_factory", default, self._connections), **kwargs
            )
            with guarded("instrument a connection of psycopg2"):
                integration.get_connection_attributes(connection)
                self._tracers[connection] = self._make_tracer(integration)
            return connection

        return wrapped_connection

    def _around(self, method: Method) -> Method:
        @wraps(method)
        def run(cursor: Any, *args: Any, **kwargs: Any) -> Any:
            tracer = self._tracers.get(cursor.connection)
            if tracer is None:
                return method(cursor, *args, **kwargs)
            return tracer.traced_execution(cursor, partial(method, cursor), *args, **kwargs)

        return run

    def _opening(self, method: Method) -> Method:
        @wraps(method)
        def cursor(connection: Any, *args: Any, **kwargs: Any) -> Any:
            if connection in self._tracers:
                default = connection.cursor_factory or self._cursors.driver
                args = _with_factory(args, kwargs, "cursor_factory", default, self._cursors)
            return method(connection, *args, **kwargs)

        return cursor


_STATEMENTS = ("execute", "executemany", "callproc")


def _with_factory(args: Any, kwargs: dict[str, Any], name: str, default: Any, family: Family) -> tuple[Any, ...]:
    """Return the arguments with a factory whose objects have spans, in place of the one that is among them."""
    if len(args) > _FACTORIES_AT:
        factory = with_spans(args[_FACTORIES_AT] or default, family)
        return (*args[:_FACTORIES_AT], factory, *args[_FACTORIES_AT + 1 :])
    kwargs[name] = with_spans(kwargs.get(name) or default, family)
    return tuple(args)
