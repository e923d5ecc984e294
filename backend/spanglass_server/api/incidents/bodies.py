"""Bodies of requests that open and change incidents, read field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.severity import Severity
from spanglass_server.api.alerting.bodies import BY, REASON, needed_text, word_of
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import MAX_NAME, MAX_TEXT, body_schema, text_of
from spanglass_server.api.schema import STRING, array, choice
from spanglass_server.incidents.changes import Edit
from spanglass_server.incidents.desk import NewIncident
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.times import parse_kept_time

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_NAMES = 100
MAX_POSTMORTEM = 200_000

_LONG = {**STRING, "maxLength": MAX_TEXT}
_NAMES = {**array(STRING), "maxItems": MAX_NAMES}
_WORDS = {
    "title": {**STRING, "maxLength": MAX_NAME},
    "summary": _LONG,
    "severity": {**choice(*Severity), "description": "stays then, whatever its alerts are"},
    "services": {**_NAMES, "description": "that it is about, beside those of its alerts"},
    "lead": {**STRING, "description": "who leads the response, a free name"},
    "channels": {**_NAMES, "description": "that are told of it; left out, those of the settings"},
    "started_at": {**STRING, "description": "when its effects began: RFC 3339, Unix time, or now-15m"},
    "by": BY,
}
CREATE = body_schema(
    {
        **_WORDS,
        "responders": _NAMES,
        "alerts": {**_NAMES, "description": "ids of alerts that belong to it"},
        "runbook": {**_LONG, "description": "an address, the name of a runbook, or its text in Markdown"},
        "steps": {**_NAMES, "description": "what is to be done"},
    },
    ["title"],
)
CHANGE = body_schema(
    {
        "status": choice(*Status),
        "reason": REASON,
        **_WORDS,
        "responders": {**_NAMES, "description": "all who see to it"},
        "cause": {**_LONG, "description": "what it came from"},
        "resolution": {**_LONG, "description": "how it ended: what was done"},
    }
)
NOTE = body_schema({"text": _LONG, "by": BY}, ["text"])
STEP = NOTE
DONE = body_schema({"done": {"type": "boolean"}, "by": BY}, ["done"])
ALERTS = body_schema({"alerts": _NAMES, "reason": REASON, "by": BY}, ["alerts"])
MERGE = body_schema(
    {"into": {**STRING, "description": "the incident that stays"}, "reason": REASON, "by": BY}, ["into"]
)
POSTMORTEM = body_schema(
    {"text": {**STRING, "maxLength": MAX_POSTMORTEM, "description": "in Markdown; empty for the draft"}, "by": BY},
    ["text"],
)


def new_incident(fields: Mapping[str, Any], now_ns: int) -> NewIncident:
    """Read the body of a new incident."""
    return NewIncident(
        title=needed_text(fields, "title"),
        summary=text_of(fields, "summary", longest=MAX_TEXT),
        severity=word_of(fields, "severity", Severity),
        services=names_of(fields, "services") or (),
        alert_ids=names_of(fields, "alerts") or (),
        lead=text_of(fields, "lead"),
        responders=names_of(fields, "responders") or (),
        runbook=text_of(fields, "runbook", longest=MAX_TEXT),
        steps=names_of(fields, "steps", longest=MAX_TEXT) or (),
        channels=names_of(fields, "channels") or (),
        started_ns=_time(fields, "started_at", now_ns) or 0,
    )


def edit_of(fields: Mapping[str, Any], now_ns: int) -> Edit:
    """Read what is to be written anew of an incident."""
    return Edit(
        title=needed_text(fields, "title") if fields.get("title") is not None else None,
        summary=_optional(fields, "summary"),
        severity=word_of(fields, "severity", Severity),
        started_ns=_time(fields, "started_at", now_ns),
        lead=_optional(fields, "lead"),
        cause=_optional(fields, "cause"),
        resolution=_optional(fields, "resolution"),
        named=names_of(fields, "services"),
        channels=names_of(fields, "channels"),
    )


def _optional(fields: Mapping[str, Any], name: str) -> str | None:
    return text_of(fields, name, longest=MAX_TEXT) if fields.get(name) is not None else None


def names_of(fields: Mapping[str, Any], name: str, longest: int = MAX_NAME) -> tuple[str, ...] | None:
    """Return names without repetition, None where they are not given; ApiError for anything but a list of texts."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ApiError("bad_request", f"{name} is no list of texts", field=name, hint='send ["one", "another"]')
    if len(value) > MAX_NAMES or any(len(each) > longest for each in value):
        message = f"{name} may hold {MAX_NAMES} texts of {longest} characters"
        raise ApiError("bad_request", message, field=name, hint="leave some out, or shorten them")
    return tuple(dict.fromkeys(text for each in value if (text := each.strip())))


def flag_of(fields: Mapping[str, Any], name: str) -> bool:
    """Return true or false; ApiError for anything else."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise ApiError("bad_request", f"{name} is neither true nor false", field=name, hint="send true or false")
    return value


def _time(fields: Mapping[str, Any], name: str, now_ns: int) -> int | None:
    text = text_of(fields, name)
    if not text:
        return None
    try:
        time_ns = parse_kept_time(text, now_ns)
    except ValueError as error:
        raise ApiError("bad_request", str(error), field=name) from error
    if time_ns < 0:
        raise ApiError("bad_request", f"{text!r} is before 1970", field=name, hint="send when its effects began")
    if time_ns > now_ns:
        raise ApiError("bad_request", f"{text!r} is in the future", field=name, hint="send when its effects began")
    return time_ns
