"""Bodies of requests about checks: a check as JSON or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema
from spanglass_server.api.written import VERSION, Written
from spanglass_server.health.form.refusing import refused
from spanglass_server.health.form.spec import CHECKS

if TYPE_CHECKING:
    from spanglass_server.forms.names import Stands
    from spanglass_server.health.check import Check

WRITTEN: Final[Written[Check]] = Written(CHECKS, "check", "health-checks.md", "/api/v1/checks/check")
KEPT: Final = body_schema({**WRITTEN.fields, "version": VERSION, "by": BY})
TYPED: Final = body_schema(WRITTEN.fields)
NOTHING: Final = body_schema({})


def check_of(fields: dict[str, Any], *, stands: Stands = False) -> Check:
    """Return the one check of a body, new or one that stands, which pages may keep; ApiError naming what is wrong."""
    check = WRITTEN.one(WRITTEN.read(fields, stands=stands))
    problem = refused(check)
    if problem is not None:
        raise ApiError("forbidden", problem.message, field=f"check.{problem.path}", hint=problem.hint)
    return check
