"""Small OTLP requests on the short way: taken once their last byte is there, and answered without a task of their own.

Of what the event loop does for a small request, most is no work on it: a task, a future, messages of ASGI that are made
and taken apart, timers. Here the protocol itself hands the body to ingest, and writes the answer when ingest calls
back. Once a request went this way, those behind it on its connection that repeat its head are not parsed either, unless
their answer is no plain success. That is for requests that are whole at once and as all SDKs send them. Whatever is
different in any way, be it a refusal, goes the way through ASGI (``http.py``), which alone says what is wrong with a
request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from spanglass_server.receive.asgi import head_of
from spanglass_server.receive.repeated_head import RepeatedHead
from spanglass_server.receive.status import Reason, RequestRefusedError
from spanglass_server.self_metrics.measuring import CountRequests
from spanglass_server.self_metrics.registry import HTTP_RESPONSES

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from starlette.types import ASGIApp
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from spanglass_server.ingest.ports import Judged
    from spanglass_server.receive.asgi import Head
    from spanglass_server.receive.http import OtlpEndpoint
    from spanglass_server.self_metrics.registry import Telemetry

_PATIENCE_S: Final = 0.5  # how long the rest of a body may take: clients often send it apart from the head


@dataclass(slots=True, eq=False)
class _Request:
    """A request on this way."""

    endpoint: OtlpEndpoint
    head: Head
    cycle: Any = None  # ``RequestResponseCycle`` of uvicorn; None as long as the parser has not read the request
    app: Any = None


class ShortWay(HttpToolsProtocol):
    """uvicorn's protocol of one connection."""

    def __init__(self, *given: Any, endpoints: Mapping[str, OtlpEndpoint], telemetry: Telemetry, **named: Any) -> None:
        super().__init__(*given, **named)
        self._endpoints = endpoints
        self._telemetry = telemetry
        self._held: _Request | None = None  # its body is not whole yet
        self._patience: asyncio.TimerHandle | None = None
        self._is_between = True  # the parser waits for the first byte of a request
        self._data = b""  # what it has read of a request that is not whole, from its first byte on; or nothing
        self._repeated: tuple[OtlpEndpoint, RepeatedHead] | None = None
        self._begun = b""  # a repeated head, and less than its body: the parser has not read it
        self._unread: tuple[_Request, bytes] | None = None  # taken without the parser, and not answered; its body

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin with a request: its head is there, and more of one that waited for those before it."""
        if self._unread is not None:
            self._unread[0].cycle = cycle
            return
        endpoint = self._endpoints.get(cycle.scope["path"])
        if endpoint is None or cycle.scope["method"] != "POST" or cycle.waiting_for_100_continue:
            super()._start_asgi_task(cycle, app)
            return
        head = head_of(cycle.scope["headers"])
        if not endpoint.is_plain(head):
            super()._start_asgi_task(cycle, app)
            return
        self._held = _Request(endpoint, head, cycle, app)
        if not cycle.more_body:
            self._take()

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        data, self._begun = self._begun + data, b""
        if not self._take_unread(data):
            self._read()
            self._data = data if self._is_between else self._data + data if self._held else b""
            super().data_received(data)
            if self._held is None:
                self._data = b""
        self._wait_for_the_rest()

    def _take_unread(self, data: bytes) -> bool:
        """Hand a whole request to ingest whose head is that of one before, or keep what is there of it.

        False if it is for the parser.
        """
        is_answered = self.cycle is not None and self.cycle.response_complete
        if self._repeated is None or not (self._is_between and is_answered) or self._unread or self.pipeline:
            return False
        endpoint, repeated = self._repeated
        found = repeated.rest_of(data)
        if found is None or len(found[1]) > found[0]:
            return False
        length, body = found
        request = _Request(endpoint, repeated.head._replace(content_length=length))
        if not endpoint.is_plain(request.head):
            return False
        self._unset_keepalive_if_required()
        if len(body) < length:
            self._begun = data
            return True
        try:
            endpoint.offer(request.head, body, partial(self._answer, request, length))
        except Exception:  # noqa: BLE001 - whatever it was, it happens again where it is answered
            return False
        self._release()
        self._unread = request, body
        return True

    def _read(self) -> None:
        """Have the parser read what it has not: the answer, or what comes next, needs what it makes."""
        if self._unread is not None and self._repeated is not None:
            request, body = self._unread
            super().data_received(self._repeated[1].with_body(body))
            self._unread = None
            request.cycle.body = bytearray()  # ingest has it
        begun, self._begun = self._begun, b""
        if begun:
            super().data_received(begun)

    def on_message_begin(self) -> None:
        """See uvicorn."""
        self._is_between = False
        super().on_message_begin()

    def on_response_complete(self) -> None:
        """See uvicorn: it begins with the next request of a pipeline, whose rest may never come."""
        super().on_response_complete()
        self._wait_for_the_rest()

    def on_message_complete(self) -> None:
        """See uvicorn."""
        super().on_message_complete()
        self._is_between = True
        if self._held is not None and not self._held.cycle.more_body:
            self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        self._read()
        super().connection_lost(exc)
        self._go_the_long_way()

    def shutdown(self) -> None:
        """See uvicorn: a request that is not whole is not waited for, and its sender may send it again."""
        self._read()
        super().shutdown()
        held = self._release()
        if held is not None:
            stopping = RequestRefusedError(Reason.UNAVAILABLE, "the server is stopping; send again later")
            self._answer_through_asgi(held, held.endpoint.refusing(stopping))

    def send_400_response(self, msg: str) -> None:
        """See uvicorn: behind a whole request, which is answered first, what is no HTTP ends the connection only."""
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.response_complete:
            super().send_400_response(msg)
            return
        self.flow.pause_reading()
        cycle.keep_alive = False

    def _wait_for_the_rest(self) -> None:
        if (self._held is not None or self._begun) and self._patience is None:
            self._patience = self.loop.call_later(_PATIENCE_S, self._go_the_long_way)

    def _go_the_long_way(self) -> None:
        """Leave a request that is not whole to ASGI, which waits for the rest under its own limits."""
        self._read()
        self._data = b""
        held = self._release()
        if held is not None:
            super()._start_asgi_task(held.cycle, held.app)

    def _release(self) -> _Request | None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        held, self._held = self._held, None
        return held

    def _take(self) -> None:
        """Hand a whole request to ingest."""
        held = self._release()
        if held is None:
            return
        wire = bytes(held.cycle.body)
        try:
            held.endpoint.offer(held.head, wire, partial(self._answer, held, len(wire)))
        except RequestRefusedError as error:
            if error.reason.codes.retryable:  # of ingest, which is not asked again
                self._answer_through_asgi(held, held.endpoint.refusing(error))
            else:
                super()._start_asgi_task(held.cycle, held.app)
        except Exception:  # noqa: BLE001 - whatever it was, it happens there too, and is answered and logged
            super()._start_asgi_task(held.cycle, held.app)
        else:
            held.cycle.body = bytearray()
            if self._data and held.cycle.keep_alive:
                repeated = RepeatedHead.of(self._data, held.head, wire)
                self._repeated = None if repeated is None else (held.endpoint, repeated)

    def _answer(self, request: _Request, wire_bytes: int, content: bytes, judged: Judged) -> None:
        cycle = request.cycle
        if cycle is not None and cycle.response_started:
            return
        is_kept = cycle is None or (cycle.keep_alive and not cycle.disconnected)
        success = request.endpoint.success(judged, wire_bytes) if is_kept and not self.flow.write_paused else None
        if success is None:
            self._answer_through_asgi(request, request.endpoint.answering(content, judged, wire_bytes))
            return
        self._telemetry.add(HTTP_RESPONSES, 1, "POST", "200")
        lines = [b"HTTP/1.1 200 OK\r\n"]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        if cycle is None:
            self._unread = None
        else:
            cycle.response_started = cycle.response_complete = True
        self.transport.write(b"".join([*lines, success]))
        self.on_response_complete()

    def _answer_through_asgi(self, request: _Request, answer: ASGIApp) -> None:
        self._read()
        request.cycle.body = bytearray()  # nobody reads it, and the cycle stays until the next request
        app: Any = CountRequests(answer, self._telemetry)
        super()._start_asgi_task(request.cycle, app)
