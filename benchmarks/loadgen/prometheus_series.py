"""One million points of 14,500 series of Prometheus over an hour, as remote write and as OTLP: the same points.

29 instances have each 200 counters (``http_requests_total``), 100 gauges (``queue_length``) and 20 histograms with 8
bounds (``http_request_duration_seconds``, 10 series each); a point of each every 52 seconds.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

INSTANCES, ROUTES, STEP_MS, STEPS = 29, 20, 52_000, 69
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY")
QUEUES = 100
BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
SERIES = INSTANCES * (ROUTES * len(METHODS) + QUEUES + ROUTES * (len(BOUNDS) + 3))
POINTS = SERIES * STEPS
JOB = "shop"
_BEFORE = 1_000_000


class Shop:
    """The state of all instances; each step adds to it. From a fixed seed: the same on every machine."""

    def __init__(self) -> None:
        self._random = random.Random(20_260_101)
        # not from zero: Prometheus 2 and 3 differ in how they extrapolate to there
        self.requests = [[_BEFORE] * (ROUTES * len(METHODS)) for _ in range(INSTANCES)]
        self.queues = [[0.0] * QUEUES for _ in range(INSTANCES)]
        self.buckets = [[[_BEFORE] * (len(BOUNDS) + 1) for _ in range(ROUTES)] for _ in range(INSTANCES)]
        self.sums = [[0.0] * ROUTES for _ in range(INSTANCES)]

    def step(self) -> None:
        """Let 52 seconds pass."""
        rng = self._random
        for instance in range(INSTANCES):
            requests = self.requests[instance]
            for place in range(len(requests)):
                requests[place] += rng.randrange(500)
            self.queues[instance] = [rng.random() * 100 for _ in range(QUEUES)]
            for route in range(ROUTES):
                buckets = self.buckets[instance][route]
                for place in range(len(buckets)):
                    buckets[place] += rng.randrange(60)
                self.sums[instance][route] += rng.random() * 100

    def samples(self, instance: int) -> Iterator[tuple[dict[str, str], float]]:
        """Every series of an instance with its value, as Prometheus would have scraped it."""
        common = {"instance": name_of(instance), "job": JOB}
        for place, total in enumerate(self.requests[instance]):
            route, method = divmod(place, len(METHODS))
            labels = {"http_route": f"/r{route}", "method": METHODS[method]}
            yield {"__name__": "http_requests_total", **common, **labels}, float(total)
        for place, length in enumerate(self.queues[instance]):
            yield {"__name__": "queue_length", **common, "queue": f"q{place}"}, length
        for route in range(ROUTES):
            labels, below = {**common, "http_route": f"/r{route}"}, 0
            for bound, count in zip((*BOUNDS, "+Inf"), self.buckets[instance][route], strict=True):
                below += count
                yield {"__name__": "http_request_duration_seconds_bucket", **labels, "le": _text(bound)}, float(below)
            yield {"__name__": "http_request_duration_seconds_count", **labels}, float(below)
            yield {"__name__": "http_request_duration_seconds_sum", **labels}, self.sums[instance][route]


def name_of(instance: int) -> str:
    """The label ``instance``."""
    return f"10.0.0.{instance}:8080"


def _text(bound: float | str) -> str:
    return bound if isinstance(bound, str) else f"{bound:g}"


def remote_writes(start_ms: int) -> Iterator[bytes]:
    """Bodies of remote write 1.0, one for each instance at each step; they end at ``start_ms + 68 * STEP_MS``."""
    shop = Shop()
    for step in range(STEPS):
        shop.step()
        time = _varint(start_ms + step * STEP_MS)
        for instance in range(INSTANCES):
            written = (
                _field(1, _label_fields(labels) + _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + time))
                for labels, value in shop.samples(instance)
            )
            yield _snappy(b"".join(written))


def otlp_exports(start_ms: int) -> Iterator[bytes]:
    """Bodies of OTLP, one for each instance at each step, of which the same series come."""
    shop = Shop()
    for step in range(STEPS):
        shop.step()
        for instance in range(INSTANCES):
            yield _export(shop, instance, start_ms, start_ms + step * STEP_MS)


def _export(shop: Shop, instance: int, start_ms: int, time_ms: int) -> bytes:
    request = ExportMetricsServiceRequest()
    resource_metrics = request.resource_metrics.add()
    for key, value in (("service.name", JOB), ("service.instance.id", name_of(instance))):
        attribute = resource_metrics.resource.attributes.add()
        attribute.key, attribute.value.string_value = key, value
    metrics = resource_metrics.scope_metrics.add().metrics
    times = {"start_time_unix_nano": (start_ms - STEP_MS) * 1_000_000, "time_unix_nano": time_ms * 1_000_000}
    _counters(metrics.add(), shop.requests[instance], times)
    _gauges(metrics.add(), shop.queues[instance], times)
    _histograms(metrics.add(), shop, instance, times)
    return request.SerializeToString()


def _counters(metric: Metric, totals: list[int], times: dict[str, int]) -> None:
    metric.name = "http.requests"
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    for place, total in enumerate(totals):
        route, method = divmod(place, len(METHODS))
        point = metric.sum.data_points.add(as_double=float(total), **times)
        for key, value in (("http.route", f"/r{route}"), ("method", METHODS[method])):
            point.attributes.add(key=key).value.string_value = value


def _gauges(metric: Metric, lengths: list[float], times: dict[str, int]) -> None:
    metric.name = "queue.length"
    for place, length in enumerate(lengths):
        point = metric.gauge.data_points.add(as_double=length, **times)
        point.attributes.add(key="queue").value.string_value = f"q{place}"


def _histograms(metric: Metric, shop: Shop, instance: int, times: dict[str, int]) -> None:
    metric.name, metric.unit = "http.request.duration", "s"
    metric.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    for route, buckets in enumerate(shop.buckets[instance]):
        point = metric.histogram.data_points.add(
            count=sum(buckets), sum=shop.sums[instance][route], explicit_bounds=BOUNDS, bucket_counts=buckets, **times
        )
        point.attributes.add(key="http.route").value.string_value = f"/r{route}"


def _label_fields(labels: dict[str, str]) -> bytes:
    return b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(labels.items())
    )


def _field(number: int, content: bytes) -> bytes:
    """A field of protobuf that has a length."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _snappy(content: bytes) -> bytes:
    """Snappy's block format with literals only: valid, and not compressed."""
    parts = [_varint(len(content))]
    for begin in range(0, len(content), 65_536):
        literal = content[begin : begin + 65_536]
        parts.append(b"\xf4" + struct.pack("<H", len(literal) - 1) + literal)
    return b"".join(parts)
