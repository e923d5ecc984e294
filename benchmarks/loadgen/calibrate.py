"""How fast this machine is right now: a bare protobuf parse of the bodies that are sent.

Shared machines drift by a factor of 1.6 within an hour, so figures of two runs compare only beside this one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from loadgen.prepared import Bodies


def parse_cpu_s_per_million(bodies: Bodies, count: int = 1000) -> float:
    """Return processor seconds that parsing a million of these spans with the official parser takes."""
    raw = [bodies.body(index, 0) for index in range(min(count, len(bodies)))]
    begun = time.thread_time()
    for body in raw:
        ExportTraceServiceRequest.FromString(body)
    spans = sum(bodies.records(index) for index in range(len(raw)))
    return (time.thread_time() - begun) / spans * 1e6
