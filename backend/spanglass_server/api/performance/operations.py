"""The route about what requests of an operation are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import FILTER, RANGE, Param, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.matching import SpanQuestion
from spanglass_server.query.performance.typical import TypicalTrace, typical_trace

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession


def _typical(session: QuerySession, params: Params) -> TypicalTrace:
    question = SpanQuestion(params["window"], params["filter"] or "", params["service"], params["operation"])
    return typical_trace(session, question, params["limit"])


ROUTES = (
    Route(
        path="/services/{service:path}/typical",
        summary="The typical trace of an operation: its calls folded by path, and where slow requests differ.",
        description=(
            "Up to 100 requests chosen by chance, and 50 of the slowest twentieth, with all that they call. "
            "Without an operation, all spans of the service that the filter finds are requests."
        ),
        parameters=(
            Param("service", "text", help="The service's name."),
            *RANGE,
            Param("operation", "text", help="Only spans of this name."),
            FILTER,
            limit_param(200),
        ),
        response=schema_of(TypicalTrace),
        query=_typical,
    ),
)
