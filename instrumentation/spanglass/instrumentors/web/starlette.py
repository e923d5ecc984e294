"""FastAPI and Starlette: every application, whenever it was made, by their classes' own methods.

The span is around all of the application, FastAPI's own telemetry and error pages included. Routes tell what they are
when they are about to be served, so mounted ones too; ``ExceptionMiddleware`` stands inside of the application's own
middlewares, which may run the rest in another task and learn of an exception only after the answer.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_value

from spanglass.exceptions.telling import report_unhandled
from spanglass.guard import swallow
from spanglass.instrumentors.web.asgi import KINDS, serve
from spanglass.instrumentors.web.framework import nested
from spanglass.instrumentors.web.request import KEY, ServerRequest
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass.instrumentors.web.asgi import Receive, Scope, Send
    from spanglass.instrumentors.web.framework import Framework

#: On an application that somebody has handed to OpenTelemetry's own instrumentation: its options hold, not ours.
MARK = "_is_instrumented_by_opentelemetry"
#: On ``BackgroundTask`` when that instrumentation has patched it.
_TASK_MARK = "_otel_original_call"
#: FastAPI's own telemetry leaves requests alone that have this in their scope.
_NATIVE = "fastapi.telemetry"


def fastapi(framework: Framework) -> Callable[[], None]:
    """Instrument FastAPI; gives what takes it back."""
    with ExitStack() as stack:
        owner = import_module("fastapi.applications").FastAPI
        stack.callback(replace(owner, "__call__", lambda replaced: _called(framework, replaced)))
        route = import_module("fastapi.routing").APIRoute
        if "handle" in vars(route):  # from 0.137; before, it is Starlette's
            stack.callback(replace(route, "handle", _included))
        stack.callback(_Inside.use())
        return stack.pop_all().close


def starlette(framework: Framework) -> Callable[[], None]:
    """Instrument Starlette, but not FastAPI's applications, which are its as well; gives what takes it back."""
    with ExitStack() as stack:
        owner = import_module("starlette.applications").Starlette
        stack.callback(replace(owner, "__call__", lambda replaced: _called(framework, replaced, but="fastapi")))
        stack.callback(_Inside.use())
        return stack.pop_all().close


class _Inside:
    """What is replaced inside of applications, once for both frameworks."""

    users = 0
    undo: Callable[[], None]

    @classmethod
    def use(cls) -> Callable[[], None]:
        """Replace it unless it is replaced; gives what ends this use."""
        if not cls.users:
            cls.undo = cls._replace()
        cls.users += 1
        return cls._leave

    @classmethod
    def _leave(cls) -> None:
        cls.users -= 1
        if not cls.users:
            cls.undo()

    @staticmethod
    def _replace() -> Callable[[], None]:
        with ExitStack() as stack:
            routing = import_module("starlette.routing")
            for owner in (routing.Route, routing.WebSocketRoute):
                stack.callback(replace(owner, "handle", _routed))
            stack.callback(replace(routing.Mount, "handle", lambda replaced: _routed(replaced, mount=True)))
            middleware = import_module("starlette.middleware.exceptions").ExceptionMiddleware
            stack.callback(replace(middleware, "__call__", _excepted))
            stack.callback(replace(import_module("starlette.background").BackgroundTask, "__call__", _background))
            return stack.pop_all().close


def _called(framework: Framework, replaced: Replacement, but: str = "") -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    async def called(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        if not replaced.active or scope["type"] not in KINDS or nested(scope) is not None or _is_others(self, but):
            await original(self, scope, receive, send)
            return
        scope[_NATIVE] = None
        await serve(framework, partial(original, self), scope, receive, send)

    return called


def _is_others(app: Any, but: str) -> bool:
    if getattr(app, MARK, False):
        return True
    return bool(but) and any(base.__module__.partition(".")[0] == but for base in type(app).__mro__)


def _routed(replaced: Replacement, *, mount: bool = False) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    async def handle(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        request = scope.get(KEY)
        if request is not None:
            _tell(request, scope, getattr(self, "path", ""), mount=mount)
        await original(self, scope, receive, send)

    return handle


def _included(replaced: Replacement) -> Callable[..., Any]:
    """FastAPI from 0.137 serves an included router's route with a context that knows its whole path."""
    original = replaced.original

    @wraps(original)
    async def handle(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        request = scope.get(KEY)
        own = scope.get("fastapi")
        context = own.get("effective_route_context") if isinstance(own, dict) else None
        if request is not None and getattr(context, "original_route", None) is self:
            _tell(request, scope, getattr(context, "path", ""))
        await original(self, scope, receive, send)

    return handle


def _tell(request: ServerRequest, scope: Scope, path: str, *, mount: bool = False) -> None:
    """Tell a request its route, below the root path that the server or the application has set."""
    try:
        if request.prefix is None:
            root = scope.get("app_root_path", "" if mount else scope.get("root_path", ""))
            request.prefix = root.rstrip("/")
        if mount:
            request.prefix += path
        request.routed((request.prefix if mount else request.prefix + path) or "/")
    except Exception as error:  # noqa: BLE001 - nothing here may reach the application
        swallow("read a route", error)


def _excepted(replaced: Replacement) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    async def called(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await original(self, scope, receive, send)
        except BaseException as error:
            request = scope.get(KEY)
            if request is not None:
                request.raised = error
                if request.ended:  # of a task behind the answer: some releases tell nobody
                    report_unhandled(error)
            raise

    return called


def _background(replaced: Replacement) -> Callable[..., Any]:
    """A task that follows an answer is a span of its request, which has ended."""
    original = replaced.original

    @wraps(original)
    async def called(self: Any) -> None:
        request = get_value(KEY)
        if not replaced.active or not isinstance(request, ServerRequest) or hasattr(type(self), _TASK_MARK):
            await original(self)
            return
        name = getattr(self.func, "__name__", type(self.func).__name__)
        with request.tracer.start_as_current_span(f"BackgroundTask {name}"):
            await original(self)

    return called
