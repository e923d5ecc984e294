"""What receivers are given from outside: limits, who may send, and where to count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.signals import Signal

    #: Whether the value of an ``Authorization`` header (None: there was none) allows sending.
    Authorize = Callable[[str | None], bool]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class ReceiveLimits:
    """Limits of one receiver. OTLP recommends 64 MiB a request, counted after decompression (specification 1.11)."""

    max_body_bytes: int = 64 * MIB
    body_timeout_s: float = 30.0  # for a whole body; exporters give up after 10 s themselves
    max_json_values: int = 1_000_000  # in one OTLP/JSON body: about 13 000 spans, and 150 MB once parsed
    max_concurrent_rpcs: int = 128  # gRPC only: one connection carries any number of requests at once


class ReceiveCounters(Protocol):
    """Where receivers count. Called on the event loop's thread, once a request; must be quick and never raise."""

    def received(self, signal: Signal, transport: str, encoding: str, size_bytes: int) -> None:
        """Count a request that was read whole and accepted by ingest.

        ``transport`` is ``http`` or ``grpc``, ``encoding`` is ``protobuf`` or ``json``, ``size_bytes`` counts the
        body as it came over the wire (compressed or not).
        """

    def refused(self, signal: Signal, transport: str, reason: str) -> None:
        """Count a request that was refused whole; ``reason`` is a value of ``receive.status.Reason``."""


class NoCounters:
    """Counts nothing."""

    def received(self, signal: Signal, transport: str, encoding: str, size_bytes: int) -> None:
        """Do nothing."""

    def refused(self, signal: Signal, transport: str, reason: str) -> None:
        """Do nothing."""
