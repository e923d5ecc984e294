"""Who hears of an alert, and why: the answer to "what if", and to "why was nobody told"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from spanglass_core.units import format_duration
from spanglass_server.notifications.routing.groups import group_key, grouping_labels
from spanglass_server.notifications.routing.muting import Muting
from spanglass_server.notifications.routing.tree import called, channels_of, matching
from spanglass_server.notifications.routing.walking import Step, walk
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.notifications.model import Route, Silence, Subject
    from spanglass_server.notifications.ports import Configuration
    from spanglass_server.notifications.routing.groups import Group
    from spanglass_server.notifications.routing.muting import Muted


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What one route that takes the alert comes to.

    ``unknown`` are those of the channels that are not configured. ``muted`` is why the route tells nobody now.
    ``due_ns`` is when the group is looked at next, 0 while there is none; ``told_ns`` when each channel was last told.
    """

    route: str
    channels: tuple[str, ...]
    unknown: tuple[str, ...]
    group: str
    group_labels: Mapping[str, str]
    group_wait_ns: int
    group_interval_ns: int
    repeat_interval_ns: int
    escalation: str
    muted: Muted | None
    due_ns: int
    told_ns: Mapping[str, int]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The labels by which an alert is routed, its way through the tree, and what comes of it.

    ``muted`` is why nobody is told whatever the route, ``silences`` are the ids of all that hide it. ``text`` is the
    answer in words, a sentence for each thing that counts.
    """

    labels: Mapping[str, str]
    steps: tuple[Step, ...]
    hearings: tuple[Hearing, ...]
    muted: Muted | None
    silences: tuple[str, ...]
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What an explanation looks at: ``firing`` are all open alerts."""

    configured: Configuration
    silences: Sequence[Silence]
    firing: Sequence[Subject]
    groups: Mapping[str, Group]
    now_ns: int


def explain(subject: Subject, situation: Situation) -> Explanation:
    """Who hears of an alert, which need not exist."""
    muting = Muting(situation.configured, situation.silences, situation.firing, situation.now_ns)
    routes = matching(situation.configured.route, subject.labels)
    hearings = tuple(_hearing(route, subject, situation, muting) for route in routes)
    muted = muting.of(subject)
    return Explanation(
        labels=dict(subject.labels),
        steps=walk(situation.configured.route, subject.labels),
        hearings=hearings,
        muted=muted,
        silences=tuple(silence.id for silence in muting.silences(subject.labels)),
        text=tuple(_sentences(hearings, muted, situation)),
    )


def _hearing(route: Route, subject: Subject, situation: Situation, muting: Muting) -> Hearing:
    labels, channels = grouping_labels(route, subject.labels), channels_of(route, subject)
    key = group_key(route, labels, channels)
    group = situation.groups.get(key)
    unknown = tuple(name for name in channels if name not in situation.configured.channels)
    muted = muting.of_route(route)
    return Hearing(
        route=route.key,
        channels=channels,
        unknown=unknown,
        group=key,
        group_labels=labels,
        group_wait_ns=route.group_wait_ns,
        group_interval_ns=route.group_interval_ns,
        repeat_interval_ns=route.repeat_interval_ns,
        escalation=route.escalation,
        muted=muted,
        due_ns=group.due_ns if group is not None else 0,
        told_ns={channel: told.time_ns for channel, told in group.told.items()} if group is not None else {},
        text=_hearing_text(route, (channels, unknown), labels, muted, group),
    )


def _hearing_text(
    route: Route,
    channels: tuple[tuple[str, ...], tuple[str, ...]],
    labels: Mapping[str, str],
    muted: Muted | None,
    group: Group | None,
) -> str:
    known = [name for name in channels[0] if name not in channels[1]]
    if not known and route.escalation:
        return (
            f"The {called(route.key)} takes it for no channel: only its escalation tells people, {_when(route, group)}."
        )
    if not channels[0] and route.channels:
        return f"The {called(route.key)} takes it and tells nobody."
    if not channels[0]:
        return f"The {called(route.key)} takes it and names no channel, nor does the alert: nobody is told."
    if not known:
        return f"The {called(route.key)} takes it for {_listed(channels[1])}, which is not configured: nobody is told."
    if muted is not None:
        return f"The {called(route.key)} takes it for {_listed(known)}, and tells nobody now: {_muted_text(muted)}."
    return f"{_listed(known)}: through the {called(route.key)}, {_grouped(route, labels)}, {_when(route, group)}."


def _grouped(route: Route, labels: Mapping[str, str]) -> str:
    if route.group_by is None:
        return "by itself"
    if not labels:
        return "together with all alerts of the route"
    return "together with alerts of the same " + _listed(list(labels))


def _when(route: Route, group: Group | None) -> str:
    if group is None:
        return f"{format_duration(route.group_wait_ns)} after it begins" if route.group_wait_ns else "at once"
    return f"when its group is looked at next, {_clock(group.due_ns)}"


def _sentences(hearings: Sequence[Hearing], muted: Muted | None, situation: Situation) -> list[str]:
    texts = [hearing.text for hearing in hearings]
    for hearing in hearings:
        if hearing.unknown and len(hearing.unknown) < len(hearing.channels):
            texts.append(f"There is no channel {_listed(hearing.unknown)}, which the {called(hearing.route)} names.")
        if hearing.escalation:
            texts.append(f"The escalation {hearing.escalation} begins, unless somebody acknowledges.")
    if muted is None:
        return texts
    if muted.by == "silence":
        silence = next(each for each in situation.silences if each.id == muted.silence_id)
        why = f"{silence.created_by} has silenced it until {_clock(silence.ends_ns)}: {silence.comment}"
        return [f"Nobody is told: {why.rstrip(': ')}.", *texts]
    title = next((each.title for each in situation.firing if each.alert_id == muted.alert_id), "")
    return [f"Nobody is told while another alert fires: {title or muted.alert_id}.", *texts]


def _muted_text(muted: Muted) -> str:
    if muted.by == "mute_during":
        return f"it is within {muted.interval}"
    return f"it is not within {muted.interval}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _clock(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"
