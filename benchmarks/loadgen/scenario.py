"""One measured run: a fresh server, a stream of bodies, and what both used."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadgen.prepared import Stream
from loadgen.process import PeakMemory, cpu_seconds, disk_bytes, resident_bytes, settle
from loadgen.sending import Ready, Sender
from loadgen.server import SPANGLASS, ServerProcess
from loadgen.transports import factory, spans_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadgen.prepared import Bodies
    from loadgen.sending import Source, Tally

NS = 1_000_000_000
#: Signal of the API's counters for each kind of body.
SIGNALS = {"traces": "spans", "logs": "logs", "metrics": "metrics"}


@dataclass(frozen=True)
class Scenario:
    """What is sent, and how. ``bodies`` of 0 means all that are prepared."""

    name: str
    kind: str = "traces"
    protocol: str = "http"
    bodies: int = 0
    turns: int = 1
    connections: int = 4
    rate_per_s: float | None = None  # bodies; None is as fast as they are taken
    window_s: int = 3600
    settled: bool = True  # wait for flush and compaction, and count them
    split_spans: int = 0  # cut trace bodies into requests of this many spans


@contextmanager
def fresh_server(settings: dict[str, str] | None = None, program: str = SPANGLASS) -> Iterator[ServerProcess]:
    """Start a server on a new data directory; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="spanglass-bench-"))
    try:
        with ServerProcess(folder / "data", settings, program=program) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def source_of(scenario: Scenario, bodies: Bodies, now_ns: int) -> Source:
    """Make the bodies of a scenario, ending two seconds ago."""
    end_ns = now_ns - 2 * NS
    stream = Stream(bodies, scenario.bodies, scenario.turns, end_ns - scenario.window_s * NS, end_ns)
    if scenario.protocol == "json":
        return Ready([spans_as_json(stream.item(position)[0]) for position in range(len(stream))], bodies.records(0))
    if scenario.split_spans:
        parts = [part for at in range(len(stream)) for part in split(stream.item(at)[0], scenario.split_spans)]
        return Ready(parts, scenario.split_spans)
    return stream


def split(body: bytes, spans: int) -> list[bytes]:
    """Cut a trace request into requests of exactly so many spans, each with its resources; a rest is left out."""
    whole = ExportTraceServiceRequest.FromString(body)
    flat = [
        (resource, scope, span)
        for resource in whole.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    requests = []
    for first in range(0, len(flat) - spans + 1, spans):
        request, current = ExportTraceServiceRequest(), None
        for resource, scope, span in flat[first : first + spans]:
            if scope is not current:
                current = scope
                target = request.resource_spans.add(schema_url=resource.schema_url)
                target.resource.CopyFrom(resource.resource)
                target = target.scope_spans.add()
                target.scope.CopyFrom(scope.scope)
            target.spans.add().CopyFrom(span)
        requests.append(request.SerializeToString())
    return requests


def send(scenario: Scenario, server: ServerProcess, source: Source) -> Tally:
    """Send a scenario's bodies to a running server."""
    connect = factory(scenario.protocol, server.port, server.grpc_port, scenario.kind)
    return Sender(connect, source, connections=scenario.connections, rate_per_s=scenario.rate_per_s).run()


def measure(scenario: Scenario, bodies: Bodies, program: str = SPANGLASS) -> dict[str, Any]:
    """Run a scenario on a server of its own and return one row of the table."""
    source = source_of(scenario, bodies, time.time_ns())
    with fresh_server(program=program) as server:
        time.sleep(2)  # what start-up leaves behind, imports and first pages, is not the load's
        idle_bytes, idle_cpu_s = resident_bytes(server.pid), cpu_seconds(server.pid)
        with PeakMemory(server.pid) as memory:
            tally = send(scenario, server, source)
            sent_cpu_s = cpu_seconds(server.pid) - idle_cpu_s
            visible_s = wait_until_visible(server, scenario.kind, tally.accepted)
            waited_s = settle(server.pid, server.data) if scenario.settled else None
        total_cpu_s = cpu_seconds(server.pid) - idle_cpu_s
        millions = max(tally.accepted, 1) / 1e6
        row = {
            "scenario": scenario.name,
            "records": tally.accepted,
            "per_s": round(tally.per_second),
            "cpu_s_per_M": total_cpu_s / millions if scenario.settled else None,
            "sending_cpu_s_per_M": sent_cpu_s / millions,
            "p50_ms": tally.quantile_ms(0.5),
            "p99_ms": tally.quantile_ms(0.99),
            "idle_MB": idle_bytes / 1e6,
            "peak_MB": memory.peak_bytes / 1e6,
            "visible_ms": visible_s * 1000,
            "settle_s": waited_s,
            "bytes_per_record": disk_bytes(server.data) / max(tally.accepted, 1) if scenario.settled else None,
            "client_cpu_s_per_M": tally.client_cpu_s / millions,
            "rejected": tally.rejected,
            "failed": tally.failed,
            "errors": dict(tally.errors) or "none",
        }
        server.stop()
    return row


def wait_until_visible(server: ServerProcess, kind: str, records: int, limit_s: float = 30.0) -> float:
    """Wait until the server counts every acknowledged record; returns the seconds it took, or NaN past the limit."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < limit_s:
        if count_records(server, kind) == records:
            return time.perf_counter() - begun
        time.sleep(0.1)
    return float("nan")


def count_records(server: ServerProcess, kind: str) -> int:
    """Ask the server's SQL how many records of a kind it has."""
    answer = server.request(
        "POST",
        "/api/v1/sql",
        f'{{"sql": "SELECT count(*) FROM {SIGNALS[kind]}"}}'.encode(),  # noqa: S608 - a name of the table above
        {"Content-Type": "application/json"},
    )
    return answer.json()["rows"][0][0] if answer.status == 200 else -1
