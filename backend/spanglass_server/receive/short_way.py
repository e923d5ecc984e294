"""Small OTLP requests on the short way: taken once their last byte is there, and answered without a task of their own.

Of what the event loop does for a small request, most is no work on it: a task, a future, messages of ASGI that are made
and taken apart, timers. Here the protocol itself hands the body to ingest, and writes the answer when ingest calls
back. That is for requests that are whole at once and as all SDKs send them. Whatever is different in any way, be it a
refusal, goes the way through ASGI (``http.py``), which alone says what is wrong with a request.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from spanglass_server.receive.asgi import head_of
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


class _Held(NamedTuple):
    """A request whose body is not whole yet."""

    cycle: RequestResponseCycle
    app: Any
    endpoint: OtlpEndpoint
    head: Head


class ShortWay(HttpToolsProtocol):
    """uvicorn's protocol of one connection."""

    def __init__(self, *given: Any, endpoints: Mapping[str, OtlpEndpoint], telemetry: Telemetry, **named: Any) -> None:
        super().__init__(*given, **named)
        self._endpoints = endpoints
        self._telemetry = telemetry
        self._held: _Held | None = None
        self._patience: asyncio.TimerHandle | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Begin with a request: its head is there, and more of one that waited for those before it."""
        endpoint = self._endpoints.get(cycle.scope["path"])
        if endpoint is None or cycle.scope["method"] != "POST" or cycle.waiting_for_100_continue:
            super()._start_asgi_task(cycle, app)
            return
        head = head_of(cycle.scope["headers"])
        if not endpoint.is_plain(head):
            super()._start_asgi_task(cycle, app)
            return
        self._held = _Held(cycle, app, endpoint, head)
        if not cycle.more_body:
            self._take()

    def data_received(self, data: bytes) -> None:
        """See uvicorn."""
        super().data_received(data)
        self._wait_for_the_rest()

    def on_response_complete(self) -> None:
        """See uvicorn: it begins with the next request of a pipeline, whose rest may never come."""
        super().on_response_complete()
        self._wait_for_the_rest()

    def on_message_complete(self) -> None:
        """See uvicorn."""
        super().on_message_complete()
        if self._held is not None and not self._held.cycle.more_body:
            self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        """See uvicorn."""
        super().connection_lost(exc)
        self._go_the_long_way()

    def shutdown(self) -> None:
        """See uvicorn: a request that is not whole is not waited for, and its sender may send it again."""
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
        if self._held is not None and self._patience is None:
            self._patience = self.loop.call_later(_PATIENCE_S, self._go_the_long_way)

    def _go_the_long_way(self) -> None:
        """Leave a request that is not whole to ASGI, which waits for the rest under its own limits."""
        held = self._release()
        if held is not None:
            super()._start_asgi_task(held.cycle, held.app)

    def _release(self) -> _Held | None:
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

    def _answer(self, held: _Held, wire_bytes: int, content: bytes, judged: Judged) -> None:
        cycle = held.cycle
        if cycle.response_started:
            return
        is_usual = cycle.keep_alive and not cycle.disconnected and not self.flow.write_paused
        success = held.endpoint.success(judged, wire_bytes) if is_usual else None
        if success is None:
            self._answer_through_asgi(held, held.endpoint.answering(content, judged, wire_bytes))
            return
        self._telemetry.add(HTTP_RESPONSES, 1, "POST", "200")
        lines = [b"HTTP/1.1 200 OK\r\n"]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"".join([*lines, success]))
        self.on_response_complete()

    def _answer_through_asgi(self, held: _Held, answer: ASGIApp) -> None:
        app: Any = CountRequests(answer, self._telemetry)
        super()._start_asgi_task(held.cycle, app)
