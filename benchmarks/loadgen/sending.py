"""Send a stream of bodies over several connections, as fast as they are taken or at a fixed rate, and count answers."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadgen.transports import Transport

#: A request refused this often in a row is given up.
_MAX_TRIES = 200
_MAX_WAIT_S = 5.0


class Source(Protocol):
    """Something that has bodies in order."""

    def __len__(self) -> int:
        """How many there are."""

    def item(self, position: int) -> tuple[bytes, int]:
        """Return one body and its number of records."""


class Ready:
    """Bodies that are kept in memory, each with the same number of records."""

    def __init__(self, bodies: Sequence[bytes], records_each: int) -> None:
        self.bodies, self.records_each = bodies, records_each

    def __len__(self) -> int:
        return len(self.bodies)

    def item(self, position: int) -> tuple[bytes, int]:
        """Return one body and its number of records."""
        return self.bodies[position], self.records_each


@dataclass
class Tally:
    """What came back."""

    accepted: int = 0
    rejected: int = 0
    failed: int = 0  # records of requests that were given up
    sent_bytes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    client_cpu_s: float = 0.0

    def quantile_ms(self, q: float) -> float:
        """Return a quantile of the acknowledgement time in milliseconds."""
        return float(np.quantile(self.latencies_s, q)) * 1000 if self.latencies_s else float("nan")

    @property
    def per_second(self) -> float:
        """Records acknowledged per second."""
        return self.accepted / self.wall_s


class Sender:
    """Workers that share one stream of bodies.

    With ``rate_per_s`` (bodies), a body is due at a fixed time whether or not those before it were answered, and
    latency counts from that time: a server that stalls is not excused by a client that waits for it.
    """

    def __init__(
        self, connect: Callable[[], Transport], source: Source, *, connections: int = 4, rate_per_s: float | None = None
    ) -> None:
        self.connect, self.source, self.connections = connect, source, connections
        self.rate_per_s = rate_per_s
        self.positions = count()
        self.tally = Tally()
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def run(self) -> Tally:
        """Send everything and wait for the last answer."""
        cpu_s = time.process_time()
        self.begun = time.perf_counter()
        workers = [threading.Thread(target=self._work, daemon=True) for _ in range(self.connections)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.tally.wall_s = time.perf_counter() - self.begun
        self.tally.client_cpu_s = time.process_time() - cpu_s
        return self.tally

    def _work(self) -> None:
        transport = self.connect()
        while not self.stopped.is_set() and (position := next(self.positions)) < len(self.source):
            body, records = self.source.item(position)
            due = time.perf_counter()
            if self.rate_per_s:
                due = self.begun + position / self.rate_per_s
                time.sleep(max(0.0, due - time.perf_counter()))
            self._deliver(transport, body, records, due)
        transport.close()

    def _deliver(self, transport: Transport, body: bytes, records: int, due: float) -> None:
        """Send one body until it is taken or given up."""
        for _ in range(_MAX_TRIES):
            outcome = transport.send(body)
            if not outcome.error:
                break
            with self.lock:
                self.tally.errors[outcome.error] += 1
            if not outcome.retryable or self.stopped.wait(min(outcome.retry_after_s, _MAX_WAIT_S)):
                break
        waited_s = time.perf_counter() - due
        with self.lock:
            if outcome.error:
                self.tally.failed += records
                return
            self.tally.latencies_s.append(waited_s)
            self.tally.sent_bytes += len(body)
            self.tally.rejected += outcome.rejected
            self.tally.accepted += records - outcome.rejected
