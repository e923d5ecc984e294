"""OTLP/gRPC: Export of the three services on raw bytes (opentelemetry-proto, specification.md, "OTLP/gRPC").

Requests go to ingest as they came: no message object is made here. Two choices keep memory bounded. Handlers read
their one message themselves, as those of a stream would, so that who has no token, or comes when there is no room, is
refused before. And gRPC's own decompression is off: it inflates a whole message before it looks at the size.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import grpc

from spanglass_server.ingest.ports import IngestError
from spanglass_server.receive.compression import new_body
from spanglass_server.receive.grpc_health import Health
from spanglass_server.receive.rejections import Sender
from spanglass_server.receive.status import Encoding, Reason, RequestRefusedError, retry_info, success_body
from spanglass_server.signals import Signal
from spanglass_server.store.collection import HEADER as INTERVALS_HEADER

if TYPE_CHECKING:
    from spanglass_server.ingest.budget import Reservation
    from spanglass_server.receive.intake import Intake

_TRANSPORT: Final = "grpc"

SERVICES: Final = {
    "opentelemetry.proto.collector.trace.v1.TraceService": Signal.SPANS,
    "opentelemetry.proto.collector.logs.v1.LogsService": Signal.LOGS,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": Signal.METRICS,
}

#: How compressed messages begin: gzip, and zlib at any level. No OTLP request does: as protobuf, 1f is wire type 7,
#: which does not exist, and 78 is a number in field 15, which no request has.
_COMPRESSED_HEADS: Final = {
    b"\x1f\x8b": "gzip",
    **dict.fromkeys((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), "deflate"),
}

#: Messages from this size on are decompressed in a thread, so that other requests are answered meanwhile.
_THREAD_BYTES: Final = 4 << 10

#: What a message counts as before it has arrived: gRPC tells its size no sooner than it hands over the whole.
_UNREAD_BYTES: Final = 1 << 20
#: Messages that arrive at once; others wait. gRPC holds each of them whole before anything here can count it: 16 of
#: the largest are 1 GiB, the 128 requests that may be under way were 8.
_READS: Final = 16

#: Every 10 s is how often clients may ping at most; the library's default of 5 minutes drops OpenTelemetry Collectors
#: with common keepalive settings. A connection that is silent for 1 minute is pinged, and closed after 20 s more.
_KEEPALIVE: Final = {
    "grpc.http2.min_ping_interval_without_data_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.http2.max_ping_strikes": 5,
}


class GrpcReceiver:
    """An OTLP/gRPC server, with the health service of grpc.health.v1 beside it."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._health = Health(intake.ingest, SERVICES)
        self._server: grpc.aio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and serve; port 0 takes a free one. Returns the bound port. Raises ``OSError`` if it is taken."""
        options = {
            **_KEEPALIVE,
            "grpc.max_receive_message_length": self._intake.limits.max_body_bytes,
            "grpc.per_message_decompression": 0,
            "grpc.so_reuseport": 0,  # a second server on the same port must fail, not share
        }
        server = grpc.aio.server(options=list(options.items()))
        server.add_generic_rpc_handlers([_Exports(self._intake)])
        self._health.add_to(server)
        try:
            bound_port: int = server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        except RuntimeError as error:
            raise OSError(f"gRPC can't listen on {host}:{port}: {error}") from error
        await server.start()
        await self._health.start()
        self._server = server
        return bound_port

    async def stop(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new requests, let those under way finish for ``grace_s`` seconds at most."""
        if self._server is None:
            return
        await self._health.stop()
        await self._server.stop(grace_s)
        self._server = None


