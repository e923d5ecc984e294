"""What upstream's tracers of cursors do wrong: names, and cursors that stay open after an error.

Spans and metrics are named after a statement's operation, however it begins. Upstream takes the first word: ``--`` of a
comment, ``SELECT('secret')`` with its literal, and IndexError out of ``execute()`` for a text of blanks. And it keeps
an exception in a variable, a cycle that holds the cursor, with its locks, until the garbage collector comes by.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from spanglass.instrumentors.databases.execution import Plans, execute
from spanglass.patching.patches import Replacement, replace
from spanglass_core.query_summary import query_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def correct_cursors() -> Callable[[], None]:
    """Correct the tracers of all instrumentations of drivers that are imported; gives what takes it back."""
    from opentelemetry.instrumentation.dbapi import CursorTracer  # noqa: PLC0415 - only where a driver is instrumented

    undo = ExitStack()
    tracer: type
    for tracer in (CursorTracer, *_subclasses(CursorTracer)):
        for name, make in _CORRECTIONS.items():
            if name in vars(tracer) and vars(tracer)[name] not in _corrections:  # once for all drivers
                undo.callback(replace(tracer, name, partial(_remembered, make)))
    return undo.close


#: The methods that are in use. One that is taken back is forgotten with its class's reference.
_corrections: WeakSet[Any] = WeakSet()


def _remembered(make: Callable[[Replacement], Any], replacement: Replacement) -> Any:
    made = make(replacement)
    _corrections.add(made)
    return made


def _subclasses(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def _statement(replacement: Replacement) -> Callable[..., str]:
    def get_statement(self: Any, cursor: Any, args: Any) -> str:
        statement = args[0] if args else ""
        if isinstance(statement, str):
            return statement
        try:
            found = _composed(statement, cursor) if replacement.active else None
            return replacement.original(self, cursor, args) if found is None else found
        except Exception:  # noqa: BLE001 - composed for a connection that is closed: execute() has its own word for it
            return ""

    return get_statement


def _composed(statement: Any, cursor: Any) -> str | None:
    """Return what psycopg's ``sql.SQL`` and the like, or bytes, say; None for what upstream knows better."""
    if isinstance(statement, (bytes, bytearray)):
        return statement.decode(errors="replace")
    if hasattr(statement, "as_string"):
        return str(statement.as_string(cursor))
    return None


def _operation(replacement: Replacement) -> Callable[..., str]:
    def get_operation_name(self: Any, cursor: Any, args: Any) -> str:
        if not replacement.active:
            return str(replacement.original(self, cursor, args))
        statement = self.get_statement(cursor, args)
        return query_operation(statement) if isinstance(statement, str) else ""

    return get_operation_name


def _executed(replacement: Replacement) -> Callable[..., Any]:
    original: Any = replacement.original
    plans = Plans()

    def traced_execution(self: Any, cursor: Any, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if replacement.active:
            plan = plans.find(self, cursor, args)
            if plan is not None:
                return execute(self, plan, cursor, call, args, kwargs)
        try:
            return original(self, cursor, call, *args, **kwargs)
        except BaseException as error:
            _release(error, original.__code__)
            raise

    return traced_execution


def _released_async(replacement: Replacement) -> Callable[..., Any]:
    original: Any = replacement.original

    async def traced_execution_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await original(self, *args, **kwargs)
        except BaseException as error:
            _release(error, original.__code__)
            raise

    return traced_execution_async


def _release(error: BaseException, code: Any) -> None:
    """Empty upstream's frame, which has ended, of its reference to the exception."""
    trace = error.__traceback__
    inner = trace.tb_next if trace else None
    if inner and inner.tb_frame.f_code is code:
        with suppress(RuntimeError):
            inner.tb_frame.clear()


_CORRECTIONS = {
    "get_statement": _statement,
    "get_operation_name": _operation,
    "traced_execution": _executed,
    "traced_execution_async": _released_async,
}
