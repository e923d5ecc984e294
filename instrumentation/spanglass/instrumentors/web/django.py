"""Django: every handler, whenever it was made, by the methods that WSGI, ASGI and the test client have in common.

The settings are not touched. What Django logs of an answer, such as "Not Found", comes within the request.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from functools import wraps
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, detach, get_current
from opentelemetry.instrumentation.utils import extract_attributes_from_object
from opentelemetry.util.http import get_traced_request_attrs

from spanglass.guard import swallow
from spanglass.instrumentors.web import asgi, wsgi
from spanglass.instrumentors.web.framework import nested
from spanglass.instrumentors.web.request import KEY
from spanglass.instrumentors.web.wsgi import Body, InBody
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from spanglass.instrumentors.web.framework import Framework
    from spanglass.instrumentors.web.request import ServerRequest

_UPSTREAM = "opentelemetry.instrumentation.django"
_SWITCH = "OTEL_PYTHON_DJANGO_INSTRUMENT"
#: Routes of the index page, as ``path()`` and ``re_path()`` have them.
_INDEX = frozenset({"", "^$"})


def django(framework: Framework) -> Callable[[], None]:
    """Instrument Django; gives what takes it back."""
    if os.environ.get(_SWITCH) == "False":
        return lambda: None
    owner = import_module("django.core.handlers.base").BaseHandler
    failing = import_module("django.core.signals").got_request_exception
    hooks = _Hooks(framework)
    with ExitStack() as stack:
        stack.callback(replace(owner, "get_response", hooks.get_response))
        stack.callback(replace(owner, "get_response_async", hooks.get_response_async))
        stack.callback(replace(owner, "resolve_request", _resolve_request))
        failing.connect(_failing, weak=False, dispatch_uid=KEY)
        stack.callback(failing.disconnect, dispatch_uid=KEY)
        return stack.pop_all().close


def _carrier(request: Any) -> Any:
    scope = getattr(request, "scope", None)
    return scope if isinstance(scope, dict) else request.META


def _resolve_request(replaced: Replacement) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    def resolve_request(self: Any, request: Any) -> Any:
        match = original(self, request)
        try:
            served = _carrier(request).get(KEY)
            if served is not None:
                _tell(served, request, match)
        except Exception as error:  # noqa: BLE001 - nothing here may reach the application
            swallow("read a route", error)
        return match

    return resolve_request


def _tell(served: ServerRequest, request: Any, match: Any) -> None:
    route = match.route
    prefix = _carrier(request).get("SCRIPT_NAME", "") if served.prefix is None else served.prefix
    if prefix:
        served.routed(f"{prefix.rstrip('/')}/{'' if route in _INDEX else route}")
    else:
        served.routed("/" if route in _INDEX else route)


def _failing(request: Any = None, **_: Any) -> None:
    """Note what Django is about to make a 500 of. It is told when Django has logged it, by that record."""
    try:
        served = _carrier(request).get(KEY) if request is not None else None
        if served is not None:
            served.raised = sys.exception()
    except Exception as error:  # noqa: BLE001 - nothing here may reach the application
        swallow("read the exception of a request", error)


class _Hooks:
    """Replacements of the handler's methods."""

    def __init__(self, framework: Framework) -> None:
        self._framework = framework
        self._traced = get_traced_request_attrs("DJANGO")

    def get_response(self, replaced: Replacement) -> Callable[..., Any]:
        """Make the one for WSGI."""
        original = replaced.original

        @wraps(original)
        def get_response(handler: Any, request: Any) -> Any:
            served = self._begin(request) if replaced.active else None
            if served is None:
                return original(handler, request)
            token = attach(served.context)
            try:
                response = original(handler, request)
                within = get_current()
            except BaseException as error:
                _broken(served, error)
                raise
            finally:
                detach(token)
            return self._answered(served, response, within)

        return get_response

    def get_response_async(self, replaced: Replacement) -> Callable[..., Any]:
        """Make the one for ASGI."""
        original = replaced.original

        @wraps(original)
        async def get_response_async(handler: Any, request: Any) -> Any:
            served = self._begin(request) if replaced.active else None
            if served is None:
                return await original(handler, request)
            token = attach(served.context)
            try:
                response = await original(handler, request)
                within = get_current()
            except BaseException as error:
                _broken(served, error)
                raise
            finally:
                detach(token)
            return self._answered(served, response, within)

        return get_response_async

    def _begin(self, request: Any) -> ServerRequest | None:
        try:
            carrier = _carrier(request)
            served: ServerRequest | None
            if nested(carrier) is not None or _is_upstreams():
                return None
            served = (wsgi if carrier is request.META else asgi).begin(self._framework, carrier)
            if served is not None and self._traced:
                _trace(served, request, self._traced)
        except Exception as error:  # noqa: BLE001 - nothing here may reach the application
            swallow("begin a request", error)
            return None
        return served

    def _answered(self, served: ServerRequest, response: Any, within: Context) -> Any:
        try:
            for name, value in self._framework.answered(served, response.status_code, lambda: list(response.items())):
                response[name] = value
            if served.raised is not None:
                served.failed(served.raised)
            if getattr(response, "streaming", False):
                _stream(served, response, within)
            else:
                served.end()
        except Exception as error:  # noqa: BLE001 - nothing here may reach the application
            served.end()
            swallow("read an answer", error)
        return response


def _broken(served: ServerRequest, error: BaseException) -> None:
    served.failed(error)
    served.end()


def _is_upstreams() -> bool:
    """Whether the application has turned OpenTelemetry's own instrumentation on, with options that then hold."""
    module = sys.modules.get(_UPSTREAM)
    return module is not None and bool(module.DjangoInstrumentor().is_instrumented_by_opentelemetry)


def _trace(served: ServerRequest, request: Any, names: list[str]) -> None:
    """Put attributes of Django's request on the span that OpenTelemetry's variable names."""
    found = extract_attributes_from_object(request, names)
    headers = getattr(request, "scope", {}).get("headers") or ()
    if headers:
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        found |= extract_attributes_from_object(SimpleNamespace(**given), names)
    served.span.set_attributes(found)


def _stream(served: ServerRequest, response: Any, within: Context) -> None:
    """Have the body run in the request, which ends when Django closes the response: at its end, or the client's."""
    closers = response._resource_closers  # noqa: SLF001 - what close() calls; there is no other way to see it
    if getattr(response, "file_to_stream", None) is not None:  # a server may have a faster way to send a file
        closers.append(served.end)
        return
    content = response.streaming_content
    body = (
        _AsyncBody(served, content, within) if getattr(response, "is_async", False) else Body(served, content, within)
    )
    response._iterator = body  # noqa: SLF001 - its setter would have close() close the body first
    closers.insert(0, body.enter)
    closers.append(body.ended)


class _AsyncBody(InBody):
    """As ``Body``, for an asynchronous iterator."""

    def __init__(self, request: ServerRequest, iterable: Any, within: Context) -> None:
        super().__init__(request, within)
        self._iterator = aiter(iterable)

    def __aiter__(self) -> _AsyncBody:
        return self

    async def __anext__(self) -> Any:
        self.enter()
        try:
            return await anext(self._iterator)
        except StopAsyncIteration:
            self.ended()
            raise
        except BaseException as error:
            self.broken(error)
            raise
        finally:
            self.leave()
