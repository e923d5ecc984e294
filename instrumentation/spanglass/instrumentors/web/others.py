"""ASGI frameworks that no instrumentation of OpenTelemetry's covers: Litestar, and Falcon's asynchronous half.

An application that brings OpenTelemetry itself, by Litestar's plugin or a middleware around it, is left to that.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import lru_cache, partial, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, get_current_span

from spanglass.guard import guarded, swallow
from spanglass.instrumentors.web.asgi import KINDS, serve
from spanglass.instrumentors.web.framework import nested
from spanglass.instrumentors.web.request import KEY
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.instrumentors.web.asgi import Message, Receive, Scope, Send
    from spanglass.instrumentors.web.framework import Framework

_SERVER_ERROR = 500
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.close", "websocket.http.response.start"})
#: Where releases of Litestar have the middleware that makes answers of exceptions.
_LITESTAR_EXCEPTIONS = ("litestar.middleware._internal.exceptions", "litestar.middleware.exceptions")


def litestar(framework: Framework) -> Callable[[], None]:
    """Instrument Litestar; gives what takes it back."""
    with ExitStack() as stack:
        owner = import_module("litestar.app").Litestar
        stack.callback(replace(owner, "__call__", lambda replaced: _called(framework, replaced, _has_plugin)))
        for name in _LITESTAR_EXCEPTIONS:
            with guarded("see exceptions of Litestar"):
                try:
                    middleware = import_module(name).ExceptionHandlerMiddleware
                except (ImportError, AttributeError):
                    continue
                stack.callback(replace(middleware, "handle_request_exception", _litestar_exception))
                break
        return stack.pop_all().close


def falcon_asgi(framework: Framework) -> Callable[[], None]:
    """Instrument Falcon's ASGI applications; gives what takes it back."""
    with ExitStack() as stack:
        owner = import_module("falcon.asgi.app").App
        stack.callback(replace(owner, "__call__", lambda replaced: _called(framework, replaced, lambda _app: False)))
        with guarded("see routes and exceptions of Falcon"):
            stack.callback(replace(owner, "_get_responder", _falcon_route))
            stack.callback(replace(owner, "_handle_exception", _falcon_exception))
        return stack.pop_all().close


def _called(framework: Framework, replaced: Replacement, has_own: Callable[[Any], bool]) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    async def called(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        if not replaced.active or scope["type"] not in KINDS or nested(scope) is not None or _is_others(self, has_own):
            await original(self, scope, receive, send)
            return
        await serve(framework, partial(_served, partial(original, self)), scope, receive, send)

    return called


def _is_others(app: Any, has_own: Callable[[Any], bool]) -> bool:
    span = get_current_span()
    if span.is_recording() and getattr(span, "kind", None) is SpanKind.SERVER:  # a middleware around the application
        return True
    try:
        return has_own(app)
    except Exception as error:  # noqa: BLE001 - nothing here may reach the application
        swallow("look at plugins of Litestar", error)
        return False


def _has_plugin(app: Any) -> bool:
    made = [type(plugin).__name__ for plugin in app.plugins]
    made += [getattr(getattr(each, "middleware", each), "__name__", "") for each in app.middleware]
    return any(name.startswith("OpenTelemetry") for name in made)


async def _served(app: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request, and tell what is known when its answer begins."""
    request = scope.get(KEY)

    async def told(message: Message) -> None:
        if request is not None and message["type"] in _STARTS:
            try:
                if template := scope.get("path_template"):  # Litestar's
                    request.routed(route_of(template))
                if request.raised is not None and message.get("status", 0) >= _SERVER_ERROR:
                    request.failed(request.raised)
            except Exception as error:  # noqa: BLE001 - nothing here may reach the application
                swallow("read an answer", error)
        await send(message)

    await app(scope, receive, told)


@lru_cache(1_024)
def route_of(template: str) -> str:
    """Return a route without its converters: ``/orders/{number:int}`` is ``/orders/{number}``."""
    return re.sub(r"\{\s*(\w+)\s*:[^{}]*\}", r"{\1}", template)


def _litestar_exception(replaced: Replacement) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    async def handle(self: Any, *args: Any, **kwargs: Any) -> Any:
        _raised(kwargs.get("scope"), kwargs.get("exc"))
        return await original(self, *args, **kwargs)

    return handle


def _falcon_exception(replaced: Replacement) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    async def handle(self: Any, req: Any, resp: Any, ex: BaseException, *args: Any, **kwargs: Any) -> Any:
        _raised(req.scope, ex)
        return await original(self, req, resp, ex, *args, **kwargs)

    return handle


def _raised(scope: Any, error: Any) -> None:
    """Note an exception that the framework makes an answer of; what the answer is decides what it means."""
    request = (scope or {}).get(KEY)
    if request is not None and isinstance(error, BaseException):
        request.raised = error


def _falcon_route(replaced: Replacement) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    def get_responder(self: Any, req: Any) -> Any:
        found = original(self, req)
        request = req.scope.get(KEY) if replaced.active else None
        if request is not None and found[-1]:
            request.routed(route_of(found[-1]))
        return found

    return get_responder
