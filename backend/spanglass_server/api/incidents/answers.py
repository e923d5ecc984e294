"""Types of the API's answers about incidents."""

from __future__ import annotations

from typing import Literal, TypedDict

from spanglass_server.api.alerting.answers import SeverityName
from spanglass_server.api.alerting.answers import StatusName as AlertStatusName
from spanglass_server.api.alerting.counts import Counts
from spanglass_server.query.answers import NextCursor, Time

StatusName = Literal["open", "acknowledged", "recovered", "resolved", "dismissed"]


class Durations(TypedDict):
    """How long things took, in seconds; None for what has not happened.

    ``detect``: from its beginning until it was opened; ``acknowledge`` and ``resolve``: since then; ``recover``: since
    its beginning.
    """

    detect: float
    acknowledge: float | None
    recover: float | None
    resolve: float | None


class IncidentJson(TypedDict):
    """An incident, in the columns of ``monitoring_incidents``; ``possible`` are the statuses that it may become."""

    id: str
    title: str
    summary: str
    severity: SeverityName
    status: StatusName
    possible: list[StatusName]
    source: Literal["rule", "person"]
    opened_by: str
    services: list[str]
    hosts: list[str]
    rules: list[str]
    alert_count: int
    open_count: int
    lead: str
    responders: list[str]
    started_at: Time
    opened_at: Time
    updated_at: Time
    acknowledged_at: Time | None
    acknowledged_by: str | None
    recovered_at: Time | None
    resolved_at: Time | None
    resolved_by: str | None
    overdue_at: Time | None
    durations: Durations
    cause: str
    resolution: str
    channels: list[str]
    runbooks: list[str]
    merged_into: str | None


class StepJson(TypedDict):
    """Something to do, by its number from 1; ``origin`` is the runbook, rule or person that it comes from."""

    number: int
    text: str
    origin: str
    done_at: Time | None
    done_by: str | None


class MemberJson(TypedDict):
    """An alert of an incident as it was last seen; ``because`` says why it belongs there."""

    id: str
    title: str
    severity: SeverityName
    status: AlertStatusName
    firing: bool
    service: str | None
    host: str | None
    rule: str
    rule_name: str
    created_at: Time
    ended_at: Time | None
    because: str


class LineJson(TypedDict):
    """A line of a timeline; ``kind`` is ``alert.`` and the kind of an entry for what happened to the alert."""

    time: Time
    kind: str
    by: str
    text: str
    severity: str | None
    alert: str | None


class SimilarJson(TypedDict):
    """A past incident like one: how alike, 0 to 1, why, how it ended and what it took in seconds."""

    id: str
    title: str
    severity: SeverityName
    status: StatusName
    opened_at: Time
    likeness: float
    why: str
    cause: str
    resolution: str
    recover: float | None


class IncidentPage(IncidentJson):
    """One incident with its alerts, steps, timeline (oldest first; of a long one the newest lines) and past ones."""

    alerts: list[MemberJson]
    steps: list[StepJson]
    timeline: list[LineJson]
    similar: list[SimilarJson]
    has_postmortem: bool


class IncidentList(TypedDict):
    """The answer of ``GET /api/monitoring/incidents/``; ``version`` rises with every change of any incident."""

    incidents: list[IncidentJson]
    total: int
    counts: Counts
    version: int
    next_cursor: NextCursor


class Postmortem(TypedDict):
    """A postmortem in Markdown: as somebody wrote it, else the draft made of what is known now."""

    id: str
    title: str
    is_draft: bool
    text: str


class DeletedIncident(TypedDict):
    """The incident that is gone."""

    id: str
