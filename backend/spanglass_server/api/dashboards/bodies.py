"""Bodies of requests about dashboards, which hold them as JSON or as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.fields import body_schema, fields_of
from spanglass_server.api.written import Written
from spanglass_server.dashboards.form.spec import DASHBOARDS

if TYPE_CHECKING:
    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.forms.listed import Read
    from spanglass_server.forms.names import Stands

WRITTEN: Final[Written[Dashboard]] = Written(DASHBOARDS, "dashboard", "dashboards.md", "/api/v1/dashboards/check")
BODY: Final = body_schema(WRITTEN.fields)


def read_of(body: Any, *, stands: Stands = False) -> Read[Dashboard]:
    """Read what a body holds, with all problems; ApiError for one that holds none, or both forms."""
    return WRITTEN.read(fields_of(body, BODY), stands=stands)


def dashboard_of(body: Any, *, stands: Stands = False) -> Dashboard:
    """Return the one dashboard of a body, new or one that stands; ApiError naming what is wrong first."""
    return WRITTEN.one(read_of(body, stands=stands))
