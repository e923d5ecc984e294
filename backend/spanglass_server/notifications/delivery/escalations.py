"""Escalations of groups that people were told of: which cases there are, and what their steps tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.people.escalating import NOWHERE, Elsewhere, escalate
from spanglass_server.notifications.people.model import Case
from spanglass_server.notifications.routing.flushing import channels_of_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.notifications.delivery.deciding import Deciding, Draft, Memory
    from spanglass_server.notifications.delivery.flushes import Flushes
    from spanglass_server.notifications.model import Notification, Route
    from spanglass_server.notifications.people.escalating import Escalated
    from spanglass_server.notifications.ports import Configuration
    from spanglass_server.notifications.routing.groups import Group
    from spanglass_server.notifications.routing.muting import Muting


def are_there(draft: Draft, flushes: Flushes, memory: Memory) -> bool:
    """Whether any group escalates, or has."""
    return bool(memory.escalations) or any(flushes.route_of(group).escalation for group in draft.groups.values())


def step(
    draft: Draft, flushes: Flushes, memory: Memory, muting: Muting, configured: Configuration, deciding: Deciding
) -> Escalated:
    """Take one step of all of them."""
    cases = []
    for group in draft.groups.values():
        route = flushes.route_of(group)
        if route.escalation and _has_begun(group, route, configured):
            case = _case(group, route, memory, muting)
            if case is not None:
                cases.append(case)
    without = {key: row for key, row in memory.escalations.items() if key not in {case.key for case in cases}}
    elsewhere = _elsewhere(without, draft, flushes, memory, muting, deciding) if without else NOWHERE
    return escalate(memory.escalations, cases, configured, muting.now_ns, elsewhere)


def _elsewhere(
    rows: Mapping[str, Any], draft: Draft, flushes: Flushes, memory: Memory, muting: Muting, deciding: Deciding
) -> Elsewhere:
    """Where the alerts of escalations are whose group has none that is open: open in another one, or over."""
    wanted = {alert_id for row in rows.values() for alert_id in row["alert_ids"]}
    over = deciding.found(sorted(wanted - memory.open.keys()))
    muted = {alert_id for alert_id, alert in over.items() if muting.of(deciding.subject(alert)) is not None}
    for key, row in rows.items():
        group = draft.groups.get(key)
        if group is not None and muting.of_route(flushes.route_of(group)) is not None:
            muted.update(row["alert_ids"])
    return Elsewhere(frozenset(wanted & memory.open.keys()), frozenset(muted))


def _has_begun(group: Group, route: Route, configured: Configuration) -> bool:
    """Whether people know of a group; where it has no channel that could tell them, whether it was looked at."""
    if any(told.firing for told in group.told.values()):
        return True
    return group.has_flushed and not any(name in configured.channels for name in channels_of_group(group, route))


def _case(group: Group, route: Route, memory: Memory, muting: Muting) -> Case | None:
    members = [alert_id for name, alert_id in group.members.items() if name not in group.left]
    firing = [memory.open[alert_id] for alert_id in members if alert_id in memory.open]
    if not firing:
        return None
    is_muted = muting.of_route(route) is not None
    heard = [] if is_muted else [subject for subject in firing if muting.of(subject) is None]
    worst = max((subject.severity for subject in heard or firing), key=lambda severity: severity.rank)
    return Case(
        key=group.key,
        escalation=route.escalation,
        severity=worst,
        alert_ids=tuple(subject.alert_id for subject in heard if not subject.acknowledged),
        muted=not heard,
        group_labels=group.labels,
    )


def notifications_of(escalated: Escalated, memory: Memory, deciding: Deciding, now_ns: int) -> list[Notification]:
    """What its pages tell, with the alerts as they are now; each escalation of a group is a thread of its own."""
    wanted = dict.fromkeys(alert_id for page in escalated.pages for alert_id in page.alert_ids)
    found = deciding.found(list(wanted))
    notifications = []
    for page in escalated.pages:
        alerts = [found[alert_id] for alert_id in page.alert_ids if alert_id in found]
        if not alerts:  # they were deleted meanwhile
            continue
        row = escalated.rows.get(page.key) or memory.escalations[page.key]
        notification = page.notification(alerts, now_ns)
        notifications.append(replace(notification, thread=f"{notification.thread}@{row['begun_ns']}"))
    return notifications
