"""Results of checks as telemetry, in the names that applications' own checks have (docs/app/health-checks.md)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from spanglass_core.attribute_names import (
    HEALTH_CHANGED_EVENT,
    HEALTH_CHECK_CRITICAL,
    HEALTH_CHECK_KIND,
    HEALTH_CHECK_NAME,
    HEALTH_CHECK_UID,
    HEALTH_DETAIL,
    HEALTH_PREVIOUS_STATUS,
    HEALTH_STATUS,
)
from spanglass_server.health.model import VALUES, Status
from spanglass_server.service_names import OWN_SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.health.check import Check
    from spanglass_server.health.model import Run

STATUS_METRIC: Final = "spanglass.health.check.status"
DURATION_METRIC: Final = "spanglass.health.check.duration"
_INSTANCE: Final = "health-checks"
_SCOPE: Final = "spanglass.health"
#: Bounds of durations in seconds, those of OpenTelemetry's HTTP metrics.
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


@dataclass(frozen=True, slots=True)
class Point:
    """How a check stands at a time; ``run`` is None where it only was looked at."""

    check: Check
    run: Run | None
    status: Status
    time_ns: int


@dataclass(frozen=True, slots=True)
class Event:
    """A check has another status."""

    check: Check
    previous: Status
    status: Status
    detail: str
    time_ns: int


def encode_points(points: Sequence[Point]) -> bytes:
    """A request of metrics: the status of each check that is known, and how long each run took."""
    request = ExportMetricsServiceRequest()
    for service, own in _by_service(points, lambda point: point.check):
        resource = request.resource_metrics.add()
        _resource(resource.resource, service)
        scope = resource.scope_metrics.add()
        scope.scope.name = _SCOPE
        status, duration = scope.metrics.add(), scope.metrics.add()
        status.name, duration.name, duration.unit = STATUS_METRIC, DURATION_METRIC, "s"
        duration.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        for point in own:
            if point.status in VALUES:
                at = status.gauge.data_points.add(time_unix_nano=point.time_ns, as_double=VALUES[point.status])
                _attributes(at, point.check)
            if point.run is not None:
                _add_duration(duration.histogram.data_points.add(), point.check, point.run)
    return request.SerializeToString()


def _add_duration(point: Any, check: Check, run: Run) -> None:
    """One run is a histogram of one value, as a difference: so no run is told twice, and none is lost by a restart."""
    seconds = run.latency_ns / 1e9
    point.start_time_unix_nano = run.started_ns
    point.time_unix_nano = run.started_ns + max(1, run.latency_ns)
    point.count, point.sum, point.min, point.max = 1, seconds, seconds, seconds
    place = next((number for number, bound in enumerate(_BOUNDS) if seconds <= bound), len(_BOUNDS))
    point.explicit_bounds.extend(_BOUNDS)
    point.bucket_counts.extend(int(number == place) for number in range(len(_BOUNDS) + 1))
    _attributes(point, check)


def encode_events(events: Sequence[Event]) -> bytes:
    """A request of log records."""
    request = ExportLogsServiceRequest()
    for service, own in _by_service(events, lambda event: event.check):
        resource = request.resource_logs.add()
        _resource(resource.resource, service)
        scope = resource.scope_logs.add()
        scope.scope.name = _SCOPE
        for event in own:
            number = _severity(event)
            record = scope.log_records.add(
                time_unix_nano=event.time_ns,
                observed_time_unix_nano=event.time_ns,
                severity_number=number,
                severity_text=SeverityNumber.Name(number).rpartition("_")[2],
                event_name=HEALTH_CHANGED_EVENT,
            )
            said = f": {event.detail}" if event.detail else ""
            record.body.string_value = f"health check {event.check.name} is {event.status}{said}"
            _attributes(record, event.check)
            _text(record, HEALTH_STATUS, event.status)
            if event.previous is not Status.UNKNOWN:
                _text(record, HEALTH_PREVIOUS_STATUS, event.previous)
            if event.detail:
                _text(record, HEALTH_DETAIL, event.detail)
    return request.SerializeToString()


def _severity(event: Event) -> SeverityNumber.ValueType:
    if event.status is Status.HEALTHY:
        return SeverityNumber.SEVERITY_NUMBER_INFO
    is_error = event.check.critical and event.status is Status.UNHEALTHY
    return SeverityNumber.SEVERITY_NUMBER_ERROR if is_error else SeverityNumber.SEVERITY_NUMBER_WARN


def _by_service(told: Sequence[Any], check_of: Callable[[Any], Check]) -> list[tuple[str, list[Any]]]:
    def service_of(each: Any) -> str:
        return check_of(each).service or OWN_SERVICE

    return [(service, list(own)) for service, own in groupby(sorted(told, key=service_of), key=service_of)]


def _resource(resource: Any, service: str) -> None:
    _text(resource, "service.name", service)
    _text(resource, "service.instance.id", _INSTANCE)


def _attributes(message: Any, check: Check) -> None:
    _text(message, HEALTH_CHECK_NAME, check.name)
    _text(message, HEALTH_CHECK_UID, check.uid)
    _text(message, HEALTH_CHECK_KIND, check.kind)
    message.attributes.add(key=HEALTH_CHECK_CRITICAL).value.bool_value = check.critical


def _text(message: Any, key: str, text: str) -> None:
    message.attributes.add(key=key).value.string_value = text
