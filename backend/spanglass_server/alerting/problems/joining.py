"""Alerts that open within a few minutes, in services that work together, are one problem.

The alert that opened first stands for it, and the others are parts of it. A failing database makes three services fail,
each of them slow, with new errors: that is one thing to see to, not nine.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.ports import AlertFilter, AlertNotFoundError
from spanglass_server.alerting.running.alerts import SERVER
from spanglass_server.alerting.store.filters import host_of, joining_service_of, own_check_of
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from spanglass_server.alerting.model import Alert
    from spanglass_server.alerting.ports import AlertStore

_LOG = logging.getLogger(__name__)
#: What opens so long after the last alert of a problem still belongs to it: windows of rates are minutes long, so what
#: one fault makes of them is seen minutes apart.
WITHIN_NS = 600 * NS_PER_SECOND
#: Open alerts that are looked through, the newest.
_MOST = 500
#: Alerts that wait; of a storm of more the rest stand for themselves.
_MOST_WAITING = 1000


class Joiner:
    """Joins alerts that opened to the problem they belong to; ``step`` is called again and again by one thread.

    ``companions`` gives the services that a service works with, before a time in nanoseconds. Alerts of a service
    belong together with those of it and its companions, alerts of a host with those of the host, and alerts of a health
    check of the server itself with those of the check.
    """

    def __init__(
        self, store: AlertStore, companions: Callable[[str, int], frozenset[str]], clock_ns: Callable[[], int]
    ) -> None:
        self._store = store
        self._companions = companions
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._waiting: deque[Alert] = deque()

    def offer(self, alert: Alert) -> None:
        """Have an alert that opened joined; returns at once."""
        with self._lock:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append(alert)

    def has_waiting(self) -> bool:
        """Whether ``step`` has anything to do."""
        return bool(self._waiting)

    def step(self) -> None:
        """Join what waits. What can't be read or written now is tried again."""
        while waiting := self._those_waiting():
            self._join_all(waiting)

    def _those_waiting(self) -> list[Alert]:
        with self._lock:
            return [*self._waiting]

    def _join_all(self, waiting: Sequence[Alert]) -> None:
        """Join alerts, over one reading of what is open: a storm opens a thousand at once."""
        present = self._open(min(alert.created_ns for alert in waiting) - WITHIN_NS)
        companions = cache(self._companions)
        for alert in waiting:
            left = {each.id for each in self._those_waiting()}
            head = self._head_of(alert, [other for other in present if _is_before(other, alert, left)], companions)
            if head is not None and self._join(alert, head):
                present = [
                    replace(each, part_of=head.id) if alert.id in (each.id, each.part_of) else each for each in present
                ]
            with self._lock:
                self._waiting.popleft()

    def _join(self, alert: Alert, head: Alert) -> bool:
        entry = Entry(self._clock_ns(), "joined", SERVER, f"part of the problem that began with: {head.title}")
        try:
            self._store.join(alert.id, head.id, entry)
        except AlertNotFoundError:
            _LOG.debug("the alert %s was deleted before it was joined", alert.id)
            return False
        return True

    def _head_of(
        self, alert: Alert, others: Sequence[Alert], companions: Callable[[str, int], frozenset[str]]
    ) -> Alert | None:
        """Of alerts before it the one that stands for its problem, None for an alert that begins one."""
        if not others:
            return None
        service, host, check = joining_service_of(alert), host_of(alert), own_check_of(alert)
        together = {service, *companions(service, alert.created_ns)} if service else frozenset()
        for other in others:
            if service:
                is_related = joining_service_of(other) in together
            elif check:
                is_related = own_check_of(other) == check
            else:
                is_related = host != "" and _host_alone(other) == host
            if is_related:
                return self._standing_for(other)
        return None

    def _open(self, start_ns: int) -> Sequence[Alert]:
        """Open alerts from then on, the oldest first: it is the first that stands for a problem."""
        wanted = AlertFilter(statuses=tuple(OPEN), start_ns=max(start_ns, 0))
        return self._store.alerts(wanted, limit=_MOST)[::-1]

    def _standing_for(self, other: Alert) -> Alert | None:
        if not other.part_of:
            return other
        try:
            head = self._store.alert(other.part_of)
        except AlertNotFoundError:
            return other
        return head if head.status in OPEN else other


def _host_alone(alert: Alert) -> str:
    """The host of an alert that is about no service and no check."""
    return "" if joining_service_of(alert) or own_check_of(alert) else host_of(alert)


def _is_before(other: Alert, alert: Alert, left: Collection[str]) -> bool:
    """Whether an alert may stand for another one: of those of one tick, the first that is looked at does.

    ``left`` are the ids of alerts that were not looked at yet.
    """
    if alert.id in (other.id, other.part_of):
        return False
    if other.created_ns == alert.created_ns and other.id in left:
        return False
    return 0 <= alert.created_ns - other.created_ns <= WITHIN_NS
