"""What a receiver asks of ingest: one call, whose return means the records are safe on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.ingest.budget import Reservation
    from spanglass_server.signals import Signal


class Form(StrEnum):
    """The messages that a request is made of."""

    OTLP = "otlp"
    REMOTE_WRITE_1 = "remote_write_1"  # prometheus.WriteRequest
    REMOTE_WRITE_2 = "remote_write_2"  # io.prometheus.write.v2.Request


class Refusal(Enum):
    """Why a request was refused, and whether the client may send the same bytes again."""

    MALFORMED = "malformed"  # the bytes are not a request of this form: never retry
    TOO_LARGE = "too_large"  # past a limit: never retry
    OVERLOADED = "overloaded"  # too many bytes are waiting: retry
    UNAVAILABLE = "unavailable"  # the journal can't be written (disk full, read-only) or the server stops: retry

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self in (Refusal.OVERLOADED, Refusal.UNAVAILABLE)


class IngestError(Exception):
    """A request was refused whole: nothing of it is stored. The message names the field or the limit."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a request that was not refused whole (OTLP's partial success)."""

    accepted: int
    rejected: int = 0
    message: str = ""  # English; says why records were rejected, or warns
    duplicate: bool = False  # an exact resend, stored once before
    kinds: Mapping[str, int] = field(default_factory=dict)  # of remote write: what is stored, by kind of record


#: What became of a request.
Judged = Accepted | IngestError


class Ingest(Protocol):
    """The way in for receivers of any protocol: ``admit`` first, then ``submit`` with what was admitted."""

    def admit(self, size_bytes: int) -> Reservation:
        """Reserve room for a request of this size (0: not known yet), before it is read.

        The receiver grows the reservation while it reads. Raises ``IngestError`` (OVERLOADED, UNAVAILABLE) at once if
        nothing can be taken now.
        """

    async def submit(
        self, signal: Signal, body: bytes, reservation: Reservation | None = None, form: Form = Form.OTLP
    ) -> Accepted:
        """Take one request in protobuf (decompressed), and return once it is durable.

        In OTLP it is an Export<Signal>ServiceRequest; the other forms are of metrics.

        The body's bytes move from ``reservation`` to ingest, which holds them until the body is stored or refused,
        also when the caller is cancelled; without one, room is reserved here.

        Returning means: fsynced to the journal, and visible to queries that start from now on. Raises
        ``IngestError`` when nothing was stored. Cancelling the caller does not undo a submit under way.
        """

    def offer(
        self,
        signal: Signal,
        body: bytes,
        answer: Callable[[Judged], None],
        reservation: Reservation | None = None,
        form: Form = Form.OTLP,
    ) -> None:
        """Take one request as ``submit`` does, and have ``answer`` called with its fate, in the caller's event loop.

        It is called once, later, and must not raise. Raises ``IngestError`` if nothing can be taken.
        """

    @property
    def health(self) -> str | None:
        """None while records can be taken, else the reason in words for people."""
