"""Routes about measurements by kind, below ``/api/monitoring``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import CURSOR_PARAM, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.monitoring.kinds import NAMES
from spanglass_server.query.monitoring.measurements import Choice, MeasurementPage, list_measurements

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_PREFIX = "/api/monitoring"
_PARAMETERS = (
    *RANGE,
    Param("service", "text", help="Only measurements of this service."),
    Param("host", "text", help="Only measurements of this host (`host.name`)."),
    limit_param(100, 10_000),
    CURSOR_PARAM,
)


def _list(session: QuerySession, params: Params) -> MeasurementPage:
    kind = params.get("type") or ""
    if kind and kind not in NAMES:
        raise ApiError("not_found", f"there is no type of measurements {kind!r}", field="type", expected=NAMES)
    choice = Choice(params["window"], kind, params["service"] or "", params["host"] or "")
    return list_measurements(session, choice, limit=params["limit"], cursor=params["cursor"])


ROUTES = (
    Route(
        prefix=_PREFIX,
        path="/metrics/",
        summary="Measurements of all types, the newest first.",
        description="Data points, and what services did in each minute, as rows of monitoring_metrics.",
        parameters=_PARAMETERS,
        response=schema_of(MeasurementPage),
        query=_list,
    ),
    Route(
        prefix=_PREFIX,
        path="/metrics/{type}/",
        summary="Measurements of one type, the newest first.",
        description=f"Types: {', '.join(NAMES)}.",
        parameters=(Param("type", "text", help="The type."), *_PARAMETERS),
        response=schema_of(MeasurementPage),
        query=_list,
    ),
)
