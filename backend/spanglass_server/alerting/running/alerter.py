"""The loop of alerting: what is due is evaluated, and committed tick by tick."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from spanglass_core.units import format_duration
from spanglass_server.alerting.running import changes
from spanglass_server.alerting.running.alerts import Scribe
from spanglass_server.alerting.running.committing import Committing, Evaluated
from spanglass_server.alerting.running.memory import Gathered, Memory
from spanglass_server.alerting.running.reading import Reader
from spanglass_server.alerting.running.schedule import batches, due
from spanglass_server.alerting.watching import watches
from spanglass_server.alerting.watching.figures import Figures
from spanglass_server.alerting.watching.status import Gap
from spanglass_server.alerting.watching.watcher import Watching
from spanglass_server.self_metrics import registry as own
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.ports import Found
    from spanglass_server.alerting.running.around import Around, Bounds
    from spanglass_server.alerting.running.schedule import Due
    from spanglass_server.alerting.watching.status import AlerterStatus
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)
_RULES_EVERY_NS = 2 * NS_PER_SECOND  # so often it is looked whether rules have changed: each look asks for twenty files


class Alerter:
    """Evaluates rules. ``step`` is called again and again by one thread; ``status`` and ``problems`` by any."""

    def __init__(self, around: Around, bounds: Bounds) -> None:
        self._around = around
        self._bounds = bounds
        self._figures = Figures()
        self._reader = Reader(around.evaluator, around.stopping)
        self._committing = Committing(around, bounds, self._figures)
        self._watching = Watching(around, bounds, self._figures)
        self._memory: Memory | None = None
        self._seen: set[str] = set()  # uids of rules since the start
        self._begun: dict[str, int] = {}  # the tick before the first one of rules that have none committed yet
        self._compared: tuple[Mapping[str, Found], bool] | None = None  # rules that what is remembered agrees with
        self._ahead_ns = 0  # of the last tick before the clock
        self._step_ns = 0  # when the step that is under way began; 0 between steps
        self._looked_ns = 0  # when the last step began that found nothing more to do; 0: there may be more
        self._next_ns = 0  # when the next tick is due, of the rules as they were then
        self._stepped_ns = 0  # when the last step began that did more than to look at the rules

    def status(self) -> AlerterStatus:
        """How the alerter and its rules stand. What is wrong with files of rules is the book's to tell."""
        failing = [f"the rule {uid!r} fails: {why}" for uid, (_, why) in sorted(self._figures.failures().items())]
        recording = self._around.recorder.problems() if self._around.recorder is not None else ()
        return self._figures.status((*self.problems(), *recording, *failing))

    def problems(self) -> list[str]:
        """What is wrong with the alerter itself, in words for people."""
        found = []
        lag_s = self._figures.recent_lag_ns() / NS_PER_SECOND
        step_ns = self._step_ns  # lag is known of ticks that are done; one that takes for ever is told of before
        if step_ns:
            lag_s = max(lag_s, (self._around.clock_ns() - step_ns) / NS_PER_SECOND)
        if lag_s > watches.LAG_S:
            found.append(f"alert rules are evaluated {lag_s:.0f} s late: the server is too busy")
        if self._ahead_ns > 0:
            ahead = format_duration(self._ahead_ns // NS_PER_SECOND * NS_PER_SECOND)
            found.append(f"the clock was set back: alert rules are evaluated again when it has caught up, in {ahead}")
        return found

    def has_news(self) -> bool:
        """Whether ``step`` may find anything: a tick is due, the clock was set back, or rules may have changed."""
        now_ns = self._around.clock_ns()
        return now_ns >= self._next_ns or not 0 <= now_ns - self._looked_ns < _RULES_EVERY_NS

    def step(self) -> bool:
        """Evaluate what is due now; whether more is due at once. After a failure all is read anew from the store."""
        self._step_ns, self._looked_ns = self._around.clock_ns(), 0
        try:
            more = self._step()
            self._looked_ns = 0 if more else self._step_ns
            return more
        finally:
            self._step_ns = 0

    def _step(self) -> bool:
        found = self._around.book.rules()
        if self._is_done(found):
            return False
        self._stepped_ns, self._next_ns = self._step_ns, 2**63
        if self._memory is None:
            self._compared = None
        memory, self._memory = self._memory or Memory(self._around.store), None
        is_well = self._end_changed(memory, found)
        self._record(memory)
        dues = self._dues(memory, found)
        if dues and is_well:
            is_well = bool(self._around.ask(lambda session: self._tick(session, memory, dues)))
        watch = self._due(memory, watches.LAG.uid, self._bounds.pace.interval_ns, 0)
        if watch is not None and is_well:
            is_well = self._watching.commit(memory, _latest(watch), found)
        self._memory = memory if is_well else None
        return not is_well or any(each.left for _, each in dues)

    def _is_done(self, found: Mapping[str, Found]) -> bool:
        """Whether everything was done for these rules, and nothing is due: what most looks find."""
        is_known = self._memory is not None and self._compared is not None and self._compared[0] is found
        return is_known and self._ahead_ns <= 0 and self._stepped_ns <= self._step_ns < self._next_ns

    def _end_changed(self, memory: Memory, found: Mapping[str, Found]) -> bool:
        """Resolve alerts of rules that are not what they were."""
        some_unread = bool(self._around.book.problems())
        if self._compared is not None and self._compared[0] is found and self._compared[1] == some_unread:
            return True  # as it was a moment ago: digests of a thousand rules take 10 ms
        reasons = changes.ended(found, memory, some_unread=some_unread, seen=self._seen)
        self._seen.update(found)
        enabled = {uid for uid, each in found.items() if each.rule.enabled}
        self._figures.keep_only(enabled)
        self._begun = {
            uid: tick_ns for uid, tick_ns in self._begun.items() if uid in enabled and uid not in memory.ticked
        }
        scribe = Scribe(self._around.texts(None), memory.exists)
        is_well = True
        for tick, gathered in changes.end(reasons, found, memory, scribe, self._around.clock_ns()):
            is_well = memory.commit(tick, gathered.written) and is_well
        self._compared = (found, some_unread)
        return is_well

    def _record(self, memory: Memory) -> None:
        """Let recording rules write what is due, group by group, before anybody reads it."""
        recorder = self._around.recorder
        if recorder is None:
            return
        for group, interval_ns in recorder.groups().items():
            uid = f"{changes.RECORDING}{group}"
            each = self._due(memory, uid, interval_ns, self._bounds.pace.delay_ns)
            if each is not None:
                recorder.record(group, each.steps)
                if self._around.stopping():
                    return  # it may have been interrupted: it comes again
                memory.commit(Gathered().tick(each.last_ns, (uid,), {}), ())

    def _due(self, memory: Memory, uid: str, step_ns: int, delay_ns: int) -> Due | None:
        ticked_ns, now_ns = memory.ticked.get(uid), self._around.clock_ns()
        if ticked_ns is None:  # the first tick stays the first, however often it fails
            ticked_ns = self._begun.setdefault(uid, (now_ns - delay_ns) // step_ns * step_ns - step_ns)
        found = due(ticked_ns, now_ns, step_ns, delay_ns, self._bounds.pace.catch_up_ns)
        last_ns = ticked_ns if found is None else found.last_ns
        self._next_ns = min(self._next_ns, (last_ns // step_ns + 1) * step_ns + delay_ns)
        return found

    def _dues(self, memory: Memory, found: Mapping[str, Found]) -> list[tuple[Rule, Due]]:
        """Enabled rules of which ticks are due."""
        pace, dues = self._bounds.pace, []
        enabled = [each.rule for each in found.values() if each.rule.enabled]
        last_ns = max((memory.ticked.get(rule.uid, 0) for rule in enabled), default=0)
        for rule in enabled:
            each = self._due(memory, rule.uid, pace.interval_of(rule), pace.delay_of(rule))
            if each is not None and not (pace.is_awaited(rule, each) and self._is_quiet(memory, rule)):
                dues.append((rule, each))
        self._note_clock(dues, last_ns)
        self._note_gaps([each for _, each in dues if each.missed])
        return dues

    @staticmethod
    def _is_quiet(memory: Memory, rule: Rule) -> bool:
        """Whether a rule was evaluated, as it is now, and all its keys are at rest."""
        return rule.uid in memory.ticked and not memory.states_of(rule.uid)

    def _note_clock(self, dues: Sequence[tuple[Rule, Due]], last_ns: int) -> None:
        set_back_ns = max((each.set_back_ns for _, each in dues), default=0)
        if set_back_ns:
            _LOG.warning("the clock was set back by %s: alert rules go on from there", format_duration(set_back_ns))
        self._ahead_ns = 0 if dues else last_ns - self._around.clock_ns()

    def _note_gaps(self, gaps: Sequence[Due]) -> None:
        """Say which ticks will never be evaluated."""
        if not gaps:
            return
        ticks = sum(each.missed for each in gaps)
        first_ns, end_ns = min(each.missed_ns for each in gaps), max(each.first_ns - each.step_ns for each in gaps)
        gap = Gap(start_ns=first_ns, end_ns=end_ns, noticed_ns=self._around.clock_ns(), rules=len(gaps), ticks=ticks)
        self._figures.missed(gap)
        self._watching.missed(ticks)
        self._around.telemetry.add(own.MISSED_ALERT_EVALUATIONS, ticks)
        _LOG.warning("%d evaluations of %d alert rules are left out: they were missed for too long", ticks, len(gaps))

    def _tick(self, session: QuerySession, memory: Memory, dues: Sequence[tuple[Rule, Due]]) -> bool:
        missed = {rule.uid: each for rule, each in dues if each.missed}
        is_well, texts = True, self._around.texts(session)
        for batch in batches(dues):
            live = self._around.live(session, batch.due.steps)
            with self._around.telemetry.timed(own.ALERT_EVALUATION_SECONDS):
                read = self._reader.read(session, batch) if live.any() else self._reader.checked(batch)
            is_well = is_well and self._committing.commit(memory, texts, Evaluated(batch, read, live), missed)
        return is_well


def _latest(each: Due) -> Due:
    """Only the last of what is due: the alerter can't look at its past."""
    return type(each)(each.last_ns, each.step_ns)
