"""What a small request costs: ten spans each, a few a second and two thousand a second."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loadgen.process import PeakMemory, cpu_seconds, resident_bytes
from loadgen.scenario import Scenario, fresh_server, send, source_of
from loadgen.sending import Ready
from loadgen.server import SPANGLASS

if TYPE_CHECKING:
    from loadgen.prepared import Bodies
    from loadgen.server import ServerProcess

SPANS_EACH = 10
#: Longer than the server keeps records in memory (30 s): what was put off until then is counted.
FLUSHED_S = 35
_SYNCS = re.compile(r'^spanglass_journal_fsync_seconds_bucket\{le="([0-9.]+)"\} ([0-9.e+]+)$', re.MULTILINE)
#: What start-up leaves behind, imports and first pages, is not the load's.
START_S = 2


@dataclass(frozen=True)
class SmallLoad:
    """Requests at a steady rate.

    ``warm_up_s`` of them are sent before anything is counted, so that what the server puts off runs all the while;
    ``after_s`` are waited at the end and counted, where the load is too short for that.
    """

    name: str
    rate_per_s: float
    seconds: float
    connections: int
    warm_up_s: int = 0
    after_s: int = 0

    def quick(self) -> SmallLoad:
        """Return a load for trying out."""
        return replace(self, seconds=3, warm_up_s=min(self.warm_up_s, 1), after_s=0)


LOADS = [
    SmallLoad("10 requests/s", rate_per_s=10, seconds=60, connections=4, warm_up_s=FLUSHED_S),
    SmallLoad("2,000 requests/s", rate_per_s=2000, seconds=30, connections=64, after_s=FLUSHED_S),
]


def requests_of(load: SmallLoad, bodies: Bodies) -> list[bytes]:
    """Cut prepared bodies into the requests of a load, those of the warm-up first; their times end two seconds ago."""
    wanted = int(load.rate_per_s * (load.warm_up_s + load.seconds))
    scenario = Scenario(load.name, bodies=-(-wanted * SPANS_EACH // bodies.records(0)), split_spans=SPANS_EACH)
    source = source_of(scenario, bodies, time.time_ns())
    requests = [source.item(position)[0] for position in range(min(wanted, len(source)))]
    if len(requests) < wanted:
        raise SystemExit(f"{load.name}: {wanted:,} requests are wanted, prepared are {len(requests):,}: more --bodies")
    return requests


def measure_small(load: SmallLoad, bodies: Bodies, program: str = SPANGLASS) -> dict[str, float]:
    """Run a load on a server of its own; returns its figures: processor milliseconds a request, times, memory."""
    requests = requests_of(load, bodies)
    first = int(load.rate_per_s * load.warm_up_s)
    with fresh_server(program=program) as server:
        time.sleep(START_S)
        shape = Scenario(load.name, connections=load.connections, rate_per_s=load.rate_per_s)
        if first:
            send(shape, server, Ready(requests[:first], SPANS_EACH))
        cpu_s, syncs = cpu_seconds(server.pid), syncs_by_bound(server)
        with PeakMemory(server.pid) as memory:
            tally = send(shape, server, Ready(requests[first:], SPANS_EACH))
            time.sleep(load.after_s)
        cpu_s, resident = cpu_seconds(server.pid) - cpu_s, resident_bytes(server.pid)
        sync_p99_s = bound_of(0.99, syncs, syncs_by_bound(server))
    count = len(requests) - first
    return {
        "requests": count,
        "per_s": tally.per_second / SPANS_EACH,
        "cpu_ms": cpu_s / count * 1000,
        "p50_ms": tally.quantile_ms(0.5),
        "p99_ms": tally.quantile_ms(0.99),
        "sync_p99_ms": sync_p99_s * 1000,
        "resident_MB": resident / 1e6,
        "peak_MB": memory.peak_bytes / 1e6,
        "failed": tally.failed,
    }


def syncs_by_bound(server: ServerProcess) -> dict[float, float]:
    """How many times the server has synced its journal, by the seconds that they took at most."""
    text = server.request("GET", "/metrics").body.decode()
    return {float(bound): float(count) for bound, count in _SYNCS.findall(text)}


def bound_of(share: float, before: dict[float, float], after: dict[float, float]) -> float:
    """The smallest bound, in seconds, that this share of the syncs between two looks did not exceed; else infinity."""
    counts = {bound: count - before.get(bound, 0) for bound, count in sorted(after.items())}
    most = max(counts.values(), default=0)
    return next((bound for bound, count in counts.items() if count >= share * most), float("inf"))
