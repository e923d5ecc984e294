"""Bodies of requests about dashboards, which hold them as JSON or as YAML."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from spanglass_server.api.errors import ApiError
from spanglass_server.api.issues.bodies import body_schema, fields_of, text_of
from spanglass_server.dashboards.form.reading import Read, read_json, read_yaml
from spanglass_server.dashboards.form.spec import DASHBOARD
from spanglass_server.dashboards.sources.ports import ConflictError
from spanglass_server.forms.nodes import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.dashboards.model import Dashboard
    from spanglass_server.forms.problems import Problem

#: Either of them.
WRITTEN = body_schema(
    {
        "dashboard": DASHBOARD.schema,
        "yaml": {"type": "string", "description": "instead: YAML, as docs/dashboards.md describes it"},
    }
)


def read_of(body: Any) -> Read:
    """Read what a body holds, with all problems; ApiError for one that holds none, or both forms."""
    fields = fields_of(body, WRITTEN)
    if ("dashboard" in fields) == ("yaml" in fields):
        hint = 'send {"dashboard": {...}} or {"yaml": "..."}'
        raise ApiError("bad_request", "one of dashboard and yaml is needed", field="dashboard", hint=hint)
    if "dashboard" in fields:
        return read_json(fields["dashboard"])
    return read_yaml(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n")


def dashboard_of(body: Any) -> Dashboard:
    """Return the one dashboard of a body; ApiError naming what is wrong first."""
    read = read_of(body)
    if read.problems:
        raise _refused(read.problems)
    if len(read.dashboards) != 1:
        message = f"the text holds {len(read.dashboards)} dashboards"
        raise ApiError("bad_request", message, field="yaml", hint="send one at a time")
    return read.dashboards[0]


def _refused(problems: tuple[Problem, ...]) -> ApiError:
    first, more = problems[0], len(problems) - 1
    place = f"line {first.line}: " if first.line else ""
    rest = f" ({more} more: POST /api/v1/dashboards/check lists all)" if more else ""
    return ApiError(
        "bad_request",
        f"{place}{first.message}{rest}",
        field=f"dashboard.{first.path}" if first.path else "dashboard",
        column=first.column or None,
        hint=first.hint or None,
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the store refuses into errors of the API."""
    try:
        yield
    except ConflictError as error:
        hint = "get it again, and make the change to what it is now; the version that it has now is " + (
            error.current or "none"
        )
        raise ApiError("precondition_failed", str(error), field="If-Match", hint=hint) from error
    except OSError as error:
        hint = "free some space or see to the disk of the data directory, and try again"
        raise ApiError("unavailable", f"the dashboard could not be kept: {error}", hint=hint) from error
