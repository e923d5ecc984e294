"""All routes about issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.issues.changing import changing_routes
from spanglass_server.api.issues.figures import figure_routes
from spanglass_server.api.issues.grouping import grouping_routes
from spanglass_server.api.issues.reading import reading_routes

if TYPE_CHECKING:
    from spanglass_server.api.issues.grouping import Regroups
    from spanglass_server.api.routing import Route
    from spanglass_server.query.issues.known import KnownIssues


def issue_routes(issues: KnownIssues, regroups: Regroups) -> tuple[Route, ...]:
    """Return all routes about issues; those with words in the path come before those with an id there."""
    return (
        *grouping_routes(issues, regroups),
        *figure_routes(issues),
        *reading_routes(issues),
        *changing_routes(issues),
    )
