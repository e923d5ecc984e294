"""Services and their operations: rate, errors and latency, for a range and over time.

A *request* is a span of kind server or consumer; a service that has none counts its root spans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from spanglass_server.query.answers import (
    Nanoseconds,
    Percentiles,
    SampledShare,
    Slot,
    SpanKind,
    Time,
    TimeRange,
    UnixSeconds,
)
from spanglass_server.query.services.estimates import sampled_share
from spanglass_server.query.services.measuring import REQUESTS, ROOTS, SPANS, Measuring, named
from spanglass_server.query.traces.identity import kind_name
from spanglass_server.query.window import Buckets, bucket_seconds, covered_s_of, describe
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from spanglass_server.query.services.measuring import Order
    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]
#: What stands in for a group without spans.
_NO_QUANTILES = (None, None, None)
_NOTHING: Row = {"requests": 0, "errors": 0, "quantiles_ns": None, "stored": None}


class Requests(TypedDict):
    """How many requests, and how many of them failed."""

    requests: int
    errors: int


class Rates(Requests):
    """Requests over a range."""

    rate_per_s: float
    error_ratio: float


class Bucket(Requests):
    """Requests of a bucket that starts at ``t``."""

    t: UnixSeconds


class ServicePoint(Bucket):
    """A point of the series in a list of services."""

    p95_ns: Nanoseconds | None


class Service(Rates, Percentiles):
    """One service with the figures of its requests."""

    service: str
    slot: Slot
    spans: int
    sampled_share: SampledShare
    last_seen_time: Time
    series: NotRequired[list[ServicePoint]]


class ServiceList(TypedDict):
    """The answer of ``GET /api/v1/services``."""

    window: TimeRange
    services: list[Service]


class Operation(Rates, Percentiles):
    """Spans of one name and kind."""

    operation: str
    kind: SpanKind
    total_ns: Nanoseconds
    sampled_share: SampledShare


class OperationList(TypedDict):
    """The answer of ``GET /api/v1/services/{service}/operations``."""

    window: TimeRange
    service: str
    operations: list[Operation]


class Point(Bucket, Percentiles):
    """A point of a service's series."""


class Series(TypedDict):
    """The answer of ``GET /api/v1/services/{service}/series``."""

    window: TimeRange
    step_s: float
    points: list[Point]
    sampled_share: SampledShare


def list_services(session: QuerySession, window: Window, buckets: int) -> ServiceList:
    """Answer ``GET /api/v1/services``, most requests first; without buckets the series are left out.

    Ids of parents do not compress, so they are read only for services that have no requests.
    """
    steps = Buckets.about(window, buckets) if buckets else None
    measuring = Measuring(session, window)
    totals = measuring.totals()
    measured = measuring.requests(REQUESTS, steps, whole=steps is not None)
    others = [total["service"] for total in totals if total["service"] not in measured]
    if others:
        measured |= measuring.requests(ROOTS, steps, whole=steps is not None, services=others)
    covered_s = covered_s_of(session, window)
    times = None if steps is None else [bucket_seconds(start_ns) for start_ns in steps.starts_ns()]
    services = [
        _service(
            total,
            session.service_slot(total["service"]),
            measured.get(total["service"], ()),
            covered_s,
            times,
        )
        for total in totals
    ]
    services.sort(key=lambda service: (-service["requests"], service["service"]))
    return {"window": describe(window), "services": services}


def _service(
    total: Row, slot: int, measured: Collection[Row], covered_s: float, times: Sequence[UnixSeconds] | None
) -> Service:
    """Make one service of the answer; ``measured`` are its requests, whole and by bucket, ``times`` the buckets'."""
    whole = next((row for row in measured if times is None or row["bucket"] is None), _NOTHING)
    service: Service = {
        "service": total["service"],
        "slot": slot,
        "spans": total["spans"],
        **_rates(whole, covered_s),
        **percentiles(whole),  # type: ignore[typeddict-item] # mypy wants optional members beside unpacked ones
        "sampled_share": _sampled_share(whole),
        "last_seen_time": format_time(total["last_ns"]),
    }
    if times is not None:
        service["series"] = _service_points(measured, times)
    return service


def _sampled_share(row: Row) -> float | None:
    """Return which share of the requests was kept, null where all were."""
    return sampled_share(row.get("stored"), row["requests"])


