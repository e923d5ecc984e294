"""The notifier: a look at what became of alerts, which becomes one decision.

Groups, escalations, the outbox and how far the alerts are read are one transaction, so that a crash repeats a look or
does not, and loses nothing. After a failure everything is read anew.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from spanglass_server.notifications.delivery import escalations
from spanglass_server.notifications.delivery.deciding import Draft, Memory
from spanglass_server.notifications.delivery.flushes import Flushes
from spanglass_server.notifications.delivery.history import History
from spanglass_server.notifications.delivery.responses import responses, with_responses
from spanglass_server.notifications.people.escalating import Escalated
from spanglass_server.notifications.ports import Decision
from spanglass_server.notifications.routing.flushing import untold
from spanglass_server.notifications.routing.muting import Muting
from spanglass_server.notifications.routing.placing import place, take_out
from spanglass_server.self_metrics import registry as own
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from spanglass_server.alerting.model import Entry
    from spanglass_server.notifications.delivery.deciding import Deciding, News
    from spanglass_server.notifications.model import Notification
    from spanglass_server.notifications.ports import Configuration

_LOG = logging.getLogger(__name__)
_MOST_ENTRIES = 2000  # read at once
_BEHIND = 10_000  # entries that may be read anew after a start, for which alone nothing is written


class Notifier:
    """Decides. ``step`` is called again and again by one thread; ``unknown`` and ``groups`` by any."""

    def __init__(self, deciding: Deciding) -> None:
        self._deciding = deciding
        self._history = History(deciding.store, deciding.alerts, deciding.book)
        self._memory: Memory | None = None
        self._unknown: frozenset[str] = frozenset()
        self._fault = ""
        self._unheard = 0
        self._seen = (-1, -1)  # the versions of alerts and notifications that the last look has taken in
        self.groups = 0

    def faults(self) -> list[str]:
        """Why alerts reach nobody at all, in words for people."""
        named = ", ".join(map(repr, sorted(self._unknown)))
        unheard = f"nobody hears of some alerts (groups: {self._unheard}): there is no channel {named}"
        return [self._fault] * bool(self._fault) + [unheard] * bool(self._unheard)

    def problems(self) -> list[str]:
        """What is wrong with what alerts ask for, in words for people."""
        hint = "add it under monitoring.channels, or take its name out of rules and alerting.channels"
        return [f"alerts are to be told over {name!r}, which is no channel: {hint}" for name in sorted(self._unknown)]

    def has_news(self) -> bool:
        """Whether ``step`` may find anything: with an open alert or a group, time and configuration may change it."""
        memory = self._memory
        if memory is None or memory.groups or memory.open or memory.escalations:
            return True
        return self._seen != self._versions()

    def _versions(self) -> tuple[int, int]:
        return self._deciding.alerts.version(), self._deciding.store.version()

    def step(self) -> bool:
        """Look at the alerts, and at groups that are due; whether more waits."""
        versions = self._versions()
        memory, self._memory = self._memory or Memory(self._deciding), None
        told = self._history.next()
        more = self._decide(memory, self._history.undelivered(told))
        if told:
            self._deciding.store.told([delivery.notification.id for delivery in told])
        self._memory, self._seen = memory, versions
        return more or bool(told)

    def _decide(self, memory: Memory, undelivered: list[Any]) -> bool:
        deciding, now_ns = self._deciding, self._deciding.clock_ns()
        configured = deciding.book.configuration()
        recorded = deciding.alerts.entries_after(memory.cursor, _MOST_ENTRIES)
        news, draft = memory.take(recorded), Draft(memory.groups)
        for each in undelivered:
            if each.group in draft.groups:
                draft.put({each.group: untold(draft.groups[each.group], each.channel)})
        self._place(memory, draft, news, configured, now_ns)
        flushes = Flushes(deciding, memory, configured, now_ns)
        due = flushes.due(draft)
        called = with_responses(news.fired, deciding.rules.rules()) if news.fired else []
        notifications: list[Notification] = []
        entries: list[tuple[str, Entry]] = []
        rows: dict[str, Any] = {}
        if due or called or escalations.are_there(draft, flushes, memory):
            silences = deciding.store.silences(ended_after_ns=now_ns)
            muting = Muting(configured, silences, list(memory.open.values()), now_ns)
            notifications += flushes.flush(draft, due, muting)
            escalated = self._escalated(draft, flushes, muting, memory, configured)
            notifications += escalations.notifications_of(escalated, memory, deciding, now_ns)
            rows = dict(escalated.rows)
            answers, entries = responses(called, deciding, muting, now_ns)
            notifications += answers
        self._keep(memory, draft, rows, tuple(notifications))
        if entries:
            deciding.alerts.tell(entries)
        self._note(draft, flushes, configured)
        return bool(recorded) or len(due) > 0

    def _escalated(
        self, draft: Draft, flushes: Flushes, muting: Muting, memory: Memory, configured: Configuration
    ) -> Escalated:
        """The next step of all escalations; a defect there must not keep groups from being told."""
        try:
            escalated = escalations.step(draft, flushes, memory, muting, configured, self._deciding)
        except Exception as error:  # noqa: BLE001 - whatever it is, groups are told
            if not self._fault:
                _LOG.error("escalations failed; groups are told all the same", exc_info=error)
            self._fault = f"nobody is told by escalations ({in_words(error)}); the server's log has the reason"
            return Escalated({}, ())
        self._fault = ""
        return escalated

    def _place(self, memory: Memory, draft: Draft, news: News, configured: Configuration, now_ns: int) -> None:
        subjects = list(news.subjects)
        if configured is not memory.configured:  # routes may be others: everything finds its place anew
            subjects = [*memory.heads(), *(subject for subject in subjects if subject.ends_ns)]
            memory.configured = configured
        if subjects:
            draft.put(place(draft.groups, subjects, configured.route, now_ns))
        if news.parts:
            draft.put(take_out(draft.groups, news.parts, now_ns))

    def _keep(
        self, memory: Memory, draft: Draft, rows: dict[str, Any], notifications: tuple[Notification, ...]
    ) -> None:
        if not (draft.changed or rows or notifications or memory.cursor - memory.kept_cursor >= _BEHIND):
            return
        with self._deciding.telemetry.timed(own.NOTIFICATION_DECISION_SECONDS):
            decision = Decision(
                cursor=memory.cursor, groups=draft.rows(), escalations=rows, notifications=notifications
            )
            self._deciding.store.decide(decision)
        memory.kept_cursor = memory.cursor
        memory.escalations = {key: row for key, row in {**memory.escalations, **rows}.items() if row is not None}
        if notifications:
            self._deciding.decided()

    def _note(self, draft: Draft, flushes: Flushes, configured: Configuration) -> None:
        self.groups = len(draft.groups)
        if not draft.changed:
            return
        named = {name for group in draft.groups.values() for name in group.channels if group.members}
        unknown = frozenset(named - configured.channels.keys())
        for name in unknown - self._unknown:
            _LOG.warning("alerts are to be told over %r, which is no channel", name)
        self._unknown = unknown
        # escalations have channels of their own; only unknown names can leave a group without any
        lost = [group for group in draft.groups.values() if group.members and unknown.issuperset(group.channels)]
        self._unheard = sum(not flushes.route_of(group).escalation for group in lost) if unknown else 0
