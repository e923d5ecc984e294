"""Fields of bodies: read one by one; what is wrong is named, with what the field takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_server.api.errors import ApiError
from spanglass_server.api.schema import STRING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spanglass_server.api.schema import Schema

MAX_TEXT = 10_000
MAX_NAME = 200
MAX_REASON = 1000
#: Who made a change that does not say.
NOBODY_NAMED = "someone"
ACTOR: Schema = {**STRING, "description": "who does it, a free name"}


def body_schema(fields: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """Describe a body with these fields."""
    return {
        "type": "object",
        "properties": dict(fields),
        "required": list(required),
        "additionalProperties": False,
    }


def fields_of(body: Any, schema: Schema) -> dict[str, Any]:
    """Return the fields of a body; ApiError for one that is not described, or is missing."""
    known = ", ".join(schema["properties"])
    if not isinstance(body, dict):
        raise ApiError("bad_request", "the body is not a JSON object", field="body", hint=f"fields: {known}")
    for name in sorted(set(body) - set(schema["properties"])):
        raise ApiError("bad_request", f"there is no field {name!r}", field=name, hint=f"fields: {known}")
    for name in schema["required"]:
        if name not in body:
            raise ApiError("bad_request", f"the field {name} is missing", field=name, hint=f"fields: {known}")
    return body


def text_of(fields: Mapping[str, Any], name: str, default: str = "", longest: int = MAX_NAME) -> str:
    """Return a text; ApiError for anything else, or one that is too long."""
    value = fields.get(name)
    return default if value is None else checked_text(value, name, longest)


def checked_text(value: object, name: str, longest: int) -> str:
    """Return what must be a text, without blanks around it; ApiError for anything else, or one that is too long."""
    if not isinstance(value, str):
        raise ApiError("bad_request", f"{name} is no text", field=name, hint="send a JSON string")
    if len(value) > longest:
        raise ApiError("bad_request", f"{name} is longer than {longest} characters", field=name, hint="shorten it")
    return value.strip()


def actor_of(fields: Mapping[str, Any]) -> str:
    """Return who makes the change."""
    return text_of(fields, "actor") or NOBODY_NAMED


def reasoned(reason: str, actor: str) -> dict[str, Schema]:
    """Describe the fields of who does something and why, by what these two are."""
    return {
        "reason": {**STRING, "maxLength": MAX_REASON, "description": reason},
        "actor": {**STRING, "maxLength": MAX_NAME, "description": f"{actor}, a free name"},
    }


def reason_and_actor(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Return why, "" where that is left out, and who does it."""
    reason = checked_text(fields.get("reason", ""), "reason", MAX_REASON)
    return reason, checked_text(fields.get("actor", ""), "actor", MAX_NAME) or NOBODY_NAMED
