"""OTLP/HTTP: POST /v1/traces, /v1/logs and /v1/metrics as protobuf or JSON (opentelemetry-proto, specification.md).

The endpoints are bare ASGI: a Request object and a Response cost more than all the rest of a small request.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.routing import Route

from spanglass_server.receive.compression import ACCEPTED, new_body, too_large
from spanglass_server.receive.cors import Cors
from spanglass_server.receive.otlp_json import OtlpJsonError, most_values, otlp_json_to_protobuf
from spanglass_server.receive.rejections import Sender
from spanglass_server.receive.status import (
    RETRY_AFTER_S,
    Encoding,
    Reason,
    RequestRefusedError,
    encode,
    success_body,
)
from spanglass_server.receive.upload import ClientLeftError, Upload
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from spanglass_server.receive.cors import Headers
    from spanglass_server.receive.intake import Intake

#: Path of each signal; a slash at the end is taken too.
PATHS: Final = {Signal.SPANS: "/v1/traces", Signal.LOGS: "/v1/logs", Signal.METRICS: "/v1/metrics"}
PROFILES_PATH: Final = "/v1development/profiles"

_TRANSPORT: Final = "http"
_NO_CONTENT: Final = 204
_ENCODINGS: Final = {encoding.media_type.encode(): encoding for encoding in Encoding}

#: JSON from this size on is read in a thread, so that other requests are answered meanwhile: it takes 15 ms a MiB.
_THREAD_JSON_BYTES: Final = 64 << 10

#: Headers that belong to a reason for refusing.
_EXTRA_HEADERS: Final[dict[Reason, Headers]] = {
    Reason.UNAUTHENTICATED: [(b"www-authenticate", b"Bearer")],
    Reason.UNSUPPORTED: [(b"accept-encoding", ACCEPTED.encode())],
    Reason.METHOD: [(b"allow", b"POST")],
}


#: What is remembered of a client that did not stay for its answer.
_LEFT: Final = RequestRefusedError(Reason.DISCONNECTED, "the sender closed the connection before its request was whole")


class _Head(NamedTuple):
    """The request headers that matter here."""

    media_type: bytes
    content_encoding: str
    content_length: int | None
    authorization: str | None
    origin: str | None


def _head(headers: Iterable[tuple[bytes, bytes]]) -> _Head:
    found = dict(headers)
    length = found.get(b"content-length", b"")
    authorization = found.get(b"authorization")
    origin = found.get(b"origin")
    return _Head(
        # parameters such as "; charset=utf-8" say nothing about OTLP
        found.get(b"content-type", b"").partition(b";")[0].strip().lower(),
        found.get(b"content-encoding", b"").decode("latin-1"),
        int(length) if length.isdigit() else None,
        None if authorization is None else authorization.decode("latin-1"),
        None if origin is None else origin.decode("latin-1"),
    )


def _sender(scope: Scope) -> Sender:
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    client = scope.get("client")
    return Sender(agent.decode("latin-1"), client[0] if client else "")


def otlp_routes(intake: Intake, *, cors: Cors | None = None) -> list[BaseRoute]:
    """Make the routes of an OTLP/HTTP receiver; the gRPC receiver beside it is given the same ``intake``."""
    cors = cors or Cors()
    json_turn = asyncio.Lock()
    endpoints = {path: _Endpoint(intake, cors, json_turn, signal) for signal, path in PATHS.items()}
    endpoints[PROFILES_PATH] = _Endpoint(intake, cors, json_turn, None)
    return [Route(path + slash, endpoint) for path, endpoint in endpoints.items() for slash in ("", "/")]


class _Endpoint:
    """One path, as an ASGI application. Without a signal it explains that profiles are not taken."""

    def __init__(self, intake: Intake, cors: Cors, json_turn: asyncio.Lock, signal: Signal | None) -> None:
        self._intake = intake
        self._cors = cors
        self._signal = signal
        self._json_turn = json_turn  # parsed JSON is ten times its text: one large body at a time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = _head(scope["headers"])
        if scope["method"] == "OPTIONS" and (preflight := self._cors.preflight(head.origin)):
            await _respond(send, _NO_CONTENT, b"", preflight)
            return
        upload = Upload(receive)
        try:
            encoding, body = await self._take(scope, head, upload)
        except RequestRefusedError as error:
            self._note_refusal(error, scope)
            await self._refuse(error, head, upload, send)
        except ClientLeftError:
            self._note_refusal(_LEFT, scope)
        else:
            headers = [(b"content-type", encoding.media_type.encode()), *self._cors.answer(head.origin)]
            await _respond(send, 200, body, headers)

    async def _take(self, scope: Scope, head: _Head, upload: Upload) -> tuple[Encoding, bytes]:
        """Take a request and return the response's encoding and body."""
        signal, encoding = self._check(scope["method"], head)
        intake, limit = self._intake, self._intake.limits.max_body_bytes
        body = new_body(head.content_encoding, limit)
        if head.content_length is not None and head.content_length > body.max_wire_bytes:
            raise too_large(limit)
        with intake.admit(head.content_length or 0) as reservation:
            content = await upload.read(body, reservation, timeout_s=intake.limits.body_timeout_s)
            if encoding is Encoding.JSON:
                content = await self._from_json(signal, content)
            accepted = await intake.submit(signal, content, reservation)
        intake.accept(signal, _TRANSPORT, encoding.value, body.wire_bytes, accepted, _sender(scope))
        return encoding, success_body(signal, accepted, encoding)

    def _check(self, method: str, head: _Head) -> tuple[Signal, Encoding]:
        """Check what can be judged by the head alone, the sender first after the method."""
        if method != "POST":
            raise RequestRefusedError(Reason.METHOD, f"{method} is not possible here; send telemetry with POST")
        self._intake.check_sender(head.authorization)
        if self._signal is None:
            raise RequestRefusedError(
                Reason.UNKNOWN_SIGNAL,
                "profiles are not taken: OTLP/profiles is still in development; send other signals",
            )
        encoding = _ENCODINGS.get(head.media_type)
        if encoding is None:
            raise RequestRefusedError(
                Reason.UNSUPPORTED,
                f"Content-Type {head.media_type[:40].decode('latin-1')!r} is not supported; "
                f"send {' or '.join(encoding.media_type for encoding in Encoding)}",
            )
        return self._signal, encoding

    async def _from_json(self, signal: Signal, body: bytes) -> bytes:
        limit = self._intake.limits.max_json_values
        if len(body) > limit and most_values(body) > limit:
            raise RequestRefusedError(
                Reason.TOO_LARGE, f"the body holds more than {limit} JSON values; send smaller batches, or protobuf"
            )
        try:
            if len(body) < _THREAD_JSON_BYTES:
                return otlp_json_to_protobuf(signal, body)
            async with self._json_turn:
                return await asyncio.to_thread(otlp_json_to_protobuf, signal, body)
        except OtlpJsonError as error:
            raise RequestRefusedError(Reason.MALFORMED, str(error), field=error.path) from None

    def _note_refusal(self, error: RequestRefusedError, scope: Scope) -> None:
        if self._signal is not None:
            self._intake.refuse(self._signal, _TRANSPORT, error, _sender(scope))

    async def _refuse(self, error: RequestRefusedError, head: _Head, upload: Upload, send: Send) -> None:
        """Answer with a Status, let the client finish sending, and close the connection if it doesn't."""
        encoding = _ENCODINGS.get(head.media_type, Encoding.JSON)
        headers = [
            (b"content-type", encoding.media_type.encode()),
            *_EXTRA_HEADERS.get(error.reason, ()),
            *self._cors.answer(head.origin),
        ]
        if error.reason.codes.retryable:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        if upload.complete:
            await _respond(send, error.reason.codes.http, encode(error.status, encoding), headers)
            return
        headers.append((b"connection", b"close"))
        await _respond(send, error.reason.codes.http, encode(error.status, encoding), headers, more=True)
        await upload.discard()
        await send({"type": "http.response.body"})


async def _respond(send: Send, status: int, body: bytes, headers: Headers, *, more: bool = False) -> None:
    """Send a whole response; with ``more`` its end, which lets the server close, is left to the caller."""
    if status != _NO_CONTENT:  # which must not say how long nothing is (RFC 9110, section 8.6)
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})
