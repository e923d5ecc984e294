"""What is known of issues: the types that the issue store takes and gives. Times are nanoseconds since 1970, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from spanglass_server.issues.states import IgnoredUntil, ResolvedIn, State, Status, shown_state

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The actor of changes that nobody asked for.
AUTOMATIC = "spanglass"


class EventKind(StrEnum):
    """What alert rules can wait for."""

    NEW_ISSUE = "new_issue"
    REGRESSION = "regression"
    ESCALATION = "escalation"  # an ignored issue escalates, and is ignored no longer
    UNIGNORED = "unignored"  # the time, the number of events or of users is reached


class ActivityKind(StrEnum):
    """What an entry of the activity log is about."""

    CREATED = "created"
    STATE = "state"
    ASSIGNEE = "assignee"
    COMMENT = "comment"
    MERGED = "merged"
    UNMERGED = "unmerged"
    CARRIED = "carried"  # a key was added, because regrouping moved the issue's occurrences to it


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one derived batch saw of one key in one release and environment."""

    key: int
    service: str
    title: str
    type: str
    message: str
    culprit: str
    version: int  # of the fingerprint
    inputs: tuple[tuple[str, str], ...]  # (kind, value)
    first_ns: int
    last_ns: int
    release: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseSighting:
    """A release of a service, told by any of its telemetry."""

    service: str
    release: str
    first_ns: int
    last_ns: int
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """A known release of a service."""

    service: str
    release: str
    first_ns: int
    last_ns: int
    environments: tuple[str, ...]  # without the unnamed one


@dataclass(frozen=True, slots=True)
class IssueSummary:
    """One issue as lists need it, with all that is merged into it."""

    id: str
    service: str
    title: str
    type: str
    message: str
    culprit: str
    status: Status
    assignee: str  # "" for nobody
    first_seen_ns: int
    first_release: str  # of the first occurrence
    keys: tuple[int, ...]
    is_overflow: bool = False

    def state(self, now_ns: int) -> State:
        """Return the state that people see."""
        return shown_state(self.status.state, self.first_seen_ns, now_ns)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All issues at one moment; an issue that is merged into another is not among them, its keys are the other's."""

    version: int
    issues: Mapping[str, IssueSummary]  # by id
    by_key: Mapping[int, IssueSummary]


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A fingerprint's key and the issue that it belongs to."""

    key: int
    issue: str  # its own, which may be merged into another
    version: int | None  # this and the times are None until an occurrence was observed: only of a carried key
    inputs: tuple[tuple[str, str], ...]
    first_ns: int | None
    last_ns: int | None
    first_release: str
    last_release: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One change of an issue."""

    id: int
    issue: str  # the one it was made on
    time_ns: int
    actor: str
    kind: ActivityKind
    before: str
    after: str
    detail: str  # of a state: "in_release 1.4.0", "until_events 100"


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote about an issue."""

    id: int
    issue: str  # the one it was made on
    time_ns: int
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class Merge:
    """One issue that was merged into another."""

    id: int
    issue: str
    into: str
    time_ns: int
    actor: str
    by_regrouping: bool = False
    undone_ns: int | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue with everything; of keys, activity, comments and merges also those of what is merged into it."""

    summary: IssueSummary
    last_seen_ns: int
    last_release: str  # of the last occurrence
    keys: tuple[KeyRecord, ...]
    activity: tuple[Activity, ...]  # oldest first
    comments: tuple[Comment, ...]  # oldest first
    merges: tuple[Merge, ...]  # that stand, oldest first


@dataclass(frozen=True, slots=True)
class Event:
    """What alert rules wait for."""

    id: int  # the cursor: higher than that of every event before
    kind: EventKind
    time_ns: int
    issue: str
    service: str
    release: str
    environment: str
    detail: str  # the issue's title for a new one; else what was met: "in_next_release 1.4.0", "until_users 10"


@dataclass(frozen=True, slots=True)
class IssueChange:
    """What to change of issues; None leaves it as it is."""

    state: State | None = None  # resolved, ignored or ongoing: the others come by themselves
    resolved: ResolvedIn = ResolvedIn.NOW
    release: str = ""  # for ``in_release``; "" is the newest release known
    until: IgnoredUntil = IgnoredUntil.FOR_EVER
    limit: int | None = None  # for ``until_time`` a time, for ``until_events`` and ``until_users`` how many more
    assignee: str | None = None  # "" takes the assignee away


@dataclass(frozen=True, slots=True)
class Due:
    """An issue whose ignoring ends by counts: the caller counts occurrences of these keys since ``since_ns``."""

    issue: str
    keys: tuple[int, ...]
    until: IgnoredUntil
    since_ns: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """A grouping rule as it is kept; ``body`` is JSON that the core reads."""

    id: int
    body: Mapping[str, Any]
    created_ns: int
    actor: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The grouping rules that stand, oldest first, and the epoch that rises with each change of them."""

    epoch: int
    rules: tuple[RuleRecord, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """How many stored occurrences regrouping takes from one key to another (or leaves at the same)."""

    old_key: int
    new_key: int
    count: int
