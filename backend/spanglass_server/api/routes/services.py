"""Routes about services and their operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.api.params import RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.services import services

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.query.services.measuring import Order
    from spanglass_server.store.ports import QuerySession

_MAX_BUCKETS = 1000
_SERVICE = Param("service", "text", help="The service's name.")
_SORTS: Final[dict[str, Order]] = {"time": "total_ns", "requests": "requests"}


def _buckets(default: int, minimum: int) -> Param:
    return Param("buckets", "integer", default, "Most points of a series.", minimum=minimum, maximum=_MAX_BUCKETS)


def _list(session: QuerySession, params: Params) -> services.ServiceList:
    return services.list_services(session, params["window"], params["buckets"])


def _operations(session: QuerySession, params: Params) -> services.OperationList:
    return services.list_operations(
        session,
        params["window"],
        params["service"],
        params["limit"],
        only_requests=params["of"] == "requests",
        order=_SORTS[params["sort"]],
    )


def _series(session: QuerySession, params: Params) -> services.Series:
    return services.service_series(session, params["window"], params["service"], params["operation"], params["buckets"])


def _total(session: QuerySession, params: Params) -> services.TotalSeries:
    return services.total_series(session, params["window"], params["buckets"])


ROUTES = (
    Route(
        path="/requests",
        summary="Rate, errors and latency of all services together, over the range and over time.",
        parameters=(*RANGE, _buckets(60, 1)),
        response=schema_of(services.TotalSeries),
        query=_total,
    ),
    Route(
        path="/services",
        summary="Services with rate, errors and latency.",
        description=(
            "A request is a span of kind server or consumer; a service that has none counts its root spans. "
            "buckets=0 leaves the series out."
        ),
        parameters=(*RANGE, _buckets(40, 0)),
        response=schema_of(services.ServiceList),
        query=_list,
    ),
    Route(
        path="/services/{service:path}/operations",
        summary="Operations of a service, those that took the most time, or had the most spans, first.",
        parameters=(
            _SERVICE,
            *RANGE,
            Param(
                "of",
                "choice",
                "spans",
                "All spans, or requests alone: of kind server and consumer.",
                choices=("spans", "requests"),
            ),
            Param("sort", "choice", "time", "What comes first.", choices=tuple(_SORTS)),
            limit_param(200),
        ),
        response=schema_of(services.OperationList),
        query=_operations,
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
        response=schema_of(services.Series),
        query=_series,
    ),
)
