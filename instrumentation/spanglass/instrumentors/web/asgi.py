"""A request of an ASGI application, from its scope to its last message."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach, detach
from opentelemetry.propagators.textmap import Getter
from opentelemetry.semconv.attributes import http_attributes as http
from opentelemetry.semconv.attributes import server_attributes as server
from opentelemetry.semconv.attributes import url_attributes as url
from opentelemetry.semconv.attributes.client_attributes import CLIENT_ADDRESS, CLIENT_PORT
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_VERSION
from opentelemetry.semconv.attributes.user_agent_attributes import USER_AGENT_ORIGINAL
from opentelemetry.util.http import detect_synthetic_user_agent, sanitize_method

from spanglass.exceptions.telling import report_unhandled
from spanglass.guard import swallow
from spanglass.instrumentors.web.framework import split_host
from spanglass.instrumentors.web.request import KEY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    from spanglass.instrumentors.web.conventions import Attributes
    from spanglass.instrumentors.web.framework import Framework
    from spanglass.instrumentors.web.request import ServerRequest

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

KINDS = frozenset({"http", "websocket"})
SYNTHETIC = "user_agent.synthetic.type"
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SWITCHING_PROTOCOLS, _FORBIDDEN = 101, 403

method_of = lru_cache(256)(sanitize_method)
synthetic_of = lru_cache(1_024)(detect_synthetic_user_agent)


class ScopeGetter(Getter["Scope"]):
    """Reads headers of a scope. Baggage that came in several headers is one list, as RFC 9110 has it."""

    def get(self, carrier: Scope, key: str) -> list[str] | None:
        """Return the values of a header."""
        wanted = key.lower().encode("latin-1")
        found = [value.decode("latin-1") for name, value in carrier.get("headers") or () if name.lower() == wanted]
        if len(found) > 1 and wanted == b"baggage":
            return [",".join(found)]
        return found or None

    def keys(self, carrier: Scope) -> list[str]:
        """Return the names of all headers."""
        return [name.decode("latin-1") for name, _ in carrier.get("headers") or ()]


GETTER = ScopeGetter()


def begin(framework: Framework, scope: Scope) -> ServerRequest | None:
    """Begin a request; None if it is to have no span, or if that fails."""
    try:
        if framework.excludes(lambda: _url(scope)):
            return None
        found = {name.lower(): value for name, value in scope.get("headers") or ()}
        attributes, host = _attributes(scope, found)
        request = framework.begin(scope, GETTER, attributes, host)
        scope[KEY] = request
        request.sizes = _size(found.get(b"content-length")), None
        if framework.captures_request_headers():
            names = {name.decode("latin-1").lower() for name in found}
            framework.received(request, {name: GETTER.get(scope, name) or [] for name in names})
    except Exception as error:  # noqa: BLE001 - nothing here may reach the application
        swallow("begin a request", error)
        return None
    return request


def _attributes(scope: Scope, headers: dict[bytes, bytes]) -> tuple[Attributes, str]:
    scheme = str(scope.get("scheme") or "http")
    attributes: Attributes = {url.URL_SCHEME: scheme, url.URL_PATH: str(scope.get("path", ""))}
    method = scope.get("method")
    if method:
        attributes[http.HTTP_REQUEST_METHOD] = known = method_of(method)
        if known != method:
            attributes[http.HTTP_REQUEST_METHOD_ORIGINAL] = method
    query = scope.get("query_string")
    if query:
        attributes[url.URL_QUERY] = query.decode("latin-1") if isinstance(query, bytes) else query
    host = headers.get(b"host", b"").decode("latin-1")
    listening = scope.get("server") or ("", None)
    name, port = split_host(host) if host else (listening[0], listening[1])
    if name:
        attributes[server.SERVER_ADDRESS] = name
        attributes[server.SERVER_PORT] = port or PORTS.get(scheme) or listening[1] or 0
    client = scope.get("client")
    if client:
        attributes[CLIENT_ADDRESS], attributes[CLIENT_PORT] = client[0], client[1]
    agent = headers.get(b"user-agent")
    if agent:
        attributes[USER_AGENT_ORIGINAL] = text = agent.decode("latin-1")
        synthetic = synthetic_of(text)
        if synthetic:
            attributes[SYNTHETIC] = synthetic
    version = scope.get("http_version")
    if version:
        attributes[NETWORK_PROTOCOL_VERSION] = version
    return attributes, host


def _url(scope: Scope) -> str:
    host = GETTER.get(scope, "host") or [":".join(map(str, scope.get("server") or ("",)))]
    return f"{scope.get('scheme', 'http')}://{host[0]}{scope.get('path', '')}"


def _size(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() else None


async def serve(framework: Framework, app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request in a span, which ends with the last byte, or when the application returns before that."""
    request = begin(framework, scope)
    if request is None:
        await app(scope, receive, send)
        return
    told: Send = _Answer(framework, request, send).send
    if framework.message_spans:
        receive, told = _with_spans(framework, request, scope, receive, told)
    token = attach(request.context)
    try:
        await app(scope, receive, told)
    except BaseException as error:
        if request.ended:
            report_unhandled(error)
        request.failed(error)
        raise
    finally:
        detach(token)
        request.end()


class _Answer:
    """Passes the answer's messages on and reads them."""

    __slots__ = ("_framework", "_request", "_send", "_trailers")

    def __init__(self, framework: Framework, request: ServerRequest, send: Send) -> None:
        self._framework, self._request, self._send = framework, request, send
        self._trailers = False

    async def send(self, message: Message) -> None:
        """Send one message."""
        kind = message["type"]
        try:
            if kind == "http.response.start" or kind.startswith("websocket."):
                self._started(kind, message)
        except Exception as error:  # noqa: BLE001 - nothing here may reach the application
            swallow("read an answer", error)
        try:
            await self._send(message)
        except OSError as error:  # how a server says that the client has left
            self._request.left = error
            raise
        if kind == "http.response.body":
            if not message.get("more_body", False) and not self._trailers:
                self._request.finished()
        elif kind == "http.response.pathsend" or (
            kind == "http.response.trailers" and not message.get("more_trailers", False)
        ):
            self._request.finished()

    def _started(self, kind: str, message: Message) -> None:
        request = self._request
        if kind in {"http.response.start", "websocket.http.response.start"}:
            headers = message.get("headers") or ()
            request.sizes = request.sizes[0], _length(headers)
            self._trailers = bool(message.get("trailers", False))
            more = self._framework.answered(
                request,
                message["status"],
                lambda: [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
            )
            if more:
                added = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in more]
                message["headers"] = [*headers, *added]
        elif kind == "websocket.accept":
            request.status = _SWITCHING_PROTOCOLS
        elif kind == "websocket.close" and request.status is None:
            request.status = _FORBIDDEN  # a server answers a handshake so that was not accepted


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    return next((_size(value) for name, value in headers if name.lower() == b"content-length"), None)


def _with_spans(
    framework: Framework, request: ServerRequest, scope: Scope, receive: Receive, send: Send
) -> tuple[Receive, Send]:
    """Have each message be a span too."""

    def span(what: str) -> Any:
        name = f"{request.name} {scope['type']} {what}"
        return framework.tracer.start_as_current_span(name)

    async def received() -> Message:
        with span("receive") as made:
            message = await receive()
            made.set_attribute("asgi.event.type", message["type"])
        return message

    async def sent(message: Message) -> None:
        with span("send") as made:
            made.set_attribute("asgi.event.type", message["type"])
        await send(message)

    return received, sent
