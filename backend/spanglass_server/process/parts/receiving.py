"""What the receivers are given: their limits, and where they count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.receive.ports import ReceiveLimits
from spanglass_server.self_metrics import registry as own

if TYPE_CHECKING:
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.settings.settings import Settings
    from spanglass_server.signals import Signal


@dataclass(frozen=True, slots=True)
class Counters:
    """The receivers' counts, in the server's own telemetry."""

    telemetry: Telemetry

    def received(self, signal: Signal, transport: str, encoding: str, size_bytes: int) -> None:
        """See ``ReceiveCounters``."""
        self.telemetry.add(own.RECEIVED_REQUESTS, 1, signal, transport, encoding)
        self.telemetry.add(own.RECEIVED_BYTES, size_bytes, signal, transport, encoding)

    def refused(self, signal: Signal, transport: str, reason: str) -> None:
        """See ``ReceiveCounters``."""
        self.telemetry.add(own.REFUSED_REQUESTS, 1, signal, transport, reason)


def receive_limits(settings: Settings, max_body_bytes: int) -> ReceiveLimits:
    """The limits of a transport, by its largest message."""
    ingest = settings.ingest
    return ReceiveLimits(
        max_body_bytes=max_body_bytes,
        body_timeout_s=ingest.body_timeout_ns / 1e9,
        max_json_values=ingest.max_json_values,
        max_concurrent_rpcs=ingest.max_concurrent_rpcs,
    )
