"""The route about spans that have not ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.params import RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import (
    HEX_ID,
    INTEGER,
    NANOSECONDS,
    SLOT,
    STRING,
    TIME,
    array,
    choice,
    nullable,
    record,
)
from spanglass_server.query.language.intrinsics import SPAN_KINDS, STATUSES
from spanglass_server.query.traces.announcements import LOST, RUNNING
from spanglass_server.query.traces.running import ANY, CHOICES, list_running

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

_SPAN = record(
    trace_id=HEX_ID,
    span_id=HEX_ID,
    parent_span_id=nullable(HEX_ID),
    service=STRING,
    slot=SLOT,
    name=STRING,
    kind=choice(*SPAN_KINDS),
    status=choice(*STATUSES),
    state=choice(RUNNING, LOST),
    start_time=TIME,
    duration_ns=NANOSECONDS,
    last_heard_time=TIME,
)


def _list(session: QuerySession, params: Params) -> dict[str, Any]:
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
        response=record(running=INTEGER, lost=INTEGER, spans=array(_SPAN)),
        ask=_list,
    ),
)
