"""Made-up log records and metric data points of the shop."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from loadgen.shop import EXCEPTIONS, SERVICES, exception_message, put_attributes, put_exception, put_resource
from loadgen.traces import BASE_TIME_NS

if TYPE_CHECKING:
    import random

RECORDS_PER_BODY = 500
#: Every instance of every service; each metrics body is one export of one of them.
INSTANCES = [(name, instance) for name, service in SERVICES.items() for instance in range(service.instances)]

_SEVERITIES = [(5, "DEBUG"), (9, "INFO"), (13, "WARN"), (17, "ERROR")]
_LINES = [
    "request completed in {n} ms",
    "cache miss for key session:u-{n:06d}",
    "retrying upstream call attempt {k}/5 after {n} ms",
    "order {n} created for tenant-{t:04d} total={n}.{k}0 EUR",
    "slow query detected: SELECT * FROM orders WHERE id = {n} took {n} ms",
    "user u-{n:06d} logged in from 10.0.{k}.{t}",
]
_GAUGES = (
    "process.memory.usage",
    "process.cpu.utilization",
    "jvm.thread.count",
    "db.client.connection.count",
    "system.network.io",
)
_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]


def logs_request(rng: random.Random) -> tuple[bytes, int]:
    """One export request of 500 log records of four services; and how many are errors."""
    request, errors = ExportLogsServiceRequest(), 0
    for service in rng.sample(list(SERVICES), 4):
        resource_logs = request.resource_logs.add()
        put_resource(resource_logs.resource, service, rng.randrange(SERVICES[service].instances))
        scope_logs = resource_logs.scope_logs.add()
        scope_logs.scope.name = f"{service}.app"
        for _ in range(RECORDS_PER_BODY // 4):
            errors += _put_log(scope_logs.log_records.add(), service, rng)
    return request.SerializeToString(), errors


def _put_log(record: object, service: str, rng: random.Random) -> bool:
    """Fill one log record; returns whether it is an error."""
    record.time_unix_nano = BASE_TIME_NS + rng.randrange(1, 1_500_000_000)
    record.observed_time_unix_nano = record.time_unix_nano + 1_000_000
    record.severity_number, record.severity_text = rng.choices(_SEVERITIES, [10, 75, 10, 5])[0]
    line = rng.choice(_LINES)
    record.body.string_value = line.format(n=rng.randrange(1, 99999), k=rng.randrange(1, 6), t=rng.randrange(200))
    put_attributes(
        record.attributes,
        (
            ("app.tenant.id", f"tenant-{rng.randrange(200):04d}"),
            ("enduser.id", f"u-{rng.randrange(50000):06d}"),
            ("code.function.name", rng.choice(["handle", "execute", "commit", "render"])),
            ("code.line.number", rng.randrange(1, 900)),
            ("thread.name", f"worker-{rng.randrange(16)}"),
            ("http.request.method", rng.choice(["GET", "POST"])),
        ),
    )
    failed = record.severity_text == "ERROR"
    if failed:
        kind, template = EXCEPTIONS[rng.randrange(len(EXCEPTIONS))]
        message = exception_message(rng, template)
        put_exception(record.attributes, service, kind, message, rng.randrange(3))
    if rng.random() < 0.7:
        record.trace_id, record.span_id, record.flags = rng.randbytes(16), rng.randbytes(8), 1
    return failed


class MetricsMaker:
    """Makes exports of data points whose cumulative values grow from one export of an instance to its next."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.totals: dict[tuple[str, int, int], int] = {}
        self.buckets: dict[tuple[str, int, int], list[int]] = {}
        self.turn = count()

    def request(self) -> bytes:
        """Make the next export: 100 gauge points, 200 counter points and 200 histogram points of one instance."""
        service, instance = INSTANCES[next(self.turn) % len(INSTANCES)]
        request = ExportMetricsServiceRequest()
        resource_metrics = request.resource_metrics.add()
        put_resource(resource_metrics.resource, service, instance)
        scope_metrics = resource_metrics.scope_metrics.add()
        scope_metrics.scope.name = "bench"
        for name in _GAUGES:
            self._gauge(scope_metrics.metrics.add(), name)
        self._counter(scope_metrics.metrics.add(), service, instance)
        self._histogram(scope_metrics.metrics.add(), service, instance)
        return request.SerializeToString()

    def _gauge(self, metric: object, name: str) -> None:
        metric.name, metric.unit = name, "1"
        for index in range(20):
            point = metric.gauge.data_points.add()
            point.time_unix_nano, point.as_double = BASE_TIME_NS + 1_000_000_000, self.rng.random() * 1e6
            put_attributes(point.attributes, (("pool", f"p{index}"), ("state", ["idle", "used"][index % 2])))

    def _counter(self, metric: object, service: str, instance: int) -> None:
        metric.name, metric.unit = "http.server.requests", "{request}"
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
        for index in range(200):
            key = (service, instance, index)
            self.totals[key] = self.totals.get(key, 0) + self.rng.randrange(50)
            point = metric.sum.data_points.add()
            point.as_int = self.totals[key]
            _put_series(point, index)

    def _histogram(self, metric: object, service: str, instance: int) -> None:
        metric.name, metric.unit = "http.server.request.duration", "s"
        metric.histogram.aggregation_temporality = 2
        for index in range(300, RECORDS_PER_BODY):
            buckets = self.buckets.setdefault((service, instance, index), [0] * (len(_BOUNDS_S) + 1))
            for position in range(len(buckets)):
                buckets[position] += self.rng.randrange(6)
            point = metric.histogram.data_points.add()
            point.bucket_counts.extend(buckets)
            point.explicit_bounds.extend(_BOUNDS_S)
            point.count = sum(buckets)
            point.sum = point.count * 0.08
            _put_series(point, index)


def _put_series(point: object, index: int) -> None:
    point.start_time_unix_nano, point.time_unix_nano = BASE_TIME_NS, BASE_TIME_NS + 1_000_000_000
    put_attributes(
        point.attributes,
        (
            ("http.route", f"/r/{index % 40}"),
            ("http.request.method", ["GET", "POST"][index // 40 % 2]),
            ("http.response.status_code", [200, 404, 500][index // 80 % 3]),
        ),
    )
