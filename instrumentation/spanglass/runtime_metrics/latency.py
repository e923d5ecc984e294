"""How far away the server is: the time that a TCP connection takes to be made, one round trip of the network.

Measured beside the collection of metrics, so what does not answer holds nothing up.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from spanglass.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.metrics import Meter

    from spanglass.clock import Clock
    from spanglass.runtime_metrics.groups import Attributes

#: Host and port.
Target: TypeAlias = tuple[str, int]

TIMEOUT_S = 2.0
_MOST_TARGETS = 16
_PORTS = {"http": 80, "https": 443}

#: From a neighbour in the same machine to a satellite.
_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


def targets(endpoint: str, others: Sequence[str] = ()) -> list[Target]:
    """Read addresses: the server's URL, and what else was asked for, as ``host:port`` or as a URL."""
    found: dict[Target, None] = {}
    for text in (endpoint, *others):
        parts = urlsplit(text if "://" in text else f"tcp://{text}")
        port = parts.port or _PORTS.get(parts.scheme)
        if parts.hostname and port:
            found[parts.hostname, port] = None
    return list(found)[:_MOST_TARGETS]


class LatencyProbe:
    """Connects to each target and hangs up."""

    def __init__(self, meter: Meter, clock: Clock, to: Sequence[Target], timeout_s: float = TIMEOUT_S) -> None:
        self._clock = clock
        self._targets = to
        self._timeout_s = timeout_s
        self._latency = meter.create_histogram(
            "spanglass.network.latency",
            "s",
            "Time to make a TCP connection to the server, without looking up its name.",
            explicit_bucket_boundaries_advisory=_BOUNDS_S,
        )
        self._failures = meter.create_counter(
            "spanglass.network.probe.failures", "{failure}", "Attempts to connect that failed or took too long."
        )

    def probe(self) -> None:
        """Measure each target once."""
        for host, port in self._targets:
            attributes: Attributes = {"server.address": host, "server.port": port}
            try:
                duration_ns = self._connect_ns(host, port)
            except OSError as error:
                self._failures.add(1, {**attributes, "error.type": type(error).__qualname__})
            else:
                self._latency.record(duration_ns / NS_PER_S, attributes)

    def _connect_ns(self, host: str, port: int) -> int:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as connection:
            connection.settimeout(self._timeout_s)
            begin_ns = self._clock.monotonic_ns()
            connection.connect(address)
            return self._clock.monotonic_ns() - begin_ns
