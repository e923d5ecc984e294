"""Rows of the incident store's tables as types of the model, and back."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import Status as AlertStatus
from spanglass_core.alerting.severity import Severity
from spanglass_server.incidents.lifecycle import Status
from spanglass_server.incidents.model import Incident, Line, Member, Recorded, ResponseStep
from spanglass_server.incidents.store.filters import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX = "INC-"
_INCIDENT = {field.name: field.default for field in fields(Incident) if field.name != "id"}
_MEMBER = {field.name: field.default for field in fields(Member)}
_TUPLES = ("responders", "runbooks", "channels", "named", "services", "hosts", "rules")

INCIDENT_COLUMNS = "number, told"
INCIDENT_VALUES = "status, severity, opened_ns, resolved_ns, words, told"
LINE_COLUMNS = "time_ns, kind, who, text, severity, alert_id"
PUT_LINE = f"INSERT OR IGNORE INTO lines (incident, {LINE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
PUT_MEMBER = "INSERT OR REPLACE INTO members (alert_id, incident, has_left, created_ns, told) VALUES (?, ?, ?, ?, ?)"


def id_of(number: int) -> str:
    """The id of an incident by its number."""
    return f"{_PREFIX}{number}"


def number_of(incident_id: str) -> int:
    """The number in an id, -1 for what is none."""
    digits = incident_id.removeprefix(_PREFIX)
    is_one = incident_id.startswith(_PREFIX) and digits.isascii() and digits.isdigit() and len(digits) < 16  # noqa: PLR2004 - fits 64 bits
    return int(digits) if is_one else -1


def _told(value: Any, defaults: dict[str, Any]) -> str:
    """What differs from the defaults, as JSON."""
    own = {name: getattr(value, name) for name in defaults}
    told = {name: own[name] for name in defaults if defaults[name] is MISSING or own[name] != defaults[name]}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=asdict)


def incident_values(incident: Incident) -> list[Any]:
    """Return the values of ``INCIDENT_VALUES``."""
    of_filters = [incident.status, incident.severity, incident.opened_ns, incident.resolved_ns, words_of(incident)]
    return [*of_filters, _told(incident, _INCIDENT)]


def incident_of(row: Sequence[Any]) -> Incident:
    """Read a row of ``INCIDENT_COLUMNS``; what only another version of the server knows of is left out."""
    number, text = row
    own = {name: value for name, value in json.loads(text).items() if name in _INCIDENT}
    own |= {name: tuple(own[name]) for name in _TUPLES if name in own}
    own["severity"] = Severity(own["severity"])
    own["status"] = Status(own.get("status", Status.OPEN))
    own["steps"] = tuple(ResponseStep(**step) for step in own.get("steps", ()))
    return Incident(id=id_of(number), **own)


def member_values(member: Member, number: int) -> list[Any]:
    """Return the values of ``PUT_MEMBER``."""
    return [member.alert_id, number, member.left, member.created_ns, _told(member, _MEMBER)]


def member_of(text: str) -> Member:
    """Read what is told of a member."""
    own = {name: value for name, value in json.loads(text).items() if name in _MEMBER}
    return Member(**{**own, "severity": Severity(own["severity"]), "status": AlertStatus(own["status"])})


def marks_of(incident: Incident) -> list[tuple[str, str]]:
    """By what it is found: the kind and the value of each mark."""
    services = dict.fromkeys((*incident.named, *incident.services))
    return [*(("service", each) for each in services), *(("rule", each) for each in incident.rules)]


def line_values(line: Line, number: int) -> list[Any]:
    """Return the values of ``PUT_LINE``."""
    return [number, line.time_ns, line.kind, line.by, line.text, line.severity, line.alert_id]


def line_of(row: Sequence[Any]) -> Line:
    """Read a row of ``LINE_COLUMNS``."""
    return Line(*row)


def recorded_of(row: Sequence[Any]) -> Recorded:
    """Read cursor, the incident's number and ``LINE_COLUMNS``."""
    cursor, number, *line = row
    return Recorded(cursor, id_of(number), line_of(line))
