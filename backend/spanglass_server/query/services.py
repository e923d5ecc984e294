"""Services and their operations: rate, errors and latency, for a range and over time.

A *request* is a span of kind server or consumer; a service that has none counts its root spans.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from spanglass_core.slots import service_slot
from spanglass_core.times import NS_PER_SECOND, format_time
from spanglass_server.query.language.intrinsics import SPAN_KINDS
from spanglass_server.query.language.sql import Sql, all_of
from spanglass_server.query.matching import SERVICE, SERVICE_NAME, is_service, within
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import Buckets, bucket_seconds, describe
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.store.ports import QuerySession, Window

Row = dict[str, Any]

_COLUMNS = ("start_time_ns", "duration_ns", "status_code", "kind", "parent_span_id", SERVICE)
_OPERATION_COLUMNS = ("start_time_ns", "duration_ns", "status_code", "kind", "name", "trace_id", SERVICE)
_WHOLE, _BUCKETS = "(service, role)", "(service, role, bucket)"
#: What stands in for a group without spans.
_NOTHING: Row = {"spans": 0, "errors": 0, "quantiles_ns": None}
PERCENTILES = ("p50_ns", "p95_ns", "p99_ns")


def list_services(session: QuerySession, window: Window, buckets: int) -> Row:
    """Answer ``GET /api/v1/services``, most requests first; without buckets the series are left out."""
    steps = Buckets.about(window, buckets) if buckets else _one_bucket(window)
    measured = _measure(session, window, steps, sets=f"{_WHOLE}, {_BUCKETS}" if buckets else _BUCKETS)
    by_service: dict[str, list[Row]] = defaultdict(list)
    for row in measured:
        by_service[row["service"]].append(row)
    services = [_service(name, found, window, steps if buckets else None) for name, found in by_service.items()]
    services.sort(key=lambda service: (-service["requests"], service["service"]))
    return {"window": describe(window), "services": services}


def _one_bucket(window: Window) -> Buckets:
    """Make the whole range one bucket."""
    return Buckets(window.start_ns, window.end_ns - window.start_ns, 1)


def _measure(session: QuerySession, window: Window, steps: Buckets, *, sets: str, only: Sql | None = None) -> list[Row]:
    """Figures of all services, or of those spans that ``only`` holds for, by role and by the sets of groups."""
    columns = {*_COLUMNS, *(("name",) if only is not None else ())}
    return rows(
        session,
        statement(
            "services",
            service=SERVICE_NAME,
            first_ns=steps.first_ns,
            step_ns=steps.step_ns,
            relation=Sql(session.relation(Signal.SPANS, window, columns)),
            where=within(window) if only is None else all_of([within(window), only]),
            sets=Sql(sets),
        ),
    )


def _service(name: str, measured: Iterable[Row], window: Window, steps: Buckets | None) -> Row:
    """One service of the answer from its rows of all roles."""
    whole = [row for row in measured if steps is None or row["bucket"] is None]
    role = _request_role(whole)
    total = next((row for row in whole if row["role"] == role), _NOTHING)
    service = {
        "service": name,
        "slot": service_slot(name),
        "spans": sum(row["spans"] for row in whole),
        "requests": total["spans"],
        "errors": total["errors"],
        **_rates(total["spans"], total["errors"], window),
        **percentiles(total),
        "last_seen_time": format_time(max(row["last_ns"] for row in whole)),
    }
    if steps is not None:
        points = _points((row for row in measured if row["role"] == role and row["bucket"] is not None), steps)
        service["series"] = [{name: point[name] for name in ("t", "requests", "errors", "p95_ns")} for point in points]
    return service


def _request_role(whole: Iterable[Row]) -> str:
    """Tell what counts as a request of a service: its requests, or its roots when it has none."""
    return "request" if any(row["role"] == "request" for row in whole) else "root"


def _rates(requests: int, errors: int, window: Window) -> Row:
    """Rate and share of errors."""
    seconds = (window.end_ns - window.start_ns) / NS_PER_SECOND
    return {"rate_per_s": requests / seconds, "error_ratio": errors / requests if requests else 0.0}


def percentiles(row: Mapping[str, Any]) -> Row:
    """Give the three percentiles in whole nanoseconds, null without spans."""
    quantiles = row["quantiles_ns"] or (None,) * len(PERCENTILES)
    return {
        name: None if quantile is None else round(quantile)
        for name, quantile in zip(PERCENTILES, quantiles, strict=True)
    }


def _points(measured: Iterable[Row], steps: Buckets) -> list[Row]:
    """Make a point for every bucket; those without spans have zeros and nulls."""
    by_bucket = {row["bucket"]: row for row in measured}
    return [
        {"t": bucket_seconds(start_ns), "requests": row["spans"], "errors": row["errors"], **percentiles(row)}
        for bucket, start_ns in enumerate(steps.starts_ns())
        for row in (by_bucket.get(bucket, _NOTHING),)
    ]


def list_operations(session: QuerySession, window: Window, service: str, limit: int) -> Row:
    """Answer ``GET /api/v1/services/{service}/operations``: spans by name and kind, most time first."""
    found = rows(
        session,
        statement(
            "operations",
            relation=Sql(session.relation(Signal.SPANS, window, _OPERATION_COLUMNS)),
            where=all_of([within(window), is_service(service)]),
            count=limit,
        ),
    )
    operations = [_operation(row, window) for row in found]
    return {"window": describe(window), "service": service, "operations": operations}


def _operation(row: Row, window: Window) -> Row:
    """One operation of the answer."""
    failing = row["failing_trace_id"]
    return {
        "operation": row["operation"],
        "kind": kind_name(row["kind"]),
        "requests": row["requests"],
        "errors": row["errors"],
        **_rates(row["requests"], row["errors"], window),
        **percentiles(row),
        "total_ns": row["total_ns"],
        "slowest_trace_id": row["slowest_trace_id"].hex(),
        "failing_trace_id": None if failing is None else failing.hex(),
    }


def kind_name(kind: int | None) -> str:
    """Give the name of a span kind; one that the protocol does not know counts as unspecified."""
    return SPAN_KINDS[kind] if kind is not None and kind < len(SPAN_KINDS) else SPAN_KINDS[0]


def service_series(session: QuerySession, window: Window, service: str, operation: str | None, buckets: int) -> Row:
    """Answer ``GET /api/v1/services/{service}/series``; of one operation all spans count, whatever their kind."""
    steps = Buckets.about(window, buckets)
    only = is_service(service)
    if operation is not None:
        return _series(
            window, steps, _operation_points(session, window, steps, all_of([only, Sql("name = ?", (operation,))]))
        )
    measured = _measure(session, window, steps, sets=_BUCKETS, only=only)
    role = _request_role(measured)
    return _series(window, steps, _points((row for row in measured if row["role"] == role), steps))


def _series(window: Window, steps: Buckets, points: list[Row]) -> Row:
    return {"window": describe(window), "step_s": steps.step_s, "points": points}


def _operation_points(session: QuerySession, window: Window, steps: Buckets, only: Sql) -> list[Row]:
    """Points of the spans that ``only`` holds for."""
    found = rows(
        session,
        statement(
            "operation_series",
            first_ns=steps.first_ns,
            step_ns=steps.step_ns,
            relation=Sql(
                session.relation(Signal.SPANS, window, ("start_time_ns", "duration_ns", "status_code", "name", SERVICE))
            ),
            where=all_of([within(window), only]),
        ),
    )
    return _points(found, steps)
