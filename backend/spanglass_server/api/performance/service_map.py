"""The route of the service map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import FILTER, RANGE, Param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.service_map.answers import ServiceMap
from spanglass_server.query.service_map.service_map import MapQuestion, service_map

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

#: Farther away than that is everything.
MAX_HOPS = 10


def _map(session: QuerySession, params: Params) -> ServiceMap:
    question = MapQuestion(
        params["window"], params["filter"] or "", params["focus"] or "", params["hops"], params["earlier"] or 0
    )
    return service_map(session, question)


ROUTES = (
    Route(
        path="/service-map",
        summary="Who calls whom: services, databases, queues and others, with the calls between them.",
        description=(
            "Made from the spans of the range when it is asked for. With a filter, calls and requests are those of the "
            "spans that match; trace(...) in it takes all spans of traces."
        ),
        parameters=(
            *RANGE,
            FILTER,
            Param("focus", "text", help="Only this service and what is around it."),
            Param("hops", "integer", 1, "How many calls away from the service.", minimum=1, maximum=MAX_HOPS),
            Param("earlier", "duration", help="Compare with the same range so much earlier: 1h, 1d."),
        ),
        response=schema_of(ServiceMap),
        query=_map,
    ),
)
