"""A request of a WSGI application, from its environ to the end of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, detach, get_current, get_value
from opentelemetry.propagators.textmap import Getter
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.attributes import server_attributes as server
from opentelemetry.semconv.attributes import url_attributes as url
from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS, CLIENT_PORT
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.user_agent_attributes import USER_AGENT_ORIGINAL

from spanglass.guard import swallow
from spanglass.instrumentors.web.asgi import PORTS, SYNTHETIC, method_of, synthetic_of
from spanglass.instrumentors.web.framework import split_host
from spanglass.instrumentors.web.request import KEY
from spanglass.patching.patches import Replacement, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from opentelemetry.context import Context

    from spanglass.instrumentors.web.conventions import Attributes
    from spanglass.instrumentors.web.framework import Framework
    from spanglass.instrumentors.web.request import ServerRequest

    Environ = dict[str, Any]
    App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_HEADER = "HTTP_"
_CORRECTED = (server.SERVER_ADDRESS, server.SERVER_PORT, url.URL_PATH, url.URL_QUERY)


class EnvironGetter(Getter["Environ"]):
    """Reads headers of an environ."""

    def get(self, carrier: Environ, key: str) -> list[str] | None:
        """Return the value of a header."""
        value = carrier.get(_HEADER + key.upper().replace("-", "_"))
        return None if value is None else [value]

    def keys(self, carrier: Environ) -> list[str]:
        """Return the names of all headers."""
        return [_name(key) for key in carrier if key.startswith(_HEADER)]


GETTER = EnvironGetter()


def begin(framework: Framework, environ: Environ) -> ServerRequest | None:
    """Begin a request; None if it is to have no span, or if that fails."""
    try:
        if framework.excludes(lambda: _url(environ)):
            return None
        request = framework.begin(environ, GETTER, attributes_of(environ), environ.get("HTTP_HOST", ""))
        environ[KEY] = request
        if framework.captures_request_headers():
            found = {_name(key): [value] for key, value in environ.items() if key.startswith(_HEADER)}
            framework.received(request, found)
    except Exception as error:  # noqa: BLE001 - nothing here may reach the application
        swallow("begin a request", error)
        return None
    return request


def _name(key: str) -> str:
    return key[len(_HEADER) :].lower().replace("_", "-")


def attributes_of(environ: Environ) -> Attributes:
    """Return what an environ says of its request, under the new names."""
    scheme = environ.get("wsgi.url_scheme", "http")
    method = environ.get("REQUEST_METHOD", "GET")
    known = method_of(method)
    path = _text(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
    attributes: Attributes = {url.URL_SCHEME: scheme, url.URL_PATH: path or "/", http.HTTP_REQUEST_METHOD: known}
    if known != method:
        attributes[http.HTTP_REQUEST_METHOD_ORIGINAL] = method
    query = environ.get("QUERY_STRING")
    if query:
        attributes[url.URL_QUERY] = query
    listening = _number(environ.get("SERVER_PORT"))
    host = environ.get("HTTP_HOST", "")
    name, port = split_host(host) if host else (environ.get("SERVER_NAME", ""), listening)
    if name:
        attributes[server.SERVER_ADDRESS] = name
        attributes[server.SERVER_PORT] = port or PORTS.get(scheme) or listening or 0
    address, client_port = environ.get("REMOTE_ADDR"), _number(environ.get("REMOTE_PORT"))
    if address:
        attributes[CLIENT_ADDRESS] = address
        if client_port is not None:
            attributes[CLIENT_PORT] = client_port
    agent = environ.get("HTTP_USER_AGENT")
    if agent:
        attributes[USER_AGENT_ORIGINAL] = agent
        synthetic = synthetic_of(agent)
        if synthetic:
            attributes[SYNTHETIC] = synthetic
    protocol = environ.get("SERVER_PROTOCOL", "").upper().removeprefix("HTTP/")
    if protocol:
        attributes[NETWORK_PROTOCOL_VERSION] = protocol
    return attributes


def correct_upstream(module: ModuleType) -> Callable[[], None]:
    """Have OpenTelemetry's attributes of an environ, which other frameworks' instrumentations use, be whole too.

    With ``wsgiref`` and its like they lack the path under its new name, and their address has the port in it.
    """

    def make(replaced: Replacement) -> Callable[..., Any]:
        def collect(environ: Environ, *args: Any, **kwargs: Any) -> Any:
            found = replaced.original(environ, *args, **kwargs)
            if replaced.active and http.HTTP_REQUEST_METHOD in found:
                try:
                    ours = attributes_of(environ)
                    found.update({key: ours[key] for key in _CORRECTED if key in ours})
                except Exception as error:  # noqa: BLE001 - nothing here may reach the application
                    swallow("read a request", error)
            return found

        return collect

    return replace(module, "collect_request_attributes", make)


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None


def _text(path: str) -> str:
    """Read a path as UTF-8; an environ has its bytes one by one."""
    try:
        return path.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # a server or a test that has decoded it
        return path


def _url(environ: Environ) -> str:
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"
    query = environ.get("QUERY_STRING")
    path = _text(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{path}{'?' if query else ''}{query or ''}"


def serve(
    framework: Framework,
    app: App,
    environ: Environ,
    start_response: Callable[..., Any],
    streams: Callable[[Environ, Iterable[bytes]], bool],
) -> Iterable[bytes]:
    """Serve a request in a span, which ends with the body.

    ``streams`` says whether code of the application may run while the body is read. Where it can't the span ends at
    once, and the server gets the body as it is.
    """
    request = begin(framework, environ)
    if request is None:
        return app(environ, start_response)

    def started(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        try:
            headers = [*headers, *framework.answered(request, int(status[:3]), lambda: headers)]
        except Exception as error:  # noqa: BLE001 - nothing here may reach the application
            swallow("read an answer", error)
        return start_response(status, headers, *more)

    token = attach(request.context)
    try:
        result = app(environ, started)
        within = get_current()
    except BaseException as error:
        request.failed(error)
        request.end()
        raise
    finally:
        detach(token)
    if _is_at_hand(result, environ) or not streams(environ, result):
        request.end()
        return result
    return Body(request, result, within)


def _is_at_hand(result: Any, environ: Environ) -> bool:
    """Whether a body is a list, or a file that the server sends in a way of its own."""
    if isinstance(result, list | tuple):
        return True
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(result, wrapper)


class InBody:
    """The context that a body runs in. What the body puts into the context is there again when it goes on."""

    def __init__(self, request: ServerRequest, within: Context) -> None:
        """``within`` is the context in which the application returned the body."""
        self.request = request
        self._context = within if get_value(KEY, within) is request else request.context
        self._token: Any = None

    def enter(self) -> None:
        """Go on in the context."""
        self._token = attach(self._context)

    def leave(self) -> None:
        """Keep the context for the next time."""
        if self._token is not None:
            self._context = get_current()
            detach(self._token)
            self._token = None

    def ended(self) -> None:
        """End the request after the last step."""
        self.leave()
        self.request.end()

    def broken(self, error: BaseException) -> None:
        """End the request with an exception that left the body; some servers do not close it then."""
        self.request.failed(error)
        self.request.end()

    def __del__(self) -> None:
        self.request.end()  # a server, or a test, that neither reads to the end nor closes


class Body(InBody):
    """A body that runs in its request's context, and ends the request with its last part or when it is closed."""

    def __init__(self, request: ServerRequest, iterable: Iterable[Any], within: Context) -> None:
        super().__init__(request, within)
        self._iterable = iterable
        self._iterator: Iterator[Any] | None = None

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> Any:
        self.enter()
        try:
            if self._iterator is None:
                self._iterator = iter(self._iterable)
            return next(self._iterator)
        except StopIteration:
            self.ended()
            raise
        except BaseException as error:
            self.broken(error)
            raise
        finally:
            self.leave()

    def close(self) -> None:
        """Close what is inside, which a server does after the last part, and when the client has left."""
        self.enter()
        try:
            close = getattr(self._iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            self.request.failed(error)
            raise
        finally:
            self.ended()
