"""Bodies of requests that make and change alerts, read field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.desk import AlertEdit, NewAlert
from spanglass_server.alerting.sql_views import TYPE_LABEL
from spanglass_server.api.errors import ApiError
from spanglass_server.api.fields import MAX_NAME, MAX_TEXT, body_schema, text_of
from spanglass_server.api.params import Param
from spanglass_server.api.schema import STRING, choice, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

    from spanglass_server.api.params import Params

#: Who makes a change that does not say.
DEFAULT_ACTOR = "api"
#: Header for those who can't say it in a body.
ACTOR_HEADER = Param(
    "X-Spanglass-User", "text", help="Who does it, a free name; the field by says it too.", header=True
)
MAX_LABELS = 64

BY = {**STRING, "description": "who does it, a free name; else the header X-Spanglass-User, else api"}
REASON = {**STRING, "description": "why", "maxLength": MAX_TEXT}
_LABELS = {**table(STRING), "maxProperties": MAX_LABELS}
_WORDS = {
    "title": {**STRING, "maxLength": MAX_NAME},
    "description": {**STRING, "maxLength": MAX_TEXT},
    "severity": choice(*Severity),
    "labels": {**_LABELS, "description": "of it, such as service_name and host_name"},
    "owner": STRING,
    "runbook": {**STRING, "description": "the address of a page that says what to do"},
    "by": BY,
}
CREATE = body_schema(
    {
        **_WORDS,
        "alert_type": {**STRING, "description": "what kind of alert it is; left out, its source"},
        "source": {**STRING, "description": "what raises it; left out, api"},
        "value": {"type": ["number", "null"]},
        "unit": STRING,
        "fingerprint": {
            **STRING,
            "description": "alerts with the same one are one; left out, that of source, title and labels",
        },
    },
    ["title"],
)
CHANGE = body_schema({"status": choice(*Status), "reason": REASON, **_WORDS})
NOTE = body_schema({"text": {**STRING, "maxLength": MAX_TEXT}, "by": BY}, ["text"])


def actor_of(fields: Mapping[str, Any], params: Params) -> str:
    """Return who makes the change: by the body, else by the header."""
    return text_of(fields, "by") or _decoded(params.get(ACTOR_HEADER.name) or "")[:MAX_NAME] or DEFAULT_ACTOR


def _decoded(header: str) -> str:
    """A header's text: HTTP carries bytes, which clients write as UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        return header.strip()


def needed_text(fields: Mapping[str, Any], name: str, longest: int = MAX_NAME) -> str:
    """Return a text that may not be empty."""
    text = text_of(fields, name, longest=longest)
    if not text:
        raise ApiError("bad_request", f"{name} is empty", field=name, hint=f"send a text as {name}")
    return text


def new_alert(fields: Mapping[str, Any]) -> NewAlert:
    """Read the body of a new alert; its type is kept as a label, which tells it from others too."""
    labels = labels_of(fields) or {}
    alert_type = text_of(fields, "alert_type")
    return NewAlert(
        title=needed_text(fields, "title"),
        description=text_of(fields, "description", longest=MAX_TEXT),
        severity=word_of(fields, "severity", Severity) or Severity.WARNING,
        source=text_of(fields, "source") or DEFAULT_ACTOR,
        labels=labels | ({TYPE_LABEL: alert_type} if alert_type else {}),
        value=number_of(fields, "value"),
        unit=text_of(fields, "unit"),
        fingerprint=text_of(fields, "fingerprint"),
        runbook=text_of(fields, "runbook", longest=MAX_TEXT),
        owner=text_of(fields, "owner"),
    )


def alert_edit(fields: Mapping[str, Any]) -> AlertEdit:
    """Read what is to be written anew of an alert."""
    return AlertEdit(
        title=needed_text(fields, "title") if fields.get("title") is not None else None,
        description=_optional_text(fields, "description"),
        severity=word_of(fields, "severity", Severity),
        labels=labels_of(fields),
        owner=_optional_text(fields, "owner"),
        runbook=_optional_text(fields, "runbook"),
    )


def _optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    return text_of(fields, name, longest=MAX_TEXT) if fields.get(name) is not None else None


def word_of(fields: Mapping[str, Any], name: str, kind: type[StrEnum]) -> Any:
    """Return a word of an enumeration, None where it is not given; ApiError for another one."""
    value = fields.get(name)
    if value is None:
        return None
    known = {word.value: word for word in kind}
    if not isinstance(value, str) or value.lower() not in known:
        raise ApiError("bad_request", f"{value!r} is not one of the choices", field=name, expected=list(known))
    return known[value.lower()]


def labels_of(fields: Mapping[str, Any], name: str = "labels") -> dict[str, str] | None:
    """Return labels, None where they are not given; ApiError for anything but texts by names."""
    labels = fields.get(name)
    if labels is None:
        return None
    hint = 'send an object of texts: {"service_name": "shop"}'
    if not isinstance(labels, dict) or not all(isinstance(text, str) for text in labels.values()):
        raise ApiError("bad_request", f"{name} is no object of texts", field=name, hint=hint)
    if len(labels) > MAX_LABELS or any(len(key) > MAX_NAME or len(labels[key]) > MAX_TEXT for key in labels):
        message = f"{name} may hold {MAX_LABELS} names of {MAX_NAME} characters with values of {MAX_TEXT}"
        raise ApiError("bad_request", message, field=name, hint="leave some out, or shorten them")
    return labels


def number_of(fields: Mapping[str, Any], name: str) -> float | None:
    """Return a number, None where it is not given; ApiError for anything else."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ApiError("bad_request", f"{name} is no number", field=name, hint="send a JSON number")
    return float(value)
