"""How long after its acknowledgement a trace is found by its id."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadgen.scenario import fresh_server
from loadgen.transports import Http

if TYPE_CHECKING:
    from loadgen.server import ServerProcess


def one_span(trace_id: bytes, now_ns: int) -> bytes:
    """Encode a request with a single span of a known trace."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    attribute = resource.resource.attributes.add(key="service.name")
    attribute.value.string_value = "probe"
    span = resource.scope_spans.add().spans.add(trace_id=trace_id, span_id=secrets.token_bytes(8), name="probe")
    span.start_time_unix_nano, span.end_time_unix_nano = now_ns - 1_000_000, now_ns
    return request.SerializeToString()


def time_to_visible_ms(server: ServerProcess, limit_s: float = 10.0) -> float:
    """Send one span, and time from its acknowledgement to the first answer that has it (NaN past the limit)."""
    trace_id = secrets.token_bytes(16)
    transport = Http(server.port, "traces")
    outcome = transport.send(one_span(trace_id, time.time_ns()))
    acknowledged = time.perf_counter()
    transport.close()
    while not outcome.error and time.perf_counter() - acknowledged < limit_s:
        if server.request("GET", f"/api/v1/traces/{trace_id.hex()}").status == 200:
            return (time.perf_counter() - acknowledged) * 1000
        time.sleep(0.005)
    return float("nan")


def probe(count: int = 50) -> dict[str, float]:
    """Time some spans on a quiet server."""
    with fresh_server() as server:
        times_ms = [time_to_visible_ms(server) for _ in range(count)]
    return {"p50_ms": float(np.median(times_ms)), "max_ms": float(np.max(times_ms))}