def _rates(row: Row, covered_s: float) -> Rates:
    """Counts, rate and share of errors."""
    requests, errors = row["requests"], row["errors"]
    return {
        "requests": requests,
        "errors": errors,
        "rate_per_s": requests / covered_s,
        "error_ratio": errors / requests if requests else 0.0,
    }


def percentiles(row: Row) -> Percentiles:
    """Return the three percentiles in whole nanoseconds, null without spans."""
    p50, p95, p99 = (None if quantile is None else round(quantile) for quantile in row["quantiles_ns"] or _NO_QUANTILES)
    return {"p50_ns": p50, "p95_ns": p95, "p99_ns": p99}


def _service_points(measured: Iterable[Row], times: Sequence[UnixSeconds]) -> list[ServicePoint]:
    """Make a point for every time; hundreds of services have forty each, so no other percentile is rounded."""
    by_bucket = {row["bucket"]: row for row in measured}
    return [
        {"t": time, "requests": row["requests"], "errors": row["errors"], "p95_ns": _p95_ns(row["quantiles_ns"])}
        for bucket, time in enumerate(times)
        for row in (by_bucket.get(bucket, _NOTHING),)
    ]


def _p95_ns(quantiles_ns: Sequence[float | None] | None) -> int | None:
    p95_ns = None if quantiles_ns is None else quantiles_ns[1]
    return None if p95_ns is None else round(p95_ns)


def _points(measured: Iterable[Row], steps: Buckets) -> list[Point]:
    """Make a point for every bucket; those without requests have zeros and nulls."""
    by_bucket = {row["bucket"]: row for row in measured}
    return [
        {"t": bucket_seconds(start_ns), "requests": row["requests"], "errors": row["errors"], **percentiles(row)}
        for bucket, start_ns in enumerate(steps.starts_ns())
        for row in (by_bucket.get(bucket, _NOTHING),)
    ]


class TotalSeries(Series, Rates, Percentiles):
    """The answer of ``GET /api/v1/requests``."""


def total_series(session: QuerySession, window: Window, buckets: int) -> TotalSeries:
    """Answer ``GET /api/v1/requests``: the requests of all services together; of a call both sides may be one."""
    steps = Buckets.about(window, buckets)
    measuring = Measuring(session, window)
    measured = measuring.requests(REQUESTS.of_all(), steps, whole=True)
    measured = measured or measuring.requests(ROOTS.of_all(), steps, whole=True)
    found = measured.get("", [])
    whole = next((row for row in found if row["bucket"] is None), _NOTHING)
    return {
        "window": describe(window),
        "step_s": steps.step_s,
        "points": _points(found, steps),
        "sampled_share": _sampled_share(whole),
        **_rates(whole, covered_s_of(session, window)),
        **percentiles(whole),
    }


def list_operations(
    session: QuerySession,
    window: Window,
    service: str,
    limit: int,
    *,
    only_requests: bool = False,
    order: Order = "total_ns",
) -> OperationList:
    """Answer ``GET /api/v1/services/{service}/operations``: spans by name and kind, most time or most spans first."""
    found = Measuring(session, window).operations(service, limit, REQUESTS if only_requests else SPANS, order)
    covered_s = covered_s_of(session, window)
    operations = [_operation(row, covered_s) for row in found]
    return {"window": describe(window), "service": service, "operations": operations}


def _operation(row: Row, covered_s: float) -> Operation:
    """One operation of the answer."""
    return {
        "operation": row["operation"],
        "kind": kind_name(row["kind"]),
        **_rates(row, covered_s),
        **percentiles(row),
        "total_ns": row["total_ns"],
        "sampled_share": _sampled_share(row),
    }


def service_series(session: QuerySession, window: Window, service: str, operation: str | None, buckets: int) -> Series:
    """Answer ``GET /api/v1/services/{service}/series``; of one operation all spans count, whatever their kind."""
    steps = Buckets.about(window, buckets)
    measuring = Measuring(session, window)
    if operation is not None:
        measured = measuring.requests(named(operation), steps, whole=False, services=[service])
    else:
        measured = measuring.requests(REQUESTS, steps, whole=False, services=[service])
        measured = measured or measuring.requests(ROOTS, steps, whole=False, services=[service])
    found = measured.get(service, ())
    stored = sum(row.get("stored") or 0 for row in found)
    return {
        "window": describe(window),
        "step_s": steps.step_s,
        "points": _points(found, steps),
        "sampled_share": sampled_share(stored, sum(row["requests"] for row in found)),
    }
