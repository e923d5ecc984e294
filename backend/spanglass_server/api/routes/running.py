"""The route about spans that have not ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.traces.running import ANY, CHOICES, RunningList, list_running

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession


def _list(session: QuerySession, params: Params) -> RunningList:
    return list_running(
        session,
        params["window"],
        params["now_ns"],
        service=params["service"],
        state=params["state"],
        limit=params["limit"],
    )


ROUTES = (
    Route(
        path="/running",
        summary="Spans that have not ended: running ones, and those lost with their process.",
        description=(
            "Only spans that their process announces while they are open. Running ones come first, the newest first. "
            "A span is in the range when it was open in it."
        ),
        parameters=(
            *RANGE,
            Param("service", "text", help="Only spans of this service."),
            Param("state", "choice", ANY, "running, lost, or any of the two.", choices=CHOICES),
            limit_param(100),
        ),
        response=schema_of(RunningList),
        query=_list,
    ),
)
