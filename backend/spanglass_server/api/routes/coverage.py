"""The route about coverage: which families of telemetry come in, and which are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import RANGE, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.coverage.judging import Coverage, judge_coverage

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession


def _coverage(session: QuerySession, params: Params) -> Coverage:
    return judge_coverage(session, params["window"], params["limit"])


ROUTES = (
    Route(
        path="/coverage",
        summary="Which families of telemetry each service and host sends, and which are missing.",
        description=(
            "A family is there, stale (measured, but not in the last ten minutes of the range), missing, or not "
            "needed: of a service without a database no queries are required. remedy is a line that would send it."
        ),
        parameters=(*RANGE, limit_param(500)),
        response=schema_of(Coverage),
        query=_coverage,
    ),
)
