"""Routes about services and their operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.params import RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import (
    INTEGER,
    NANOSECONDS,
    NUMBER,
    SAMPLED_SHARE,
    SLOT,
    STRING,
    TIME,
    UNIX_SECONDS,
    WINDOW,
    array,
    choice,
    record,
)
from spanglass_server.api.spans import PERCENTILES
from spanglass_server.query.language.intrinsics import SPAN_KINDS
from spanglass_server.query.traces import services

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_MAX_BUCKETS = 1000
_SERVICE = Param("service", "text", help="The service's name.")
_REQUESTS = {"requests": INTEGER, "errors": INTEGER}
_RATES = {"rate_per_s": NUMBER, "error_ratio": NUMBER}
_POINT = {"t": UNIX_SECONDS, **_REQUESTS}


def _buckets(default: int, minimum: int) -> Param:
    return Param("buckets", "integer", default, "Most points of a series.", minimum=minimum, maximum=_MAX_BUCKETS)


def _list(session: QuerySession, params: Params) -> dict[str, Any]:
    return services.list_services(session, params["window"], params["buckets"])


def _operations(session: QuerySession, params: Params) -> dict[str, Any]:
    return services.list_operations(session, params["window"], params["service"], params["limit"])


def _series(session: QuerySession, params: Params) -> dict[str, Any]:
    return services.service_series(session, params["window"], params["service"], params["operation"], params["buckets"])


_LISTED = record(
    service=STRING,
    slot=SLOT,
    spans=INTEGER,
    **_REQUESTS,
    **_RATES,
    **PERCENTILES,
    sampled_share=SAMPLED_SHARE,
    last_seen_time=TIME,
    series=array(record(**_POINT, p95_ns=PERCENTILES["p95_ns"])),
)
_LISTED["required"].remove("series")

ROUTES = (
    Route(
        path="/services",
        summary="Services with rate, errors and latency.",
        description=(
            "A request is a span of kind server or consumer; a service that has none counts its root spans. "
            "buckets=0 leaves the series out."
        ),
        parameters=(*RANGE, _buckets(40, 0)),
        response=record(window=WINDOW, services=array(_LISTED)),
        ask=_list,
    ),
    Route(
        path="/services/{service:path}/operations",
        summary="Operations of a service, those that took the most time first.",
        parameters=(_SERVICE, *RANGE, limit_param(200)),
        response=record(
            window=WINDOW,
            service=STRING,
            operations=array(
                record(
                    operation=STRING,
                    kind=choice(*SPAN_KINDS),
                    **_REQUESTS,
                    **_RATES,
                    **PERCENTILES,
                    total_ns=NANOSECONDS,
                    sampled_share=SAMPLED_SHARE,
                )
            ),
        ),
        ask=_operations,
    ),
    Route(
        path="/services/{service:path}/series",
        summary="Rate, errors and latency over time, of a service or one of its operations.",
        description="Buckets without requests are there, with zero and null.",
        parameters=(
            _SERVICE,
            *RANGE,
            Param("operation", "text", help="Only spans of this name, of any kind."),
            _buckets(60, 1),
        ),
        response=record(
            window=WINDOW, step_s=NUMBER, points=array(record(**_POINT, **PERCENTILES)), sampled_share=SAMPLED_SHARE
        ),
        ask=_series,
    ),
)
