"""A configuration of Alertmanager as one of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.names import unused
from spanglass_server.forms.problems import meant
from spanglass_server.notifications.config.routes import INTERVAL, MATCHERS, ROUTE
from spanglass_server.notifications.importing.integrations import KINDS, OTHERS, Integration, channel_of
from spanglass_server.notifications.model import Matcher
from spanglass_server.notifications.routing.resolving import WrittenRoute
from spanglass_server.notifications.routing.tree import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.notifications.importing.model import (
        TheirConfiguration,
        TheirInhibition,
        TheirIntervals,
        TheirRoute,
    )

_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class _Names:
    """Names there, and what they are here: channels of receivers, and intervals."""

    receivers: Mapping[str, tuple[str, ...]]
    intervals: Mapping[str, str]


def converted(theirs: TheirConfiguration, root: Node, problems: Report, notes: Report) -> dict[str, Any]:
    """The settings: ``monitoring: channels, notifications``. Names that lead nowhere are problems."""
    channels, receivers = _channels(theirs, problems, notes)
    intervals = [*theirs.time_intervals, *theirs.mute_time_intervals]
    names = _Names(receivers, _interval_names(intervals, root, problems))
    if theirs.templates:
        notes.add(root, "templates are left out", "texts are templates of Jinja2 here, see docs/messages.md")
    route = _route(theirs.route, root.named("route") or root, names, problems)
    inhibitions = [_inhibition(rule) for rule in theirs.inhibit_rules]
    written = {
        "route": ROUTE.write(route, full=False),
        "inhibitions": inhibitions,
        "intervals": {
            names.intervals[each.name]: [INTERVAL.write(one, full=False) for one in each.time_intervals]
            for each in intervals
        },
    }
    return {"monitoring": {"channels": channels, "notifications": {key: it for key, it in written.items() if it}}}


def _channels(
    theirs: TheirConfiguration, problems: Report, notes: Report
) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    channels: dict[str, Any] = {}
    receivers: dict[str, tuple[str, ...]] = {}
    for receiver in theirs.receivers.items if theirs.receivers is not None else ():
        name = receiver.named("name")
        if name is None or not name.text:
            problems.add(receiver, "a receiver has no name")
            continue
        if name.text in receivers:
            problems.add(name, f"two receivers are named {name.text!r}")
            continue
        made = list(_of_receiver(receiver, theirs.global_, problems, notes))
        own = []
        for kind, channel in made:
            wanted = _plain(name.text if len(made) == 1 else f"{name.text}-{kind}")
            chosen = unused(wanted, {*channels, NOBODY})
            channels[chosen] = channel
            own.append(chosen)
        if not own and len(receiver.entries) > 1:
            notes.add(name, f"nobody is told through {name.text!r} until it has a channel")
        receivers[name.text] = tuple(own) or (NOBODY,)
    return channels, receivers


def _of_receiver(
    receiver: Node, globals_: Node | None, problems: Report, notes: Report
) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in receiver.entries:
        if entry.key == "name":
            continue
        kind = KINDS.get(entry.key)
        if kind is None and entry.key not in OTHERS:
            place = (entry.line, entry.column)
            hint = meant(entry.key, (*KINDS, *OTHERS))
            problems.add_at(entry.value.path, place, f"unknown key {entry.key!r}", hint)
            continue
        if kind is None:
            notes.add(entry.value, f"{entry.key} are left out", "make a channel for it, see docs/channels.md")
            continue
        for given in entry.value.items:
            yield kind.type, channel_of(kind, Integration(given, globals_, notes))


def _interval_names(intervals: Sequence[TheirIntervals], root: Node, problems: Report) -> dict[str, str]:
    names: dict[str, str] = {}
    for each in intervals:
        if each.name in names:
            problems.add(root, f"two time intervals are named {each.name!r}")
        names[each.name] = unused(_plain(each.name), names.values())
    return names


def _route(theirs: TheirRoute, node: Node, names: _Names, problems: Report) -> WrittenRoute:
    if theirs.receiver and theirs.receiver not in names.receivers:
        hint = meant(theirs.receiver, names.receivers) if names.receivers else "there are no receivers"
        problems.add(node.named("receiver") or node, f"there is no receiver {theirs.receiver!r}", hint)
    below = node.named("routes")
    return WrittenRoute(
        match=(*_labels(theirs.match, "="), *_labels(theirs.match_re, "=~"), *theirs.matchers),
        channels=names.receivers.get(theirs.receiver, ()),
        group_by=theirs.group_by,
        group_wait_ns=theirs.group_wait_ns,
        group_interval_ns=theirs.group_interval_ns,
        repeat_interval_ns=theirs.repeat_interval_ns,
        continue_=theirs.continue_,
        mute_during=_intervals(theirs.mute_time_intervals, node, names, problems),
        active_during=_intervals(theirs.active_time_intervals, node, names, problems),
        routes=tuple(
            _route(route, item, names, problems)
            for route, item in zip(theirs.routes, below.items if below is not None else (), strict=True)
        ),
    )


def _intervals(given: Iterable[str], node: Node, names: _Names, problems: Report) -> tuple[str, ...]:
    for name in given:
        if name not in names.intervals:
            hint = meant(name, names.intervals) if names.intervals else "there are no time intervals"
            problems.add(node, f"there is no time interval {name!r}", hint)
    return tuple(names.intervals[name] for name in given if name in names.intervals)


def _inhibition(rule: TheirInhibition) -> dict[str, Any]:
    source = (*_labels(rule.source_match, "="), *_labels(rule.source_match_re, "=~"), *rule.source_matchers)
    target = (*_labels(rule.target_match, "="), *_labels(rule.target_match_re, "=~"), *rule.target_matchers)
    written = {"source": MATCHERS.write(source, full=False), "target": MATCHERS.write(target, full=False)}
    named = {"name": _plain(rule.name)} if rule.name else {}
    return {**named, **written, **({"equal": list(rule.equal)} if rule.equal else {})}


def _labels(values: Mapping[str, str], operator: str) -> tuple[Matcher, ...]:
    return tuple(Matcher(name, operator, value) for name, value in values.items())  # type: ignore[arg-type]


def _plain(name: str) -> str:
    """A name that can be one here."""
    return _NO_NAME.sub("-", name).strip("-.")[:100] or "receiver"
