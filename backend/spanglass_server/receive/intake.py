"""What both transports do with a request, once the transport's own part is taken off."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.ingest.ports import Form, IngestError, Refusal
from spanglass_server.receive.misdirected import explain_misdirected
from spanglass_server.receive.ports import NoCounters, ReceiveCounters, ReceiveLimits
from spanglass_server.receive.rejections import PARTIAL, Rejection, Rejections
from spanglass_server.receive.status import Reason, RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.ingest.budget import Reservation
    from spanglass_server.ingest.ports import Accepted, Ingest, Judged
    from spanglass_server.receive.ports import Authorize
    from spanglass_server.receive.rejections import Sender
    from spanglass_server.signals import Signal

_log = logging.getLogger(__name__)


def anyone(_authorization: str | None) -> bool:
    """Allow every sender: for servers that only listen on loopback."""
    return True


@dataclass(frozen=True, slots=True)
class Intake:
    """The way from receivers to ingest: who may send, how much at once, and what is counted.

    Receivers with limits of their own have an intake each, made with ``dataclasses.replace``: what they reject is
    remembered in one place.
    """

    ingest: Ingest
    limits: ReceiveLimits = field(default_factory=ReceiveLimits)
    authorize: Authorize = anyone
    counters: ReceiveCounters = field(default_factory=NoCounters)
    rejections: Rejections = field(default_factory=lambda: Rejections(time.time_ns))
    intervals: Callable[[], str] = lambda: ""  # what senders of metrics are told, see store/collection.py

    def check_sender(self, authorization: str | None) -> None:
        """Raise ``RequestRefusedError`` (UNAUTHENTICATED) if this Authorization header doesn't allow sending."""
        if not self.authorize(authorization):
            raise RequestRefusedError(
                Reason.UNAUTHENTICATED,
                "the ingest token is missing or wrong; send the header 'Authorization: Bearer <token>', for example "
                "with OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<token>",
            )

    def admit(self, size_bytes: int) -> Reservation:
        """Reserve room for a body of this size (0: not known yet); ``RequestRefusedError`` if there is none now."""
        try:
            return self.ingest.admit(size_bytes)
        except IngestError as error:
            raise RequestRefusedError.of_ingest(error) from None

    async def submit(self, signal: Signal, body: bytes, reservation: Reservation, form: Form = Form.OTLP) -> Accepted:
        """Hand protobuf to ingest; return when it is durable. Raises ``RequestRefusedError`` and nothing else."""
        try:
            judged: Judged = await self.ingest.submit(signal, body, reservation, form)
        except IngestError as error:
            judged = error.with_traceback(None)  # which has this frame: a cycle that would keep the body
        except Exception:  # noqa: BLE001 - whatever it was, the client may keep its data and try again
            _log.exception("ingest failed on a request of %d bytes of %s", len(body), signal)
            raise RequestRefusedError(
                Reason.INTERNAL, "the server failed on this request; its log says why; send it again later"
            ) from None
        return self.taken(signal, body, judged, form)

    def offer(self, signal: Signal, body: bytes, answer: Callable[[Judged], None]) -> None:
        """Hand OTLP to ingest, which calls ``answer`` with its fate; ``RequestRefusedError`` without room for it."""
        try:
            self.ingest.offer(signal, body, answer)
        except IngestError as error:
            raise RequestRefusedError.of_ingest(error) from None

    def taken(self, signal: Signal, body: bytes, judged: Judged, form: Form = Form.OTLP) -> Accepted:
        """What was taken of a body that ingest has judged; ``RequestRefusedError`` if that is nothing."""
        is_otlp = form is Form.OTLP
        if isinstance(judged, IngestError):
            is_malformed = judged.refusal is Refusal.MALFORMED
            problem = explain_misdirected(signal, body) if is_malformed and is_otlp else None
            if problem is not None:
                raise RequestRefusedError(Reason.MALFORMED, problem) from None
            raise RequestRefusedError.of_ingest(judged) from None
        problem = explain_misdirected(signal, body) if body and not judged.accepted and is_otlp else None
        if problem is not None:  # nothing of it was stored
            raise RequestRefusedError(Reason.MALFORMED, problem)
        return judged

    def refuse(self, signal: Signal, transport: str, error: RequestRefusedError, sender: Sender) -> None:
        """Count and remember a request that was refused whole."""
        self.counters.refused(signal, transport, error.reason.value)
        self.rejections.add(
            Rejection(
                signal,
                transport,
                error.reason.value,
                error.message,
                sender,
                retryable=error.reason.codes.retryable,
            )
        )

    def accept(
        self, signal: Signal, transport: str, encoding: str, size_bytes: int, accepted: Accepted, sender: Sender
    ) -> None:
        """Count a request that was stored, and remember the records that were left out of it."""
        self.counters.received(signal, transport, encoding, size_bytes)
        if accepted.rejected and not accepted.duplicate:
            self.rejections.add(Rejection(signal, transport, PARTIAL, accepted.message, sender, accepted.rejected))
