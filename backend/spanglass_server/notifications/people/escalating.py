"""The running of escalations: one pure step from what runs, and the open groups, to rows to keep and pages to send."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.units import format_duration
from spanglass_server.notifications.model import Notification, Reason
from spanglass_server.notifications.people.quiet import quiet_until
from spanglass_server.notifications.people.running import Running, next_ns
from spanglass_server.notifications.people.telling import recipients

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from spanglass_server.alerting.model import Alert
    from spanglass_server.notifications.people.model import Case, Escalation, Recipient
    from spanglass_server.notifications.ports import Configuration

_IDS = uuid.UUID("0b6d0c5e-54c2-5d5e-9c57-0f8f4f6f5d35")
_SECOND_NS = 10**9
_MINUTE_NS = 60 * _SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one recipient is to be told; the same decision gives the same ``id``."""

    id: str
    key: str
    reason: Reason
    recipient: Recipient
    why: str
    alert_ids: tuple[str, ...]
    group_labels: Mapping[str, str] = field(default_factory=dict)

    def notification(self, alerts: Sequence[Alert], now_ns: int) -> Notification:
        """The notification, about these alerts."""
        to = self.recipient
        return Notification(
            id=self.id,
            channel=to.channel,
            reason=self.reason,
            thread=f"escalation:{self.key}:{to.person}",
            created_ns=now_ns,
            alerts=tuple(alerts),
            group_labels=self.group_labels,
            why=self.why,
            addresses=to.addresses,
        )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Alerts, by id, of escalations whose group has none that is open: those that still are, as of a lower severity.

    Of ``muted`` ones (silenced, inhibited) the end is told to nobody.
    """

    open: AbstractSet[str] = frozenset()
    muted: AbstractSet[str] = frozenset()


NOWHERE: Final = Elsewhere()


@dataclass(frozen=True, slots=True)
class Escalated:
    """What one step led to: rows to keep by key, None for those that are gone, and whom to tell."""

    rows: Mapping[str, Any]
    pages: tuple[Page, ...]


def escalate(
    rows: Mapping[str, Any],
    cases: Iterable[Case],
    configured: Configuration,
    now_ns: int,
    elsewhere: Elsewhere = NOWHERE,
) -> Escalated:
    """Take one step of all escalations.

    ``cases`` are all groups with open alerts whose route has an escalation. The escalation of a group that is no longer
    among them stands still while its alerts are open elsewhere; then it is over, and those whom it told are told so.
    Rows that stay as they are, are not returned.
    """
    changed: dict[str, Any] = {}
    pages: list[Page] = []
    seen = set()
    for case in cases:
        seen.add(case.key)
        before = Running.of(rows[case.key]) if case.key in rows else None
        policy = configured.escalations.get(case.escalation)
        after, told = (None, []) if policy is None else _step(before, case, policy, configured, now_ns)
        pages += told
        if after != before:
            changed[case.key] = after.row() if after is not None else None
    for key in rows.keys() - seen:
        running = Running.of(rows[key])
        if not elsewhere.open.isdisjoint(running.alert_ids):
            if not running.paused_ns:
                changed[key] = replace(running, paused_ns=now_ns).row()
            continue
        pages += _over(running, configured, elsewhere)
        changed[key] = None
    return Escalated(changed, tuple(pages))


def _step(
    before: Running | None, case: Case, policy: Escalation, configured: Configuration, now_ns: int
) -> tuple[Running | None, list[Page]]:
    running = _current(before, case, now_ns)
    if running is None or running.paused_ns or running.acknowledged:
        return running, []
    ready = [each for each in running.held if not _is_quiet(each, case, configured, now_ns)]
    found = [_page(running, case, each, "no longer in quiet hours, and nobody has acknowledged") for each in ready]
    running = _told(replace(running, held=tuple(each for each in running.held if each not in ready)), ready)
    while 0 < (due_ns := next_ns(running, policy)) <= now_ns:
        if running.step == len(policy.steps):
            running = replace(running, round=running.round + 1, step=0, since_ns=due_ns)
            continue
        step = policy.steps[running.step]
        reached = recipients(step.tell, step.by, configured, case.severity, now_ns)
        at_once = [each for each in reached if not each.until_ns]
        found += [_page(running, case, each, _waited(running, now_ns)) for each in at_once]
        running = _after(_told(running, at_once), policy, reached)
    return running, found


def _is_quiet(held: Recipient, case: Case, configured: Configuration, now_ns: int) -> bool:
    """Whether somebody is still not to be told; the alerts may have become worse, or the hours others."""
    person = configured.people.get(held.person)
    return person is not None and quiet_until(person, case.severity, now_ns) > 0


def _current(before: Running | None, case: Case, now_ns: int) -> Running | None:
    """The escalation as it is before its steps: begun, paused, stopped, or begun anew."""
    if before is None or before.escalation != case.escalation:
        if case.muted or not case.alert_ids:
            return None
        return Running(
            key=case.key,
            escalation=case.escalation,
            begun_ns=now_ns,
            since_ns=now_ns,
            alert_ids=case.alert_ids,
        )
    if case.muted:
        return before if before.paused_ns else replace(before, paused_ns=now_ns)
    running = replace(before, since_ns=min(before.since_ns, now_ns))  # the clock may have been set back
    if running.paused_ns:
        running = replace(running, since_ns=running.since_ns + now_ns - running.paused_ns, paused_ns=0)
    if not case.alert_ids:
        return replace(running, acknowledged=True, held=())
    if running.acknowledged:  # another alert came, or somebody took the acknowledgement back
        running = replace(running, acknowledged=False, begun_ns=now_ns, since_ns=now_ns, round=0, step=0)
    return replace(running, alert_ids=case.alert_ids)


def _after(running: Running, policy: Escalation, reached: Sequence[Recipient]) -> Running:
    """After a step; one that reaches nobody is not waited for: the next is due at once."""
    held = [each for each in reached if each.until_ns and each not in running.held]
    following = policy.steps[running.step + 1 :][:1]
    skipped_ns = 0
    if not reached and following:
        skipped_ns = following[0].after_ns - policy.steps[running.step].after_ns
    return replace(running, step=running.step + 1, since_ns=running.since_ns - skipped_ns, held=(*running.held, *held))


def _told(running: Running, reached: Iterable[Recipient]) -> Running:
    known = {(each.channel, each.person) for each in running.told}
    new = [replace(each, until_ns=0) for each in reached if (each.channel, each.person) not in known]
    return replace(running, told=(*running.told, *new)) if new else running


def _page(running: Running, case: Case, to: Recipient, reason: str) -> Page:
    who = f"{to.why}: " if to.why else ""
    return Page(
        id=_id(running, "held" if to.until_ns else "step", to),
        key=running.key,
        reason=Reason.ESCALATION,
        recipient=to,
        why=f"escalation {running.escalation}, step {running.step + 1}: {who}{reason}",
        alert_ids=case.alert_ids,
        group_labels=case.group_labels,
    )


def _waited(running: Running, now_ns: int) -> str:
    waited_ns = now_ns - running.begun_ns
    waited_ns -= waited_ns % (_MINUTE_NS if waited_ns >= _MINUTE_NS else _SECOND_NS)
    return f"not acknowledged for {format_duration(waited_ns)}" if waited_ns else "nobody has acknowledged yet"


def _over(running: Running, configured: Configuration, elsewhere: Elsewhere) -> list[Page]:
    """Tell those who were told that it is over, where their channel tells of that."""
    channels = configured.channels
    heard = tuple(alert_id for alert_id in running.alert_ids if alert_id not in elsewhere.muted)
    return [
        Page(
            id=_id(running, "over", to),
            key=running.key,
            reason=Reason.RESOLVED,
            recipient=to,
            why=f"escalation {running.escalation} has ended: its alerts are over",
            alert_ids=heard,
        )
        for to in running.told
        if heard and to.channel in channels and channels[to.channel].send_resolved
    ]


def _id(running: Running, what: str, to: Recipient) -> str:
    place = (running.key, running.begun_ns, running.round, running.step, what, to.channel, to.person)
    return str(uuid.uuid5(_IDS, "|".join(map(str, place))))
