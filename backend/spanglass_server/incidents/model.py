"""What the parts of incidents give each other: incidents, their alerts, response steps and timelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spanglass_server.incidents.lifecycle import LIVE, Status

if TYPE_CHECKING:
    from spanglass_core.alerting.lifecycle import Status as AlertStatus
    from spanglass_core.alerting.severity import Severity

#: rule: an opening rule opened it; person: somebody did.
Source = Literal["rule", "person"]


@dataclass(frozen=True, slots=True)
class ResponseStep:
    """Something to do in an incident; ``origin`` says where it comes from: a runbook, a rule, a person."""

    text: str
    origin: str = ""
    done_ns: int = 0
    done_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident; times are in nanoseconds, 0 for what has not happened. A store gives it its ``id``, ``INC-7``.

    ``started_ns`` is when its effects began, ``opened_ns`` when it was known. ``recovered_ns`` is when the last of its
    alerts was over, or when somebody said that its effects were. ``alert_count``, ``open_count``, ``last_ns`` (when the
    newest of its alerts was raised), ``services``, ``hosts`` and ``rules`` follow from its alerts; services that a
    person named are in ``named``. ``severity_by`` and ``started_by`` are who set severity and start by hand.
    """

    title: str
    severity: Severity
    source: Source
    opened_ns: int
    updated_ns: int
    started_ns: int
    id: str = ""
    status: Status = Status.OPEN
    summary: str = ""
    opened_by: str = ""  # a person, or the name of an opening rule
    severity_by: str = ""
    started_by: str = ""
    acknowledged_ns: int = 0
    acknowledged_by: str = ""
    recovered_ns: int = 0
    resolved_ns: int = 0  # when it was over, resolved or dismissed
    resolved_by: str = ""
    overdue_ns: int = 0  # when it was told that it takes longer than incidents are to
    lead: str = ""
    responders: tuple[str, ...] = ()
    steps: tuple[ResponseStep, ...] = ()
    runbooks: tuple[str, ...] = ()  # addresses of pages
    channels: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    alert_count: int = 0
    open_count: int = 0
    last_ns: int = 0
    cause: str = ""
    resolution: str = ""  # how it ended: what was done
    postmortem: str = ""  # as a person wrote it; "": only its draft, which is made when it is asked for
    merged_into: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it is not over."""
        return self.status in LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An alert of an incident, as it was last seen: it stays when the alert is deleted. ``because`` says why it is one.

    One that has ``left`` was taken out by a person, and is not taken in again by itself.
    """

    alert_id: str
    because: str
    joined_ns: int
    title: str
    severity: Severity
    status: AlertStatus
    firing: bool
    created_ns: int
    acknowledged_ns: int = 0
    ended_ns: int = 0
    rule_uid: str = ""
    rule_name: str = ""
    fingerprint: str = ""
    service: str = ""
    host: str = ""
    part_of: str = ""
    runbook: str = ""
    owner: str = ""
    left: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a timeline: what happened, when, by whom.

    ``kind`` is one of ``KINDS``; of what happened to an alert it is that of the entry in the alert's history, after
    ``alert.``, and ``alert_id`` names the alert.
    """

    time_ns: int
    kind: str
    by: str
    text: str = ""
    severity: str = ""
    alert_id: str = ""


#: Kinds of lines that are no alert's.
KINDS = (
    "opened", "acknowledged", "reopened", "relapsed", "recovered", "resolved", "dismissed", "raised", "edited", "note",
    "joined", "left", "responder", "step", "release", "overdue", "merged", "postmortem",
)  # fmt: skip
#: Begins the kinds of what happened to an alert.
ALERT = "alert."
#: Who did what nobody did by hand.
SERVER = "server"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A line where it stands in the order in which changes were committed; ``cursor`` rises and is never reused."""

    cursor: int
    incident_id: str
    line: Line


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of one incident: as it is from now on, alerts that are new or changed, and new lines.

    One without an id is a new incident.
    """

    incident: Incident
    members: tuple[Member, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """An incident with its alerts, those that have left too."""

    incident: Incident
    members: tuple[Member, ...] = ()

    @property
    def present(self) -> tuple[Member, ...]:
        """Alerts that have not left."""
        return tuple(member for member in self.members if not member.left)
