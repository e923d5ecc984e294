"""From the readings of a batch of rules to what is committed of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.lifecycle import OPEN
from spanglass_core.alerting.machine import policy_of
from spanglass_server.alerting.model import Entry, Failure
from spanglass_server.alerting.running import changes
from spanglass_server.alerting.running.alerts import SERVER, Scribe, Subject, Written
from spanglass_server.alerting.running.keys import Limits, feed
from spanglass_server.alerting.running.memory import Gathered
from spanglass_server.self_metrics import registry as own
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.running.around import Around, Bounds
    from spanglass_server.alerting.running.keys import Fed
    from spanglass_server.alerting.running.memory import Memory
    from spanglass_server.alerting.running.reading import Read
    from spanglass_server.alerting.running.schedule import Batch, Due
    from spanglass_server.alerting.running.texts import Texts
    from spanglass_server.alerting.watching.figures import Figures


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A batch with what its rules say; ``live`` says of each of its ticks whether anything came in around it."""

    batch: Batch
    read: Read
    live: NDArray[np.bool_]


class Committing:
    """Commits batches, and measures what it did."""

    def __init__(self, around: Around, bounds: Bounds, figures: Figures) -> None:
        self._around = around
        self._bounds = bounds
        self._figures = figures

    def commit(self, memory: Memory, texts: Texts, said: Evaluated, missed: Mapping[str, Due]) -> bool:
        """Commit what the ticks of a batch led to; ``missed`` are rules with ticks before these that were left out.

        False if what is remembered is to be read anew.
        """
        gathered, now_ns = Gathered(), self._around.clock_ns()
        batch, read = said.batch, said.read
        scribe = Scribe(texts, memory.exists)
        fed_of: dict[str, Fed] = {}
        for rule in batch.rules:
            if rule.uid in missed:
                _tell_gap(gathered, memory, rule.uid, missed[rule.uid], now_ns)
            limits = Limits(policy_of(rule, self._bounds.pace.interval_ns), self._bounds.max_keys, now_ns)
            fed = fed_of[rule.uid] = feed(memory.states_of(rule.uid), read.pieces[rule.uid], limits, said.live)
            write(gathered, memory, scribe, Subject(rule, fed.unit), fed)
        digests = {rule.uid: changes.digest(rule) for rule in batch.rules}
        news = {uid: digest for uid, digest in digests.items() if memory.digests.get(uid) != digest}
        tick = gathered.tick(batch.due.last_ns, tuple(digests), news)
        is_well = memory.commit(tick, gathered.written)
        self._measure(memory, batch, read, fed_of)
        self._tell_opened(batch, read, gathered)
        return is_well

    def _measure(self, memory: Memory, batch: Batch, read: Read, fed_of: Mapping[str, Fed]) -> None:
        last_ns, now_ns, telemetry = batch.due.last_ns, self._around.clock_ns(), self._around.telemetry
        for uid, fed in fed_of.items():
            self._figures.evaluated(uid, last_ns, read.duration_ns, fed, memory.states_of(uid))
        failed = sum(fed.failed for fed in fed_of.values())
        if failed:
            telemetry.add(own.FAILED_ALERT_EVALUATIONS, failed)
        telemetry.add(own.ALERT_EVALUATIONS, len(batch.rules) * batch.due.count)
        if not batch.due.left:  # the ticks before were late anyway
            delay_ns = min(self._bounds.pace.delay_of(rule) for rule in batch.rules)
            lag_ns = max(now_ns - last_ns - delay_ns, 0)
            self._figures.ticked(last_ns, lag_ns)
            telemetry.observe(own.ALERT_LAG_SECONDS, lag_ns / NS_PER_SECOND)

    def _tell_opened(self, batch: Batch, read: Read, gathered: Gathered) -> None:
        rules: dict[str, Rule] = {rule.uid: rule for rule in batch.rules}
        for alert in gathered.opened():
            said = read.pieces[alert.rule_uid][-1].said
            if not isinstance(said, Failure) and alert.status in OPEN:
                self._around.opened(rules[alert.rule_uid], alert, said)


def write(gathered: Gathered, memory: Memory, scribe: Scribe, subject: Subject, fed: Fed) -> None:
    """Add what became of a rule's keys."""
    uid = subject.rule.uid
    for key, change in fed.changes.items():
        written = scribe.write(subject, change, memory.alert(uid, key), memory.linked_id(uid, key))
        gathered.add(uid, key, memory.states_of(uid).get(key), written)


def _tell_gap(gathered: Gathered, memory: Memory, uid: str, due: Due, now_ns: int) -> None:
    """Have the history of a rule's open alerts say that ticks were left out."""
    start, end = (format_time(each)[:19] + "Z" for each in (due.missed_ns, due.first_ns - due.step_ns))
    entry = Entry(now_ns, "gap", SERVER, f"the rule was not evaluated from {start} to {end}: the server was down")
    fields: dict[str, Any] = {"updated_ns": now_ns}
    for key in memory.states_of(uid):
        alert = memory.alert(uid, key)
        if alert is not None and alert.status in OPEN:
            gathered.written.append(Written(changed=[(replace(alert, **fields), (entry,))]))
