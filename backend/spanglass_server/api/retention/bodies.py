"""Bodies that hold policies, as JSON or as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from spanglass_server.api.alerting.bodies import BY
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import body_schema, fields_of, text_of
from spanglass_server.api.schema import STRING
from spanglass_server.forms.nodes import MAX_CHARACTERS
from spanglass_server.retention.form import POLICIES, read_json, read_yaml
from spanglass_server.retention.model import PoliciesError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.retention.model import Policies

LONGEST_NOTE: Final = 500
_FORMS: Final = ("policies", "ordinary")
_FIELDS: Final[dict[str, Any]] = {
    **POLICIES.schema["properties"],
    "yaml": {**STRING, "description": "instead of policies and ordinary: YAML, as docs/retention.md describes it"},
}
TYPED: Final = body_schema(_FIELDS)
KEPT: Final = body_schema(
    {
        **_FIELDS,
        "version": {"type": "integer", "minimum": 0, "description": "the version that is changed, as it was given"},
        "note": {**STRING, "maxLength": LONGEST_NOTE, "description": "why"},
        "by": BY,
    },
    ("version",),
)


def policies_of(body: Any) -> tuple[Policies, Mapping[str, Any]]:
    """Read what is typed; ``PoliciesError`` with all problems, ApiError for what is no such body."""
    fields = fields_of(body, TYPED)
    return _read(fields), fields


def kept_of(body: Any) -> tuple[Policies, Mapping[str, Any]]:
    """Read what is to be kept; ApiError naming the first problem."""
    fields = fields_of(body, KEPT)
    version = fields["version"]
    if not isinstance(version, int) or isinstance(version, bool):
        hint = "send the version that GET /api/v1/retention gave"
        raise ApiError("bad_request", "version is no whole number", field="version", hint=hint)
    try:
        return _read(fields), fields
    except PoliciesError as error:
        raise refused(error) from error


def refused(error: PoliciesError) -> ApiError:
    """The error of the API that names the first problem."""
    first, more = error.problems[0], len(error.problems) - 1
    place = f"line {first.line}: " if first.line else ""
    rest = f" ({more} more: POST /api/v1/retention/check lists all)" if more else ""
    field, hint = first.path or "policies", first.hint or None
    return ApiError("bad_request", f"{place}{first.message}{rest}", field=field, column=first.column or None, hint=hint)


def _read(fields: Mapping[str, Any]) -> Policies:
    if "yaml" not in fields:
        return read_json({name: fields[name] for name in _FORMS if name in fields})
    if any(name in fields for name in _FORMS):
        hint = "send policies and ordinary, or yaml"
        raise ApiError("bad_request", "the policies are given in both forms", field="yaml", hint=hint)
    return read_yaml(text_of(fields, "yaml", longest=MAX_CHARACTERS) + "\n")
