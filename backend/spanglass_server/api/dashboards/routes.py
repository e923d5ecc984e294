"""All routes about dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.dashboards.data import data_routes
from spanglass_server.api.dashboards.keeping import keeping_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.api.routing import Route
    from spanglass_server.dashboards.library import Library
    from spanglass_server.promql.ports import SeriesSource
    from spanglass_server.store.ports import QuerySession


def dashboard_routes(
    library: Library, open_series: Callable[[QuerySession], SeriesSource], deadline_s: float = 30.0
) -> tuple[Route, ...]:
    """Return all routes about dashboards; those with words in the path come before those with a uid there.

    ``deadline_s`` is that of a query: PromQL stops itself, as no database can stop it.
    """
    return (*data_routes(library, open_series, deadline_s), *keeping_routes(library, open_series))
