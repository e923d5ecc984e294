"""Generators with a span that is current while their body runs, and not while whoever iterates over them does.

The span stands in the context during each step only. What the body itself made current, such as a span around a
``yield``, is put aside between the steps and is back in the next one. Only OpenTelemetry's context variable is
touched: others leak between body and consumer, as Python has it, and applications rely on that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as context_api
from opentelemetry import trace

from spanglass.api.spans import leave

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
    from types import TracebackType

    from opentelemetry.context import Context

    from spanglass.api.decorator import TracedFunction
    from spanglass.api.spans import SpanHandle

__all__ = ["ASYNC_GENERATOR", "GENERATOR", "AsyncSteps", "steps"]


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


#: Generator functions: the steps are those of ``steps``.
GENERATOR = """
def made({head}):
    return (yield from spanglass_steps({args}, {kwargs}))
"""

#: Asynchronous ones can't delegate to another, so the loop stands in each.
ASYNC_GENERATOR = """
async def made({head}):
    spanglass_steps = spanglass_begin({args}, {kwargs})
    try:
        while True:
            try:
                spanglass_item = await spanglass_steps.next()
            except StopAsyncIteration:
                return
            try:
                spanglass_steps.send((yield spanglass_item))
            except GeneratorExit:
                await spanglass_steps.close()
                raise
            except BaseException as spanglass_error:
                spanglass_steps.throw(spanglass_error)
    except BaseException as spanglass_error:
        spanglass_steps.handle.left_by(spanglass_error)
        raise
    finally:
        spanglass_steps.handle.end()
"""


def steps(traced: TracedFunction, function: Callable[..., Generator[Any, Any, Any]]) -> Callable[..., Any]:
    """Make what runs the body of one call of a generator function. The steps are those of ``yield from`` (PEP 380)."""

    def run(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Generator[Any, Any, Any]:
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
        except BaseException as error:
            handle.left_by(error)
            raise
        finally:
            handle.end()

    return run


class AsyncSteps:
    """The body of one call of an asynchronous generator function, step by step."""

    def __init__(
        self,
        traced: TracedFunction,
        function: Callable[..., AsyncGenerator[Any, Any]],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._body = function(*args, **kwargs)
        self.handle = traced.begin(args, kwargs)
        self._step = _Step(self.handle)
        self._resume: Callable[[Any], Any] = self._body.asend
        self._given: Any = None

    async def next(self) -> Any:
        """Run the body to its next item."""
        with self._step:
            return await self._resume(self._given)

    def send(self, given: Any) -> None:
        """Give the body a value in its next step."""
        self._given, self._resume = given, self._body.asend

    def throw(self, error: BaseException) -> None:
        """Give the body an exception in its next step: whatever is thrown in belongs to it."""
        self._given, self._resume = error, self._body.athrow

    async def close(self) -> None:
        """Close the body."""
        with self._step:
            await self._body.aclose()
