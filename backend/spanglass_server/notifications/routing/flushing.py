"""Looking at a group when it is due: which channels are told what, and what the group is from then on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from spanglass_server.notifications.model import Reason
from spanglass_server.notifications.routing.groups import Told
from spanglass_server.notifications.routing.tree import own_channels

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
    """The alerts of a group that nothing mutes, by fingerprint. ``left`` are those that belong elsewhere."""

    firing: Mapping[str, Subject]
    resolved: Mapping[str, Subject]
    left: frozenset[str]

    def by(self, told: Told | None) -> _Seen:
        """What of it a channel is concerned with: of those that belong elsewhere, only what it was told of."""
        foreign = self.left - told.firing.keys() if told is not None else self.left
        if not foreign:
            return self
        firing, resolved = (
            {name: subject for name, subject in side.items() if name not in foreign}
            for side in (self.firing, self.resolved)
        )
        return _Seen(firing, resolved, self.left)

    def ranks(self, told: Told | None) -> dict[str, int]:
        """Severities of those that fire; of one that belongs elsewhere, that which was told."""
        known = told.firing if told is not None else {}
        return {
            name: known[name] if name in self.left else subject.severity.rank for name, subject in self.firing.items()
        }

    @property
    def insists(self) -> bool:
        """Whether one of them is to be repeated."""
        return any(not subject.acknowledged and name not in self.left for name, subject in self.firing.items())


def flush(
    group: Group,
    route: Route,
    subjects: Callable[[str], Subject | None],
    muting: Muting,
    sends_resolved: Callable[[str], bool | None],
    now_ns: int,
) -> Flushed:
    """Look at a group that is due.

    ``subjects`` gives alerts by id as they are now, None for one that was deleted; ``sends_resolved`` whether a channel
    tells of ends, None for one that is not configured and told nothing. A channel that is no longer one of the route's
    hears of ends. A group without alerts stays for a while, so that one that comes back waits for the interval.
    """
    members = {name: subject for name, each in group.members.items() if (subject := subjects(each)) is not None}
    seen = _seen(group, members, route, muting)
    channels = channels_of_group(group, route)
    told, tellings = dict(group.told), []
    for channel in dict.fromkeys((*channels, *group.told)):
        sends, before = sends_resolved(channel), told.get(channel)
        if sends is None:
            continue
        # a channel that is no longer one of them is concerned with what it was told alone
        own = (seen if channel in channels else replace(seen, left=frozenset(members))).by(before)
        reason = _reason(own, before, route, now_ns, ends=sends)
        if reason is None:
            continue
        told[channel] = Told(time_ns=now_ns, firing=own.ranks(before), resolved=frozenset(own.resolved))
        alerts = [*own.firing.values(), *(own.resolved.values() if sends else ())]
        if alerts:
            tellings.append(Telling(channel=channel, reason=reason, alerts=_ordered(alerts)))
    looked = replace(group, channels=channels, told=told, due_ns=now_ns + route.group_interval_ns)
    return Flushed(_after(looked, members, seen, now_ns), tuple(tellings))


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


def channels_of_group(group: Group, route: Route) -> tuple[str, ...]:
    """The channels of a group now: those of its route, else those that its alerts name."""
    return own_channels(route) if route.channels else group.channels


def untold(group: Group, channel: str) -> Group:
    """The group as if a channel had been told nothing: what could not be delivered is told at the next look."""
    return replace(group, told={name: told for name, told in group.told.items() if name != channel})


def _seen(group: Group, members: Mapping[str, Subject], route: Route, muting: Muting) -> _Seen:
    if muting.of_route(route) is not None:
        return _Seen({}, {}, group.left)
    heard = {name: subject for name, subject in members.items() if muting.of(subject) is None}
    firing = {name: subject for name, subject in heard.items() if not subject.ends_ns}
    return _Seen(firing, {name: subject for name, subject in heard.items() if subject.ends_ns}, group.left)


def _reason(own: _Seen, before: Told | None, route: Route, now_ns: int, *, ends: bool) -> Reason | None:
    if not own.firing and not own.resolved:
        return None
    ranks, resolved = own.ranks(before), frozenset(own.resolved)
    reason = news(before, ranks, resolved, route.repeat_interval_ns, sends_resolved=ends, now_ns=now_ns)
    return None if reason is Reason.REPEAT and not own.insists else reason


def _after(group: Group, members: Mapping[str, Subject], seen: _Seen, now_ns: int) -> Group | None:
    if group.is_forgotten(now_ns):
        return None
    staying = {name: subject.alert_id for name, subject in members.items() if not subject.ends_ns}
    # what ended while it was muted is told to nobody, and is news when it comes again
    unseen = {name for name in group.members if name not in staying and name not in seen.resolved}
    told = {
        channel: _without(each, unseen) if unseen else each
        for channel, each in group.told.items()
        if channel in group.channels or each.firing
    }
    return replace(
        group,
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
