"""The route about costs: what telemetry takes on disk, by signal, service and attribute, and what to drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.params import RANGE, limit_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import schema_of
from spanglass_server.query.costs.answers import Costs
from spanglass_server.query.costs.costs import weigh_costs

if TYPE_CHECKING:
    from spanglass_server.api.params import Params
    from spanglass_server.query.costs.pricing import CostTerms
    from spanglass_server.store.ports import QuerySession


def cost_routes(terms: CostTerms) -> tuple[Route, ...]:
    """Make the route, for a table of prices and ages of retention."""

    def costs(session: QuerySession, params: Params) -> Costs:
        return weigh_costs(session, params["window"], params["limit"], terms)

    return (
        Route(
            path="/costs",
            summary="What telemetry takes on disk and costs, by signal, service and attribute, and what to drop.",
            description=(
                "Figures are of the range; a price is what a month costs at its pace. Bytes of attributes are those "
                "of their columns; services share the bytes of each segment by their records in it. Records that are "
                "not on disk yet are left out."
            ),
            parameters=(*RANGE, limit_param(50)),
            response=schema_of(Costs),
            query=costs,
        ),
    )
