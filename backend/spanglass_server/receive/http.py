"""OTLP/HTTP: POST /v1/traces, /v1/logs and /v1/metrics as protobuf or JSON (opentelemetry-proto, specification.md).

The endpoints are bare ASGI: a Request object and a Response cost more than all the rest of a small request.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from spanglass_server.ingest.ports import Accepted
from spanglass_server.receive.asgi import NO_CONTENT, head_of, refuse, respond, sender_of
from spanglass_server.receive.compression import ACCEPTED, decompress_small, new_body, too_large
from spanglass_server.receive.cors import Cors
from spanglass_server.receive.otlp_json.reading import OtlpJsonError, most_values, otlp_json_to_protobuf
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
from spanglass_server.store.collection import HEADER as INTERVALS_HEADER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from spanglass_server.ingest.ports import Judged
    from spanglass_server.receive.asgi import Head
    from spanglass_server.receive.cors import Headers
    from spanglass_server.receive.intake import Intake

#: Path of each signal; a slash at the end is taken too.
PATHS: Final = {Signal.SPANS: "/v1/traces", Signal.LOGS: "/v1/logs", Signal.METRICS: "/v1/metrics"}
PROFILES_PATH: Final = "/v1development/profiles"

_TRANSPORT: Final = "http"
_ENCODINGS: Final = {encoding.media_type.encode(): encoding for encoding in Encoding}

#: JSON from this size on is read in a thread, so that other requests are answered meanwhile: it takes 15 ms a MiB.
_THREAD_JSON_BYTES: Final = 64 << 10

#: Bodies of requests that may go the short way; compressed ones are decompressed on the event loop, so what comes out
#: is limited too: 256 KiB take 0.5 ms.
_SHORT_BYTES: Final = 64 << 10
_SHORT_COMPRESSED_BYTES: Final = (4 << 10) - 1
_SHORT_DECOMPRESSED_BYTES: Final = 256 << 10
_PROTOBUF: Final = Encoding.PROTOBUF.media_type.encode()
_SUCCESS: Final = b"content-type: %s\r\n%%scontent-length: 0\r\n\r\n" % _PROTOBUF

#: Headers that belong to a reason for refusing.
_EXTRA_HEADERS: Final[dict[Reason, Headers]] = {
    Reason.UNAUTHENTICATED: [(b"www-authenticate", b"Bearer")],
    Reason.UNSUPPORTED: [(b"accept-encoding", ACCEPTED.encode())],
    Reason.METHOD: [(b"allow", b"POST")],
}


#: What is remembered of a client that did not stay for its answer.
_LEFT: Final = RequestRefusedError(Reason.DISCONNECTED, "the sender closed the connection before its request was whole")


def otlp_endpoints(intake: Intake, *, cors: Cors | None = None) -> dict[str, OtlpEndpoint]:
    """The endpoints of an OTLP/HTTP receiver by their paths; the gRPC receiver beside it has the same ``intake``."""
    cors = cors or Cors()
    json_turn = asyncio.Lock()
    endpoints = {path: OtlpEndpoint(intake, cors, json_turn, signal) for signal, path in PATHS.items()}
    endpoints[PROFILES_PATH] = OtlpEndpoint(intake, cors, json_turn, None)
    return {path + slash: endpoint for path, endpoint in endpoints.items() for slash in ("", "/")}


class AtPaths:
    """ASGI middleware: what has an endpoint goes there and past all that pages and the API need.

    Guards, exceptions and the router of Starlette cost a small request as much as its answer does.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        endpoint = self._endpoints.get(scope["path"]) if scope["type"] == "http" else None
        await (endpoint or self._app)(scope, receive, send)


