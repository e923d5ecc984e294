"""All routes about alerts and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.alerting.alerts import alert_routes
from spanglass_server.api.alerting.rules import rule_routes
from spanglass_server.api.alerting.thresholds import threshold_routes
from spanglass_server.api.alerting.trying import Defaults, trying_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.api.routing import Route
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession


def alerting_routes(
    desk: Desk, open_series: Callable[[QuerySession], SeriesSource], defaults: Defaults | None = None
) -> tuple[Route, ...]:
    """Return all routes; those with words in the path come before those with an id there."""
    trying = trying_routes(desk, open_series, defaults or Defaults())
    return (*alert_routes(desk), *threshold_routes(desk), *trying, *rule_routes(desk))
