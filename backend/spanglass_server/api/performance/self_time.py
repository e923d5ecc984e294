"""The route about where the time of spans goes over a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import FILTER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.self_time.answering import SelfTime, self_time
from spanglass_server.query.self_time.reading import SelfTimeQuestion

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession


def _self_time(session: QuerySession, params: Params) -> SelfTime:
    question = SelfTimeQuestion(params["window"], params["filter"] or "", params["service"], params["operation"])
    return self_time(session, question, params["limit"])


ROUTES = (
    Route(
        path="/self-time",
        summary="Where time goes: the self time of spans, folded by the path of calls that leads to them.",
        description=(
            "With a service or an operation paths begin at its spans, and what is not below one is left out. With a "
            "filter only spans that match are counted; those above them only say where they hang."
        ),
        parameters=(
            *RANGE,
            FILTER,
            Param("service", "text", help="Paths begin at spans of this service."),
            Param("operation", "text", help="Paths begin at spans of this name."),
            limit_param(2000, 20_000),
        ),
        response=schema_of(SelfTime),
        query=_self_time,
    ),
)
