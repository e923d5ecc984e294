"""gRPC servers: a handler that raises is an error, one that ends a call by ``abort`` is one only by its code.

Upstream leaves the status of a handler that raises unset and its code OK, tells its exception twice, and tells that by
which ``abort`` leaves a handler, too.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry.trace import Status, StatusCode

from spanglass.patching.patches import Replacement, replace
from spanglass.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy  # a subscript only for the type checker

_CODE = "rpc.grpc.status_code"
_OK, _UNKNOWN = 0, 2
#: What ``grpc.server`` and ``grpc.aio.server`` take, in this order.
_ARGUMENTS = ("thread_pool", "handlers", "interceptors", "options", "maximum_concurrent_rpcs", "compression", "xds")
_BEFORE_INTERCEPTORS = _ARGUMENTS.index("interceptors")


def sync(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:  # noqa: ARG001 - one signature for all
    """Turn the instrumentation of servers with threads on; gives what takes that back."""
    return _instrument(instrumentor, options, "grpc")


def asyncio(instrumentor: Any, options: dict[str, Any], *, late: bool) -> Callable[[], None]:  # noqa: ARG001 - as above
    """Turn the instrumentation of servers of asyncio on; gives what takes that back."""
    return _instrument(instrumentor, options, "grpc.aio")


def _instrument(instrumentor: Any, options: dict[str, Any], library: str) -> Callable[[], None]:
    instrumentor.instrument(skip_dep_check=True, **options)
    upstream = import_module("opentelemetry.instrumentation.grpc._server")
    context = upstream._OpenTelemetryServicerContext  # noqa: SLF001 - where abort() is told
    undo = ExitStack()
    undo.callback(instrumentor.uninstrument)
    undo.callback(replace(import_module(library), "server", _server))
    undo.callback(replace(upstream.OpenTelemetryServerInterceptor, "__init__", _interceptor))
    undo.callback(replace(context, "abort_with_status", _abort_with_status))
    undo.callback(replace(context, "disable_next_message_compression", _disable_compression))
    return undo.close


def _server(replacement: Replacement) -> Callable[..., Any]:
    """Pass by name what upstream only finds by name: with a positional list of interceptors it raises TypeError."""

    def server(*args: Any, **kwargs: Any) -> Any:
        named = dict(zip(_ARGUMENTS[_BEFORE_INTERCEPTORS:], args[_BEFORE_INTERCEPTORS:], strict=False))
        if len(args) > len(_ARGUMENTS) or named.keys() & kwargs:  # an error, in the library's words
            return replacement.original(*args, **kwargs)
        return replacement.original(*args[:_BEFORE_INTERCEPTORS], **named, **kwargs)

    return server


def _interceptor(replacement: Replacement) -> Callable[..., None]:
    def __init__(self: Any, tracer: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it replaces one
        replacement.original(self, _Tracer(tracer) if replacement.active else tracer, *args, **kwargs)

    return __init__


def _abort_with_status(replacement: Replacement) -> Callable[..., Any]:
    def abort_with_status(self: Any, status: Any) -> Any:
        if isinstance(self._active_span, _ServerSpan):
            self._active_span.end_with(status.code, status.details)
        return replacement.original(self, status)

    return abort_with_status


def _disable_compression(_replacement: Replacement) -> Callable[..., Any]:
    def disable_next_message_compression(self: Any) -> Any:  # upstream's asks an attribute that there is not
        return self._servicer_context.disable_next_message_compression()

    return disable_next_message_compression


class _Tracer:
    """Makes spans of calls that say how they ended."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer

    @contextmanager
    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with self._tracer.start_as_current_span(*args, **{**kwargs, "record_exception": False}) as span:
            told = _ServerSpan(span)
            try:
                yield told
            except Exception as error:
                told.fail(error)
                raise


class _ServerSpan(_Proxy):
    """The span of a call as upstream's interceptor sees it."""

    def __init__(self, span: Any) -> None:
        super().__init__(span)
        self._self_code = _OK

    def set_attribute(self, key: str, value: Any) -> None:
        """Keep the code of the answer, too."""
        if key == _CODE:
            self._self_code = value
        self.__wrapped__.set_attribute(key, value)

    def record_exception(self, *_args: Any, **_kwargs: Any) -> None:
        """Leave that to ``fail``, which knows what is an error."""

    def end_with(self, code: Any, details: Any) -> None:
        """Tell the code that a handler ends its call with."""
        self.set_attribute(_CODE, code.value[0])
        utilities = import_module("opentelemetry.instrumentation.grpc._utilities")
        self.__wrapped__.set_status(utilities._server_status(code, details))  # noqa: SLF001 - the conventions' table

    def fail(self, error: Exception) -> None:
        """Tell an exception that leaves the handler; by then the code is that of the answer, unless it is none."""
        if self._self_code != _OK and _is_abort(error):
            return
        self.__wrapped__.record_exception(error)
        if self._self_code == _OK:
            self.set_attribute(_CODE, _UNKNOWN)
            self.__wrapped__.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {text_of(error)}"))


def _is_abort(error: Exception) -> bool:
    """Whether ``abort`` has raised it: ``Exception()`` in threads, and a class of its own with asyncio."""
    return (type(error) is Exception and not error.args) or type(error).__name__ == "AbortError"
