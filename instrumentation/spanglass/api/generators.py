"""Generators with a span that is current while their body runs, and not while whoever iterates over them does.

The span stands in the context during each step only. What the body itself made current, such as a span around a
``yield``, is put aside between the steps and is back in the next one. Only OpenTelemetry's context variable is
touched: others leak between body and consumer, as Python has it, and applications rely on that.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry import trace

from spanglass.api.spans import leave

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import TracebackType

    from opentelemetry.context import Context

    from spanglass.api.decorator import TracedFunction
    from spanglass.api.spans import SpanHandle

__all__ = ["traced_async_generator", "traced_generator"]


class _Step:
    """``with step:`` around each step of one generator."""

    __slots__ = ("_handle", "_outside", "_token", "inside")

    def __init__(self, handle: SpanHandle) -> None:
        self._handle = handle
        self.inside: Context = trace.set_span_in_context(handle.otel)

    def __enter__(self) -> None:
        self._outside = context_api.get_current()
        self._token = context_api.attach(self.inside)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.inside = context_api.get_current()
        leave(self._token, self._outside, self._handle.otel)


def traced_generator(
    traced: TracedFunction, function: Callable[..., Generator[Any, Any, Any]]
) -> Callable[..., Generator[Any, Any, Any]]:
    """Wrap a generator function. The steps are those of ``yield from`` (PEP 380)."""

    @functools.wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        body = function(*args, **kwargs)
        handle = traced.begin(args, kwargs)
        step = _Step(handle)
        resume: Callable[[Any], Any] = body.send
        given: Any = None
        try:
            while True:
                try:
                    with step:
                        item = resume(given)
                except StopIteration as stop:
                    traced.returned(handle, stop.value)
                    return stop.value
                try:
                    given = yield item
                    resume = body.send
                except GeneratorExit:
                    with step:
                        body.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - whatever is thrown in belongs to the body
                    given, resume = error, body.throw
        except Exception as error:
            handle.record(error)
            raise
        finally:
            handle.end()

    return generate


def traced_async_generator(
    traced: TracedFunction, function: Callable[..., AsyncGenerator[Any, Any]]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Wrap an asynchronous generator function."""

    @functools.wraps(function)
    async def generate(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        body = function(*args, **kwargs)
        handle = traced.begin(args, kwargs)
        step = _Step(handle)
        resume: Callable[[Any], Any] = body.asend
        given: Any = None
        try:
            while True:
                try:
                    with step:
                        item = await resume(given)
                except StopAsyncIteration:
                    return
                try:
                    given = yield item
                    resume = body.asend
                except GeneratorExit:
                    with step:
                        await body.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - whatever is thrown in belongs to the body
                    given, resume = error, body.athrow
        except Exception as error:
            handle.record(error)
            raise
        finally:
            handle.end()

    return generate
