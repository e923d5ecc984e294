"""Flask: every application, whenever it was made, by its class's own methods."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial, wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any

from opentelemetry.semconv.attributes import client_attributes as client
from opentelemetry.semconv.attributes import server_attributes as server
from opentelemetry.semconv.attributes import url_attributes as url

from spanglass.guard import swallow
from spanglass.instrumentors.web import wsgi
from spanglass.instrumentors.web.framework import nested
from spanglass.instrumentors.web.request import KEY, ServerRequest
from spanglass.instrumentors.web.starlette import MARK
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from spanglass.instrumentors.web.framework import Framework

_STREAMS = "spanglass.streams"  # in the environ: whether the response is a generator, as far as Flask knows

_CLOSING = "ClosingIterator"  # Werkzeug's, which every body is in
_CLIENT_ERROR = 400
#: Packages whose bodies only pass on what is inside.
_PASSING = frozenset({"werkzeug", "sentry_sdk"})
#: What Werkzeug's ProxyFix keeps there when it has put in what a proxy says of the client and the host.
_PROXY_FIX = "werkzeug.proxy_fix.orig"
_BEHIND_PROXY = (client.CLIENT_ADDRESS, server.SERVER_ADDRESS, server.SERVER_PORT, url.URL_SCHEME)


def flask(framework: Framework) -> Callable[[], None]:
    """Instrument Flask; gives what takes it back."""
    owner = import_module("flask").Flask
    with ExitStack() as stack:
        stack.callback(replace(owner, "__call__", lambda replaced: _called(framework, replaced)))
        stack.callback(replace(owner, "full_dispatch_request", _dispatched))
        stack.callback(replace(owner, "handle_exception", _handled))
        return stack.pop_all().close


def _called(framework: Framework, replaced: Replacement) -> Callable[..., Any]:
    original = replaced.original

    @wraps(original)
    def called(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if not replaced.active or getattr(self, MARK, False) or nested(environ) is not None:
            return original(self, environ, start_response)
        return wsgi.serve(framework, partial(original, self), environ, start_response, _streams)

    return called


def _dispatched(replaced: Replacement) -> Callable[..., Any]:
    """The request context is there, and the URL is matched; middlewares around Flask have done what they do."""
    original = replaced.original
    globals_ = import_module("flask.globals")

    @wraps(original)
    def full_dispatch_request(self: Any, *context: Any) -> Any:
        request = None
        try:
            flask_request = globals_.request
            environ = flask_request.environ
            request = environ.get(KEY)
            if request is not None:
                _tell(request, environ, flask_request.url_rule)
        except Exception as error:  # noqa: BLE001 - nothing here may reach the application
            swallow("read a route", error)
        response = original(self, *context)
        if request is not None:
            environ[_STREAMS] = _is_generated(response)
        return response

    return full_dispatch_request


def _is_generated(response: Any) -> bool | None:
    """Whether the body is an iterator; None if a server may have a way of its own to send it, such as a file.

    The body of Flask's error pages is an iterator too: they are run as applications.
    """
    if response is None or not getattr(response, "is_streamed", True):
        return False
    if response.direct_passthrough:
        return None
    error_page = response.status_code >= _CLIENT_ERROR and type(response.response).__name__ == _CLOSING
    return not error_page


def _tell(request: ServerRequest, environ: dict[str, Any], rule: Any) -> None:
    if rule is not None:
        prefix = environ.get("SCRIPT_NAME", "") if request.prefix is None else request.prefix
        request.routed(prefix.rstrip("/") + rule.rule)
    if _PROXY_FIX in environ and request.span.is_recording():
        seen = wsgi.attributes_of(environ)
        request.span.set_attributes({key: seen[key] for key in _BEHIND_PROXY if key in seen})


def _handled(replaced: Replacement) -> Callable[..., Any]:
    """An exception that no handler of the application takes; Flask logs it, raises it or makes a 500 of it."""
    original = replaced.original
    globals_ = import_module("flask.globals")

    @wraps(original)
    def handle_exception(self: Any, *arguments: Any) -> Any:
        response = None
        try:
            response = original(self, *arguments)
            return response
        finally:
            try:
                environ = globals_.request.environ
                request = environ.get(KEY)
                if request is not None:
                    environ[_STREAMS] = _is_generated(response)
                    request.failed(arguments[-1])
            except Exception as error:  # noqa: BLE001 - nothing here may reach the application
                swallow("record the exception of a request", error)

    return handle_exception


def _streams(environ: dict[str, Any], body: Iterable[bytes]) -> bool:
    """Whether code may run while the body is read: of a generator, or of a middleware around Flask."""
    streams = environ.get(_STREAMS, True)
    if streams is None:
        return False
    return streams or type(body).__module__.partition(".")[0] not in _PASSING
