"""The calls about incidents, before anybody waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spanglass.client.calls import Call, given, plain
from spanglass.client.incident_answers import Incident, IncidentList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.client.answers import Json
    from spanglass.client.incident_answers import IncidentStatus

_MONITORING = "/api/monitoring"
_INCIDENTS = f"{_MONITORING}/incidents/"


def _path(incident_id: str, below: str = "") -> str:
    return f"{_INCIDENTS}{quote(incident_id, safe='')}/{below}"


def get_incidents(filters: Mapping[str, Any]) -> Call[IncidentList]:
    """Incidents that match."""
    return Call("GET", _INCIDENTS, IncidentList.of, plain(filters))


def get_incident(incident_id: str) -> Call[Incident]:
    """One incident with everything."""
    return Call("GET", _path(incident_id), Incident.of, {})


def open_incident(title: str, by: str, fields: Mapping[str, Any]) -> Call[Incident]:
    """A new incident; made once, as a second attempt would open another."""
    body = given({"title": title, **fields, "by": by or None})
    return Call("POST", _INCIDENTS, Incident.of, {}, body, once=True)


def change_incident(
    incident_id: str, status: IncidentStatus | None, by: str, reason: str, fields: Mapping[str, Any]
) -> Call[Incident]:
    """Another status, or other words."""
    body = given({"status": status, "by": by or None, "reason": reason or None, **fields})
    return Call("PUT", _path(incident_id), Incident.of, {}, body, wanted=status or "")


def note_incident(incident_id: str, text: str, by: str) -> Call[Incident]:
    """A note; made once, as a second attempt would write another."""
    return Call(
        "POST", _path(incident_id, "notes/"), Incident.of, {}, given({"text": text, "by": by or None}), once=True
    )


def get_postmortem(incident_id: str) -> Call[str]:
    """The postmortem, or its draft."""
    return Call("GET", _path(incident_id, "postmortem/"), _text, {})


def get_incident_report(params: Mapping[str, Any]) -> Call[Json]:
    """How long incidents and alerts took."""
    return Call("GET", f"{_MONITORING}/incident-report/", dict, plain(params))


def _text(raw: Json) -> str:
    return str(raw["text"])
