"""Looking at a group when it is due: which channels are told what, and what the group is from then on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.notifications.model import Reason
from spanglass_server.notifications.routing.groups import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.notifications.model import Route, Subject
    from spanglass_server.notifications.routing.groups import Group
    from spanglass_server.notifications.routing.muting import Muting


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What one channel is to be told: the alerts, those that fire first, the worst and oldest of them first."""

    channel: str
    reason: Reason
    alerts: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Flushed:
    """What came of a look: the group as it is now, None if it is gone, and whom to tell."""

    group: Group | None
    tellings: tuple[Telling, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """The alerts of a group that nothing mutes, by fingerprint. ``insists``: one of them is to be repeated."""

    firing: Mapping[str, Subject]
    resolved: Mapping[str, Subject]
    insists: bool

    @property
    def ranks(self) -> dict[str, int]:
        return {fingerprint: subject.severity.rank for fingerprint, subject in self.firing.items()}


def flush(
    group: Group,
    route: Route,
    subjects: Callable[[str], Subject | None],
    muting: Muting,
    sends_resolved: Callable[[str], bool],
    now_ns: int,
) -> Flushed:
    """Look at a group that is due.

    ``subjects`` gives alerts by id as they are now, None for one that was deleted; ``sends_resolved`` whether a channel
    tells of ends. A group without alerts stays for a while, so that one that comes back waits for the interval.
    """
    members = {name: subject for name, each in group.members.items() if (subject := subjects(each)) is not None}
    seen = _seen(group, members, route, muting)
    told, tellings = dict(group.told), []
    for channel in group.channels:
        reason = _news(told.get(channel), seen, route.repeat_interval_ns, sends_resolved(channel), now_ns)
        if reason is None:
            continue
        told[channel] = Told(time_ns=now_ns, firing=seen.ranks, resolved=frozenset(seen.resolved))
        alerts = [*seen.firing.values(), *(seen.resolved.values() if sends_resolved(channel) else ())]
        if alerts:
            tellings.append(Telling(channel=channel, reason=reason, alerts=_ordered(alerts)))
    return Flushed(_after(group, members, seen, told, now_ns + route.group_interval_ns, now_ns), tuple(tellings))


def news(
    told: Told | None,
    firing: Mapping[str, int],
    resolved: frozenset[str],
    repeat_ns: int,
    *,
    sends_resolved: bool,
    now_ns: int,
) -> Reason | None:
    """Whether there is something to tell a channel, and what: the rule of Alertmanager's notification log.

    ``firing`` are severities (ranks) by fingerprint; an alert that became worse is news as a new one is. Ends of all
    alerts are news to those that hear of no ends as well, so that the same alert is news when it comes again.
    """
    if told is None:
        return Reason.FIRING if firing else None
    if any(rank > told.firing.get(fingerprint, 0) for fingerprint, rank in firing.items()):
        return Reason.FIRING
    if not firing:
        return Reason.RESOLVED if told.firing else None
    if sends_resolved and not resolved <= told.resolved:
        return Reason.RESOLVED
    return Reason.REPEAT if told.time_ns <= now_ns - repeat_ns else None


def untold(group: Group, channel: str) -> Group:
    """The group as if a channel had been told nothing: what could not be delivered is told at the next look."""
    return replace(group, told={name: told for name, told in group.told.items() if name != channel})


def _seen(group: Group, members: Mapping[str, Subject], route: Route, muting: Muting) -> _Seen:
    if muting.of_route(route) is not None:
        return _Seen({}, {}, insists=False)
    heard = {name: subject for name, subject in members.items() if muting.of(subject) is None}
    firing = {name: subject for name, subject in heard.items() if not subject.ends_ns}
    insists = any(not subject.acknowledged and name not in group.left for name, subject in firing.items())
    return _Seen(firing, {name: subject for name, subject in heard.items() if subject.ends_ns}, insists)


def _news(told: Told | None, seen: _Seen, repeat_ns: int, sends_resolved: bool, now_ns: int) -> Reason | None:  # noqa: FBT001
    if not seen.firing and not seen.resolved:
        return None
    reason = news(told, seen.ranks, frozenset(seen.resolved), repeat_ns, sends_resolved=sends_resolved, now_ns=now_ns)
    return None if reason is Reason.REPEAT and not seen.insists else reason


def _after(
    group: Group, members: Mapping[str, Subject], seen: _Seen, told: Mapping[str, Told], due_ns: int, now_ns: int
) -> Group | None:
    if group.is_forgotten(now_ns):
        return None
    staying = {name: subject.alert_id for name, subject in members.items() if not subject.ends_ns}
    # what ended while it was muted is told to nobody, and is news when it comes again
    unseen = {name for name in group.members if name not in staying and name not in seen.resolved}
    if unseen:
        told = {channel: _without(each, unseen) for channel, each in told.items()}
    return replace(
        group,
        due_ns=due_ns,
        has_flushed=True,
        members=staying,
        left=group.left & staying.keys(),
        told=told,
        emptied_ns=0 if staying else group.emptied_ns or now_ns,
    )


def _without(told: Told, fingerprints: set[str]) -> Told:
    return replace(told, firing={name: rank for name, rank in told.firing.items() if name not in fingerprints})


def _ordered(alerts: Sequence[Subject]) -> tuple[Subject, ...]:
    return tuple(
        sorted(alerts, key=lambda each: (each.ends_ns > 0, -each.severity.rank, each.starts_ns, each.alert_id))
    )