class OtlpEndpoint:
    """One path, as an ASGI application. Without a signal it explains that profiles are not taken."""

    def __init__(self, intake: Intake, cors: Cors, json_turn: asyncio.Lock, signal: Signal | None) -> None:
        self._intake = intake
        self._cors = cors
        self._signal = signal
        self._json_turn = json_turn  # parsed JSON is ten times its text: one large body at a time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = head_of(scope["headers"])
        if scope["method"] == "OPTIONS" and (preflight := self._cors.preflight(head.origin)):
            await respond(send, NO_CONTENT, b"", preflight)
            return
        upload = Upload(receive)
        await self._respond(scope, head, upload, send, self._take(scope, head, upload))

    def is_plain(self, head: Head) -> bool:
        """Whether a small request may go the short way (``short_way.py``): nothing about its head is unusual."""
        limit = min(_SHORT_BYTES, self._intake.limits.max_body_bytes)
        return (
            self._signal is not None
            and head.content_length is not None
            and 0 < head.content_length <= (_SHORT_COMPRESSED_BYTES if head.content_encoding else limit)
            and head.media_type == _PROTOBUF
            and head.origin is None
            and self._intake.authorize(head.authorization)
        )

    def offer(self, head: Head, wire: bytes, answer: Callable[[bytes, Judged], None]) -> None:
        """Hand over the whole body of such a request; ``answer`` is called with what came out of it, and its fate.

        Raises ``RequestRefusedError``, and ``answer`` is not called then; the request may be taken on the other way.
        """
        content = wire
        if head.content_encoding:
            limit = min(_SHORT_DECOMPRESSED_BYTES, self._intake.limits.max_body_bytes)
            content = decompress_small(head.content_encoding, wire, limit)
        if self._signal is not None:
            self._intake.offer(self._signal, content, partial(answer, content))

    def success(self, judged: Judged, wire_bytes: int) -> bytes | None:
        """Count a request that was stored whole; its answer, from the headers of its own on. None for any other."""
        if not isinstance(judged, Accepted) or judged.rejected or judged.message or not judged.accepted:
            return None
        signal = self._signal
        if signal is None:
            return None
        self._intake.counters.received(signal, _TRANSPORT, Encoding.PROTOBUF.value, wire_bytes)
        if signal is Signal.METRICS and (told := self._intake.intervals()):
            return _SUCCESS % (f"{INTERVALS_HEADER}: {told}\r\n".encode("latin-1"))
        return _SUCCESS % b""

    def answering(self, content: bytes, judged: Judged, wire_bytes: int) -> ASGIApp:
        """What answers a request that ingest has judged already."""

        async def result(scope: Scope, head: Head, upload: Upload) -> tuple[Encoding, bytes]:
            upload.complete = True
            signal, encoding = self._check(scope["method"], head)
            accepted = self._intake.taken(signal, content, judged)
            self._intake.accept(signal, _TRANSPORT, encoding.value, wire_bytes, accepted, sender_of(scope))
            return encoding, success_body(signal, accepted, encoding)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            head, upload = head_of(scope["headers"]), Upload(receive)
            await self._respond(scope, head, upload, send, result(scope, head, upload))

        return answer

    def refusing(self, error: RequestRefusedError) -> ASGIApp:
        """What answers a request that is refused, whole or not; the rest of it is not waited for.

        What is held is a copy that nobody raises: a traceback holds the body, and would hold what answers.
        """
        copy = RequestRefusedError(error.reason, error.message, field=error.field)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            head, upload = head_of(scope["headers"]), Upload(receive)
            upload.complete = True
            self._note_refusal(copy, scope)
            await self._refuse(copy, head, upload, send)

        return answer

    async def _respond(
        self, scope: Scope, head: Head, upload: Upload, send: Send, result: Awaitable[tuple[Encoding, bytes]]
    ) -> None:
        """Answer with what comes of a request."""
        try:
            encoding, body = await result
        except RequestRefusedError as error:
            self._note_refusal(error, scope)
            await self._refuse(error, head, upload, send)
        except ClientLeftError:
            self._note_refusal(_LEFT, scope)
        else:
            headers = [(b"content-type", encoding.media_type.encode()), *self._cors.answer(head.origin)]
            if self._signal is Signal.METRICS and (told := self._intake.intervals()):
                headers.append((INTERVALS_HEADER.encode(), told.encode()))
            await respond(send, 200, body, headers)

    async def _take(self, scope: Scope, head: Head, upload: Upload) -> tuple[Encoding, bytes]:
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
        intake.accept(signal, _TRANSPORT, encoding.value, body.wire_bytes, accepted, sender_of(scope))
        return encoding, success_body(signal, accepted, encoding)

    def _check(self, method: str, head: Head) -> tuple[Signal, Encoding]:
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
            self._intake.refuse(self._signal, _TRANSPORT, error, sender_of(scope))

    async def _refuse(self, error: RequestRefusedError, head: Head, upload: Upload, send: Send) -> None:
        """Answer with a Status."""
        encoding = _ENCODINGS.get(head.media_type, Encoding.JSON)
        headers = [
            (b"content-type", encoding.media_type.encode()),
            *_EXTRA_HEADERS.get(error.reason, ()),
            *self._cors.answer(head.origin),
        ]
        if error.reason.codes.retryable:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        await refuse(send, upload, error.reason.codes.http, encode(error.status, encoding), headers)
