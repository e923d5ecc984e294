"""All routes about issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.api.issues.changing import changing_routes
from spanglass_server.api.issues.reading import reading_routes

if TYPE_CHECKING:
    from spanglass_server.api.routing import Route
    from spanglass_server.query.issues.known import KnownIssues


def issue_routes(issues: KnownIssues) -> tuple[Route, ...]:
    """Give all routes about issues."""
    return (*reading_routes(issues), *changing_routes(issues))