class _Exports(grpc.GenericRpcHandler):  # type: ignore[misc]  # the library has no type information
    """Finds the handler of a service's Export."""

    def __init__(self, intake: Intake) -> None:
        turns, reads = asyncio.Semaphore(intake.limits.max_concurrent_rpcs), asyncio.Semaphore(_READS)
        self._handlers = {
            f"/{service}/Export": grpc.stream_unary_rpc_method_handler(_Export(intake, signal, turns, reads).handle)
            for service, signal in SERVICES.items()
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Return the handler of a method, None (which becomes UNIMPLEMENTED) for any other."""
        return self._handlers.get(handler_call_details.method)


class _Export:
    """Export of one service."""

    def __init__(self, intake: Intake, signal: Signal, turns: asyncio.Semaphore, reads: asyncio.Semaphore) -> None:
        self._intake = intake
        self._signal = signal
        self._turns = turns
        self._reads = reads

    async def handle(self, _messages: object, context: Any) -> bytes:
        """Answer one request: an Export<Signal>ServiceResponse, or a status with details as trailing metadata."""
        try:
            return await self._take(context)
        except RequestRefusedError as error:
            self._intake.refuse(self._signal, _TRANSPORT, error, _sender(context))
            await context.abort(error.reason.codes.grpc, error.message, _details(error))
            raise  # not reached: abort raises

    async def _take(self, context: Any) -> bytes:
        intake = self._intake
        authorization = dict(context.invocation_metadata()).get("authorization")
        intake.check_sender(authorization)
        with intake.admit(min(_UNREAD_BYTES, intake.limits.max_body_bytes)) as reservation:
            if self._turns.locked():
                limit = intake.limits.max_concurrent_rpcs
                raise RequestRefusedError(Reason.OVERLOADED, f"{limit} requests are under way; send again later")
            async with self._turns:
                message = await self._read(context)
                body = await self._decompress(message, reservation)
                accepted = await intake.submit(self._signal, body, reservation)
        intake.accept(self._signal, _TRANSPORT, Encoding.PROTOBUF.value, len(message), accepted, _sender(context))
        if self._signal is Signal.METRICS and (told := intake.intervals()):
            context.set_trailing_metadata(((INTERVALS_HEADER, told),))
        return success_body(self._signal, accepted, Encoding.PROTOBUF)

    async def _read(self, context: Any) -> bytes:
        timeout_s = self._intake.limits.body_timeout_s
        try:
            async with asyncio.timeout(timeout_s), self._reads:
                message = await context.read()
        except TimeoutError:
            raise RequestRefusedError(Reason.SLOW, f"the message did not arrive within {timeout_s:g} s") from None
        if message is grpc.aio.EOF:
            # also when the message was too large: gRPC has told the client RESOURCE_EXHAUSTED already
            raise RequestRefusedError(Reason.TOO_LARGE, "no message, or one past the limit, arrived")
        return bytes(message)

    async def _decompress(self, message: bytes, reservation: Reservation) -> bytes:
        try:
            reservation.grow_to(len(message))
            body = await _decompressed(message, self._intake.limits.max_body_bytes)
            reservation.grow_to(len(body))
        except IngestError as error:
            raise RequestRefusedError.of_ingest(error) from None
        return body


def _sender(context: Any) -> Sender:
    agent = dict(context.invocation_metadata()).get("user-agent", "")
    _, _, address = unquote(context.peer()).partition(":")  # "ipv4:127.0.0.1:5123", "ipv6:[::1]:5123"
    return Sender(agent, address.rpartition(":")[0].strip("[]"))


async def _decompressed(message: bytes, limit_bytes: int) -> bytes:
    encoding = _COMPRESSED_HEADS.get(message[:2])
    if encoding is None:
        return message
    body = new_body(encoding, limit_bytes)
    if len(message) < _THREAD_BYTES:
        body.feed(message)
    else:
        await asyncio.to_thread(body.feed, message)
    return body.finish()


def _details(error: RequestRefusedError) -> tuple[tuple[str, bytes], ...]:
    """Trailing metadata: the Status, as most languages read it, and RetryInfo under the key that Python reads."""
    status = ("grpc-status-details-bin", error.status.SerializeToString())
    if not error.reason.codes.retryable:
        return (status,)
    return (status, ("google.rpc.retryinfo-bin", retry_info().SerializeToString()))
