"""``@trace``: a span for each call of a function, coroutine, generator or asynchronous generator."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar, overload

from opentelemetry import trace as otel_trace

from spanglass.api.alike import alike, around, is_plain_function
from spanglass.api.captured import ArgumentReader, captured_result
from spanglass.api.generators import ASYNC_GENERATOR, GENERATOR, AsyncSteps, steps
from spanglass.api.spans import SpanHandle, begin
from spanglass.errors import TracingError
from spanglass.values import attributes_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.util.types import AnyValue

    from spanglass.api.spans import Kind

    Function = TypeVar("Function", bound=Callable[..., Any] | staticmethod[..., Any] | classmethod[Any, ..., Any])

__all__ = ["TracedFunction", "trace"]


class TracedFunction:
    """What one decorated function's spans have in common: found once, when it is decorated."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        kind: Kind,
        attributes: Mapping[str, AnyValue],
        *,
        capture_args: bool | Sequence[str],
        capture_result: bool,
        record_exceptions: bool,
    ) -> None:
        self.name = name or _name_of(function)
        self._kind = kind
        self._record_exceptions = record_exceptions
        self._capture_result = capture_result
        self._arguments = ArgumentReader(function, chosen=capture_args) if capture_args else None
        self._attributes = {**_code_attributes(function), **attributes}

    def begin(self, args: Sequence[object], kwargs: Mapping[str, object]) -> SpanHandle:
        """Start the span of one call."""
        started = begin(self.name, kind=self._kind, attributes=self._attributes)
        if self._arguments is not None and started.is_recording():
            started.set_attributes(self._arguments.read(args, kwargs))
        return SpanHandle(started, self.name, record_exceptions=self._record_exceptions)

    def returned(self, handle: SpanHandle, result: object) -> None:
        """Keep what the call returned, if asked to."""
        if self._capture_result and handle.otel.is_recording():
            handle.otel.set_attributes(captured_result(result))


@overload
def trace(function: Function, /) -> Function: ...


@overload
def trace(
    name: str | None = None,
    /,
    *,
    kind: Kind = ...,
    capture_args: bool | Sequence[str] = ...,
    capture_result: bool = ...,
    record_exceptions: bool = ...,
    attributes: Mapping[str, object] | None = ...,
) -> Callable[[Function], Function]: ...


def trace(
    first: Any = None,
    /,
    *,
    kind: Kind = otel_trace.SpanKind.INTERNAL,
    capture_args: bool | Sequence[str] = False,
    capture_result: bool = False,
    record_exceptions: bool = True,
    attributes: Mapping[str, object] | None = None,
) -> Any:
    """Trace a function: ``@trace``, or ``@trace("name", capture_args=("amount",), capture_result=True)``.

    The span is named after the function unless ``name`` says otherwise, and has ``code.function.name``,
    ``code.file.path`` and ``code.line.number``. ``capture_args`` is True for all arguments, or their names; what is
    captured is cut after 1024 characters. What is traced stays what it was: a function of its kind with its
    parameters, an object with all that it has. A generator's span lasts from its first step to its end, and is current
    only while its body runs. ``TracingError`` if there is no such argument.
    """

    def decorate(function: Any) -> Any:
        if isinstance(function, staticmethod | classmethod):
            return type(function)(decorate(function.__func__))
        if type(function) is functools.partial and is_plain_function(function.func):
            return functools.partial(decorate(function.func), *function.args, **function.keywords)
        if not callable(function) or inspect.isclass(function):
            raise TracingError(f"{function!r} is no function: put @trace on functions and methods")
        name = first if isinstance(first, str) else ""
        made = TracedFunction(
            function,
            name,
            kind,
            attributes_of(attributes, {}) or {},
            capture_args=capture_args,
            capture_result=capture_result,
            record_exceptions=record_exceptions,
        )
        return _wrapped(made, function)

    return decorate if first is None or isinstance(first, str) else decorate(first)


_COROUTINE = """
async def made({head}):
    with spanglass_begin({args}, {kwargs}) as spanglass_handle:
        spanglass_result = await spanglass_function({passed})
        spanglass_returned(spanglass_handle, spanglass_result)
        return spanglass_result
"""


def _wrapped(traced: TracedFunction, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make what is called instead: of the same kind, with the same parameters."""
    if not is_plain_function(function):
        return around(function, _wrapped(traced, function.__call__))  # type: ignore[operator] # what mypy thinks it is
    if inspect.isasyncgenfunction(function):
        return alike(function, ASYNC_GENERATOR, spanglass_begin=functools.partial(AsyncSteps, traced, function))
    if inspect.isgeneratorfunction(function):
        return alike(function, GENERATOR, spanglass_steps=steps(traced, function))
    if inspect.iscoroutinefunction(function):
        return alike(function, _COROUTINE, spanglass_begin=traced.begin, spanglass_returned=traced.returned)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with traced.begin(args, kwargs) as handle:
            result = function(*args, **kwargs)
            traced.returned(handle, result)
            return result

    return call


def _name_of(function: Callable[..., Any]) -> str:
    """Return the qualified name; a partial has that of its function."""
    function = getattr(function, "func", function)
    name: str = getattr(function, "__qualname__", type(function).__qualname__)
    return name


def _code_attributes(function: Callable[..., Any]) -> dict[str, AnyValue]:
    """Return where the function is; what is written in C has no file and no line."""
    found: dict[str, AnyValue] = {"code.function.name": f"{function.__module__}.{_name_of(function)}"}
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is not None:
        found["code.file.path"] = text_of(code.co_filename)
        found["code.line.number"] = code.co_firstlineno
    return found
