"""States of an issue and what moves them: pure functions, the time and the known releases are passed in.

docs/issues.md has the same rules for users.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from spanglass_server.issues.escalation import escalates

if TYPE_CHECKING:
    from spanglass_server.issues.releases import Releases

#: How long an issue that nobody acted on counts as new, from its first occurrence.
NEW_FOR_NS = 7 * 86_400 * 1_000_000_000


class State(StrEnum):
    """What became of an issue."""

    NEW = "new"
    ONGOING = "ongoing"
    REGRESSED = "regressed"
    RESOLVED = "resolved"
    IGNORED = "ignored"


#: The states of issues that want somebody's attention.
OPEN_STATES = frozenset({State.NEW, State.ONGOING, State.REGRESSED})


class ResolvedIn(StrEnum):
    """From which release on a resolved issue must not occur again."""

    NOW = "now"  # the newest that was known, and later ones
    RELEASE = "in_release"  # one by name, and later ones
    NEXT_RELEASE = "in_next_release"  # later ones than the newest that was known


class IgnoredUntil(StrEnum):
    """What ends the ignoring of an issue."""

    FOR_EVER = "for_ever"
    TIME = "until_time"
    EVENTS = "until_events"
    USERS = "until_users"
    ESCALATES = "until_escalates"


#: Those that are told by counts of stored occurrences.
COUNTED = frozenset({IgnoredUntil.EVENTS, IgnoredUntil.USERS, IgnoredUntil.ESCALATES})


@dataclass(frozen=True, slots=True)
class Resolution:
    """How an issue was resolved."""

    how: ResolvedIn
    time_ns: int
    release: str = ""  # the named one, else the newest that was known; "" if none was
    after_ns: int = 0  # only later occurrences reopen: the time, or the last occurrence if its clock was ahead


@dataclass(frozen=True, slots=True)
class Ignore:
    """How an issue is ignored."""

    until: IgnoredUntil
    since_ns: int
    limit: int | None = None  # a time in ns, a number of events or of users; None for the others


@dataclass(frozen=True, slots=True)
class Status:
    """The state as it is stored, with what belongs to it."""

    state: State
    resolution: Resolution | None = None  # of resolved and regressed issues
    ignore: Ignore | None = None  # of ignored issues


@dataclass(frozen=True, slots=True)
class IgnoredCounts:
    """What occurred of one ignored issue since ``Ignore.since_ns``, counted in stored occurrences."""

    since_ns: int  # of the ignoring that was counted for: counts for an earlier one are left out
    events: int = 0
    users: int = 0
    hours_before: tuple[int, ...] = ()  # events an hour before, oldest first, without the present hour
    this_hour: int = 0  # events of the last 60 minutes, but only since ``since_ns``: what was known does not escalate


def shown_state(state: State, first_seen_ns: int, now_ns: int) -> State:
    """Return the state that people see: a new issue becomes ongoing with age."""
    is_old = now_ns - first_seen_ns >= NEW_FOR_NS
    return State.ONGOING if state is State.NEW and is_old else state


def regresses(resolution: Resolution, last_ns: int, release: str, releases: Releases) -> bool:
    """Whether an occurrence at ``last_ns`` in ``release`` ("": not known) reopens an issue resolved like this."""
    if last_ns <= resolution.after_ns:
        return False
    if not resolution.release:
        return True
    if not release:
        return resolution.how is ResolvedIn.NOW
    if resolution.how is ResolvedIn.NEXT_RELEASE:
        return releases.is_older(resolution.release, release)
    return not releases.is_older(release, resolution.release)


def ignoring_ends(ignore: Ignore, counts: IgnoredCounts | None, now_ns: int) -> bool:
    """Whether the condition of an ignored issue is met; counts are None where nobody counted."""
    if ignore.until is IgnoredUntil.TIME:
        return ignore.limit is not None and now_ns >= ignore.limit
    if counts is None or counts.since_ns != ignore.since_ns:
        return False
    if ignore.until is IgnoredUntil.ESCALATES:
        return escalates(counts.hours_before, counts.this_hour)
    limit = ignore.limit or 1
    reached = {IgnoredUntil.EVENTS: counts.events >= limit, IgnoredUntil.USERS: counts.users >= limit}
    return reached.get(ignore.until, False)
