"""Types of the API's answers about alerts."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from spanglass_server.api.alerting.counts import Counts
from spanglass_server.query.answers import NextCursor, Time

SeverityName = Literal["info", "warning", "error", "critical"]
StatusName = Literal["active", "acknowledged", "resolved", "dismissed"]


class Details(TypedDict):
    """What tells an alert apart: the labels of its key, all labels, channels, and what finds another one like it."""

    key: dict[str, str]
    labels: dict[str, str]
    channels: list[str]
    fingerprint: str


class AlertJson(TypedDict):
    """An alert, in the columns of ``monitoring_alerts``; ``possible`` are the statuses that it may become."""

    id: str
    alert_type: str
    rule: str
    rule_name: str
    title: str
    description: str
    severity: SeverityName
    status: StatusName
    possible: list[StatusName]
    source: str
    service: str | None
    host: str | None
    firing: bool
    value: float | None
    unit: str
    count: int
    priority: int
    owner: str
    runbook: str
    part_of: str | None  # the alert that stands for the problem
    created_at: Time
    updated_at: Time
    acknowledged_at: Time | None
    acknowledged_by: str | None
    resolved_at: Time | None
    resolved_by: str | None
    details: Details


class EntryJson(TypedDict):
    """A line of an alert's history."""

    time: Time
    kind: str
    by: str
    text: str
    severity: str | None
    value: float | None


class Note(TypedDict):
    """What somebody wrote on an alert."""

    time: Time
    by: str
    text: str


class AlertPage(AlertJson):
    """One alert with its history, oldest first, its notes, and what is known about why it fired."""

    history: list[EntryJson]
    notes: list[Note]
    evidence: dict[str, Any]


class AlertList(TypedDict):
    """The answer of ``GET /api/monitoring/alerts/``; ``version`` rises with every change of any alert."""

    alerts: list[AlertJson]
    total: int
    counts: Counts
    version: int
    next_cursor: NextCursor


class DeletedAlert(TypedDict):
    """The alert that is gone."""

    id: str
