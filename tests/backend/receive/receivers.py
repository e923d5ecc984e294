"""Receivers on real sockets for tests, in front of an ingest that only records."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from otlp_samples import REQUESTS
from starlette.applications import Starlette
from starlette.routing import Route

from spanglass_core.settings_types import Secret
from spanglass_server.access.auth import TokenCheck
from spanglass_server.ingest.budget import ByteBudget, Reservation
from spanglass_server.ingest.ports import Accepted, Form, IngestError, Judged, Refusal
from spanglass_server.ingest.prometheus import schema as remote_write
from spanglass_server.receive.grpc import GrpcReceiver
from spanglass_server.receive.http import otlp_endpoints
from spanglass_server.receive.remote_write import remote_write_routes
from spanglass_server.receive.short_way import ShortWay
from spanglass_server.self_metrics.registry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from concurrent.futures import Future

    from google.protobuf.message import Message

    from spanglass_server.receive.cors import Cors
    from spanglass_server.receive.intake import Intake
    from spanglass_server.signals import Signal

_PATIENCE_S = 60.0  # only a failure waits so long

#: Allows the senders that present the token ``s3cret``.
ONE_TOKEN = TokenCheck(Secret("s3cret")).allows


@dataclass
class RecordingIngest:
    """An ``Ingest`` that keeps requests in memory, and refuses what is no protobuf, or what it is told to refuse."""

    answer: Accepted = field(default_factory=lambda: Accepted(accepted=1))
    failure: Exception | None = None  # raised by submit
    full: str | None = None  # the message of admit's refusal
    health: str | None = None
    requests: list[tuple[Signal, Message]] = field(default_factory=list)
    admitted: list[int] = field(default_factory=list)
    budget: ByteBudget = field(default_factory=lambda: ByteBudget(128 << 20))
    hold: threading.Event | None = None  # submit waits for it
    entered: int = 0  # how often submit was called ...
    offered: int = 0  # ... and offer

    async def submit(self, signal: Signal, body: bytes, reservation: Reservation, form: Form = Form.OTLP) -> Accepted:
        """Parse and keep the request."""
        self.entered += 1
        with reservation.transfer(len(body)):
            return await self._take(signal, body, form)

    def offer(self, signal: Signal, body: bytes, answer: Callable[[Judged], None]) -> None:
        """Do the same for a caller that does not wait."""
        if self.failure is not None and not isinstance(self.failure, IngestError):
            raise self.failure
        held = self.admit(len(body)).transfer(len(body))
        self.offered += 1

        async def take() -> None:
            with held:
                try:
                    judged: Judged = await self._take(signal, body, Form.OTLP)
                except IngestError as error:
                    judged = error
            answer(judged)

        self._under_way = asyncio.create_task(take())

    async def _take(self, signal: Signal, body: bytes, form: Form) -> Accepted:
        if self.hold is not None:
            await asyncio.to_thread(self.hold.wait, 20)
        if self.failure is not None:
            raise self.failure
        try:
            message = REQUESTS[signal] if form is Form.OTLP else GetMessageClass(remote_write.REQUESTS[form])
            self.requests.append((signal, message.FromString(body)))
        except DecodeError as error:
            raise IngestError(Refusal.MALFORMED, f"not an OTLP request: {error}") from None
        return self.answer

    def admit(self, size_bytes: int) -> Reservation:
        """Refuse if told to."""
        self.admitted.append(size_bytes)
        if self.health is not None:
            raise IngestError(Refusal.UNAVAILABLE, self.health)
        if self.full is not None:
            raise IngestError(Refusal.OVERLOADED, self.full)
        return Reservation(self.budget, size_bytes)


@dataclass
class CountingCounters:
    """Keeps what was counted, in order."""

    events: list[tuple[Any, ...]] = field(default_factory=list)

    def received(self, signal: Signal, transport: str, encoding: str, size_bytes: int) -> None:
        """Keep it."""
        self.events.append(("received", signal, transport, encoding, size_bytes))

    def refused(self, signal: Signal, transport: str, reason: str) -> None:
        """Keep it."""
        self.events.append(("refused", signal, transport, reason))


@contextmanager
def serving_http(intake: Intake, cors: Cors | None = None, telemetry: Telemetry | None = None) -> Iterator[int]:
    """Serve OTLP/HTTP and remote write in a thread; yields the port."""
    endpoints = otlp_endpoints(intake, cors=cors)
    routes = [Route(path, endpoint) for path, endpoint in endpoints.items()]
    app = Starlette(routes=[*routes, *remote_write_routes(intake)])
    protocol: Any = partial(ShortWay, endpoints=endpoints, telemetry=telemetry or Telemetry())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(app, http=protocol, log_level="error", lifespan="off", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


T = TypeVar("T")


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end and return the result."""
        return self.begin(work).result(timeout=30)

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start without waiting."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Stop the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def serving_grpc(intake: Intake) -> Iterator[tuple[int, GrpcReceiver, Loop]]:
    """Serve OTLP/gRPC in a thread; yields the port, and the receiver with its loop to stop it early."""
    loop = Loop()
    receiver = GrpcReceiver(intake)
    try:
        port = loop.run(receiver.start("127.0.0.1", 0))
        yield port, receiver, loop
        loop.run(receiver.stop(0.2))
    finally:
        loop.close()


def until(condition: Callable[[], Any]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def request(port: int, path: str, body: Any = b"", *, method: str = "POST", **headers: str) -> Answer:
    """Send one HTTP request; ``body`` may be an iterator, which is sent chunked. Header names with _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()
