"""Engines of SQLAlchemy: how long statements take, and what they are named after.

Upstream has no duration of them, and its ``db.operation.name`` is ``select shop``: with the name of the database.
"""

from __future__ import annotations

from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import wrapt
from opentelemetry.trace import set_span_in_context
from sqlalchemy.engine import base

from spanglass.guard import guarded
from spanglass.patching.patches import Replacement, replace
from spanglass_core.query_summary import query_operation

if TYPE_CHECKING:
    from collections.abc import Callable

upstream: Any = import_module("opentelemetry.instrumentation.sqlalchemy.engine")  # which has no types

_SCOPE = "opentelemetry.instrumentation.sqlalchemy"
_NO_DATABASE = object()
_CALL = "_spanglass_call"  # where the context of an execution keeps it


class TimedEngineTracer(upstream.EngineTracer):  # type: ignore[misc]
    """Upstream's listeners of one engine, and the duration of its statements."""

    duration: Any

    def __init__(self, tracer: Any, engine: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(tracer, engine, *args, **kwargs)
        url = engine.url
        told = {
            "db.system.name": self.vendor,
            "db.namespace": url.database,
            "server.address": url.host,
            "server.port": url.port,
        }
        self._measured = {name: value for name, value in told.items() if value}
        if self._sem_conv_opt_in_mode_db.name != "DEFAULT":  # new names, or both
            self._register_event_listener(engine, "after_cursor_execute", self._succeeded)
            self._register_event_listener(engine, "handle_error", self._failed)

    def _before_cur_exec(self, conn: Any, cursor: Any, statement: Any, params: Any, context: Any, many: Any) -> Any:
        changed = super()._before_cur_exec(conn, cursor, statement, params, context, many)
        setattr(context, _CALL, (perf_counter(), query_operation(statement)))
        return changed

    def _succeeded(self, _conn: Any, _cursor: Any, _statement: Any, _params: Any, context: Any, _many: Any) -> None:
        self._record(context, None)

    def _failed(self, failure: Any) -> None:
        self._record(failure.execution_context, failure.original_exception)

    def _record(self, context: Any, error: BaseException | None) -> None:
        call = getattr(context, _CALL, None)
        if call is None:
            return
        delattr(context, _CALL)
        begin, operation = call
        attributes = dict(self._measured)
        if operation:
            attributes["db.operation.name"] = operation
        if error is not None:
            attributes["error.type"] = type(error).__qualname__
        span = getattr(context, "_otel_span", None)
        self.duration.record(
            perf_counter() - begin, attributes, context=None if span is None else set_span_in_context(span)
        )

    def _operation_name(self, db_name: Any, statement: Any) -> str:
        operation = query_operation(statement) if isinstance(statement, str) else ""
        if db_name is _NO_DATABASE:
            return operation
        return " ".join(filter(None, (operation, db_name))) or str(self.vendor)

    def _set_db_client_span_attributes(self, span: Any, statement: Any, db_name: Any, attrs: Any) -> None:  # noqa: ARG002 - upstream's signature
        super()._set_db_client_span_attributes(span, statement, _NO_DATABASE, attrs)


def time_engines(meter_provider: Any) -> Callable[[], None]:
    """Have upstream make tracers that measure, too; gives what takes that back."""
    duration = meter_provider.get_meter(_SCOPE).create_histogram(
        "db.client.operation.duration", "s", "Duration of database client operations."
    )
    made = type("EngineTracer", (TimedEngineTracer,), {"duration": duration})
    return replace(upstream, "EngineTracer", lambda _: made)


def trace_engines_made_before(tracer_provider: Any, meter_provider: Any) -> Callable[[], None]:
    """Instrument engines that upstream has not seen made, when they next connect; gives what takes that back.

    They were made before, or by a ``create_engine`` that was imported before.
    """
    known: WeakSet[Any] = WeakSet()
    tracer = tracer_provider.get_tracer(_SCOPE)
    usage = meter_provider.get_meter(_SCOPE).create_up_down_counter(
        "db.client.connections.usage",
        "connections",
        "The number of connections that are currently in state described by the state attribute.",
    )

    def connect(wrapped: Any, engine: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if engine not in known:
            known.add(engine)
            with guarded("instrument an engine of SQLAlchemy"):
                if not any(_seen_by_upstream(engine)):
                    upstream.EngineTracer(tracer, engine, usage)
        return wrapped(*args, **kwargs)

    def wrap(replacement: Replacement) -> Any:
        return wrapt.FunctionWrapper(replacement.original, connect)

    return replace(base.Engine, "connect", wrap)


def _seen_by_upstream(engine: Any) -> list[bool]:
    targets = (entry[0]() for entry in list(upstream.EngineTracer._remove_event_listener_params))  # noqa: SLF001 - its only list of engines
    return [target is engine for target in targets]
