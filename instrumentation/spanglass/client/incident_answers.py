"""What the calls about incidents return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from spanglass.client.answers import Counts, known, time_of

if TYPE_CHECKING:
    from datetime import datetime

    from spanglass.client.answers import Json, Severity

IncidentStatus = Literal["open", "acknowledged", "recovered", "resolved", "dismissed"]
_TIMES = ("started_at", "opened_at", "updated_at", "acknowledged_at", "recovered_at", "resolved_at", "overdue_at")
_LISTS = (
    *("possible", "services", "hosts", "rules", "responders", "channels", "runbooks"),
    *("alerts", "steps", "timeline", "similar"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident.

    ``durations`` are in seconds, None for what has not happened: ``detect``, ``acknowledge``, ``recover``,
    ``resolve``. ``alerts``, ``steps``, ``timeline`` and ``similar`` are there where one incident was asked for.
    """

    id: str
    title: str
    severity: Severity
    status: IncidentStatus
    started_at: datetime
    opened_at: datetime
    updated_at: datetime
    summary: str = ""
    source: str = ""
    opened_by: str = ""
    possible: tuple[IncidentStatus, ...] = ()
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    alert_count: int = 0
    open_count: int = 0
    lead: str = ""
    responders: tuple[str, ...] = ()
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    recovered_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    overdue_at: datetime | None = None
    durations: Json = field(default_factory=dict)
    cause: str = ""
    resolution: str = ""
    channels: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    merged_into: str | None = None
    alerts: tuple[Json, ...] = ()
    steps: tuple[Json, ...] = ()
    timeline: tuple[Json, ...] = ()
    similar: tuple[Json, ...] = ()
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Incident:
        """Read an object of the API."""
        return cls(**known(cls, raw, {**dict.fromkeys(_TIMES, time_of), **dict.fromkeys(_LISTS, tuple)}), raw=raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentList:
    """Incidents, the newest first; ``total`` counts those of all pages."""

    incidents: tuple[Incident, ...]
    total: int
    counts: Counts
    next_cursor: str | None = None

    @classmethod
    def of(cls, raw: Json) -> IncidentList:
        """Read the API's answer."""
        counts = Counts(status=raw["counts"]["status"], severity=raw["counts"]["severity"])
        incidents = tuple(map(Incident.of, raw["incidents"]))
        return cls(incidents=incidents, total=raw["total"], counts=counts, next_cursor=raw.get("next_cursor"))
