"""Evidence of alerts that opened, gathered beside the ticks, so that no tick waits for it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_server.alerting.evidence.shared import Shared
from spanglass_server.alerting.model import Entry, Failure
from spanglass_server.alerting.ports import AlertFilter, AlertNotFoundError
from spanglass_server.alerting.running.alerts import RULE, SERVER
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.supervision import in_words
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Alert, Readings
    from spanglass_server.alerting.ports import EvidenceSource
    from spanglass_server.alerting.running.around import Around
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)
#: Alerts that wait for their evidence; of a storm of more the rest goes without.
MOST = 200
#: So many of those that opened together get all of it; of the others, those about issues get what is quick to find. For
#: 150 new errors at once, a server's first contact with its senders, all of it took 8 s of processor time.
WHOLE = 20
_TRIES = 3
#: Alerts of one fault open together. So many of them share a session and what they have in common, for so long at most.
_TOGETHER = 50
_TOGETHER_NS = 10 * NS_PER_SECOND
#: After a start, evidence is gathered for open alerts without any that are not older.
_RECENT_NS = 3600 * NS_PER_SECOND


@dataclass(slots=True)
class _Wanted:
    """An alert that waits; ``readings`` are those that it opened with, None after a restart."""

    rule: Rule
    alert: Alert
    readings: Readings | None
    tries: int = 0


class Gatherer:
    """Gathers evidence, one alert after the other; ``step`` is called again and again by one thread.

    Opening a session makes columns of what has just come in, 20 ms, and a storm of new errors opens a hundred alerts.
    """

    def __init__(self, source: EvidenceSource, around: Around) -> None:
        self._source = source
        self._around = around
        self._lock = threading.Lock()
        self._waiting: deque[_Wanted] = deque()
        self._left_out = 0
        self._has_begun = False
        self._gathered = 0  # in this step

    def offer(self, rule: Rule, alert: Alert, readings: Readings) -> None:
        """Have evidence gathered for an alert that opened; returns at once."""
        with self._lock:
            if len(self._waiting) < MOST:
                self._waiting.append(_Wanted(rule, alert, readings))
                return
            self._left_out += 1
        if self._left_out == 1:
            _LOG.warning("more than %d alerts opened at once: the others get no evidence", MOST)

    def has_waiting(self) -> bool:
        """Whether ``step`` has anything to do."""
        return bool(self._waiting) or not self._has_begun

    def step(self) -> None:
        """Gather what waits."""
        if not self._has_begun:
            self._take_up()
            self._has_begun = True
        self._gathered = 0
        left = len(self._waiting)
        while left > 0 and not self._around.stopping():
            with self._lock:
                several = [self._waiting.popleft() for _ in range(min(left, _TOGETHER))]
            left -= len(several) - self._gather_together(several)
        self._left_out = 0

    def _take_up(self) -> None:
        """Wait for those that opened just before the server stopped."""
        store, found = self._around.store, self._around.book.rules()
        wanted = AlertFilter(statuses=tuple(OPEN), source=RULE, start_ns=max(self._around.clock_ns() - _RECENT_NS, 0))
        for alert in store.alerts(wanted, limit=MOST):
            is_told = any(entry.kind == "evidence" for entry in store.history(alert.id))
            if not alert.evidence and not is_told and alert.rule_uid in found:
                with self._lock:
                    known = {each.alert.id for each in self._waiting}
                    if alert.id not in known:
                        self._waiting.append(_Wanted(found[alert.rule_uid].rule, alert, None))

    def _gather_together(self, several: Sequence[_Wanted]) -> int:
        """Gather for some alerts over one session; how many there was no time for, which wait first in line again."""
        waiting = deque(several)
        until_ns = self._around.clock_ns() + _TOGETHER_NS

        def gather(session: QuerySession) -> None:
            shared = Shared()
            while waiting and not self._around.stopping():
                self._gather(session, waiting.popleft(), shared)
                if self._around.clock_ns() >= until_ns:
                    return

        try:
            self._around.ask(gather)
        except Exception as error:
            if len(waiting) < len(several):
                raise
            while waiting and not self._around.stopping():  # there was no session: each of them has its tries
                self._failed(waiting.popleft(), error)
        finally:
            with self._lock:
                self._waiting.extendleft(reversed(waiting))
        return len(waiting)

    def _gather(self, session: QuerySession, wanted: _Wanted, shared: Shared) -> None:
        shared.is_brief = self._gathered >= WHOLE
        self._gathered += 1
        try:
            evidence = self._asked(session, wanted, shared)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other alerts get theirs
            self._failed(wanted, error)
        else:
            self._attach(wanted.alert, evidence, "")

    def _failed(self, wanted: _Wanted, error: Exception) -> None:
        if self._around.stopping():
            return
        wanted.tries += 1
        if wanted.tries < _TRIES:
            with self._lock:
                self._waiting.append(wanted)
            return
        _LOG.warning("no evidence for the alert %s", wanted.alert.id, exc_info=error)
        self._attach(wanted.alert, {}, f"nothing could be gathered: {in_words(error)}")

    def _asked(self, session: QuerySession, wanted: _Wanted, shared: Shared) -> Mapping[str, Any]:
        readings = wanted.readings
        if readings is None:
            steps = Steps(wanted.alert.created_ns // NS_PER_MS, 1000, 1)
            said = self._around.evaluator.evaluate(session, [wanted.rule], steps)[wanted.rule.uid]
            if isinstance(said, Failure):
                raise ValueError(said.message)
            readings = said
        return self._source.gather(session, wanted.rule, wanted.alert, readings, shared)

    def _attach(self, alert: Alert, evidence: Mapping[str, Any], text: str) -> None:
        entry = Entry(self._around.clock_ns(), "evidence", SERVER, text)
        try:
            self._around.store.attach(alert.id, evidence, entry)
        except AlertNotFoundError:
            _LOG.debug("the alert %s was deleted before its evidence was there", alert.id)
