"""What a change asked for makes of an issue's status: pure, and the place where it is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.issues.ports import InvalidChangeError
from spanglass_server.issues.states import COUNTED, Ignore, IgnoredUntil, Resolution, ResolvedIn, State, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.issues.model import IssueChange

_LARGEST = 2**63 - 1
_ONCE_MORE = COUNTED - {IgnoredUntil.ESCALATES}


def check(change: IssueChange, now_ns: int) -> None:
    """Raise ``InvalidChangeError`` for a change that no issue can be given."""
    if change.state in (State.NEW, State.REGRESSED):
        raise InvalidChangeError(
            "state", f"an issue becomes {change.state} by itself; set resolved, ignored or ongoing"
        )
    if change.state is State.IGNORED:
        _check_limit(change.until, change.limit, now_ns)


def _check_limit(until: IgnoredUntil, limit: int | None, now_ns: int) -> None:
    if until is IgnoredUntil.TIME:
        if limit is None or not now_ns < limit <= _LARGEST:
            raise InvalidChangeError("until", "ignoring until a time needs a time that is yet to come")
    elif until in _ONCE_MORE:
        if limit is None or not 1 <= limit <= _LARGEST:
            raise InvalidChangeError("until", f"{until} needs how many more, 1 or above")
    elif limit is not None:
        raise InvalidChangeError("until", f"{until} takes no number and no time: leave it out, or choose another one")


def new_status(change: IssueChange, newest_release: Callable[[], str], last_seen_ns: int, now_ns: int) -> Status:
    """Return the status that a checked change with a state makes of an issue last seen at ``last_seen_ns``."""
    if change.state is State.RESOLVED:
        return Status(State.RESOLVED, _resolution(change, newest_release, last_seen_ns, now_ns))
    if change.state is State.IGNORED:
        return Status(State.IGNORED, ignore=Ignore(change.until, now_ns, change.limit))
    return Status(State.ONGOING)


def _resolution(change: IssueChange, newest_release: Callable[[], str], last_seen_ns: int, now_ns: int) -> Resolution:
    is_named = change.resolved is ResolvedIn.RELEASE and change.release
    release = change.release if is_named else newest_release()
    if change.resolved is ResolvedIn.RELEASE and not release:
        raise InvalidChangeError("release", "the service has no known release: name one, or resolve without")
    return Resolution(change.resolved, now_ns, release, max(now_ns, last_seen_ns))


def is_same(before: Status, after: Status) -> bool:
    """Whether nothing would change; counts that begin anew are a change."""
    if after.ignore and after.ignore.until in _ONCE_MORE:
        return False
    return _without_times(before) == _without_times(after)


def _without_times(status: Status) -> tuple[object, ...]:
    resolution, ignore = status.resolution, status.ignore
    return (
        status.state,
        resolution and (resolution.how, resolution.release),
        ignore and (ignore.until, ignore.limit),
    )


def detail(status: Status) -> str:
    """Say how an issue was resolved or is ignored: ``in_release 1.4.0``, ``until_events 100``."""
    if status.state is State.IGNORED and status.ignore:
        ignore = status.ignore
        return ignore.until if ignore.limit is None else f"{ignore.until} {ignore.limit}"
    if status.resolution:
        return f"{status.resolution.how} {status.resolution.release}".rstrip()
    return ""
