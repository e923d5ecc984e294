"""The alerter's look at itself: once an interval, its figures become alerts of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.alerting.machine import policy_of
from spanglass_core.alerting.states import Phase
from spanglass_server.alerting.running.alerts import SERVER, Scribe, Subject
from spanglass_server.alerting.running.committing import write
from spanglass_server.alerting.running.keys import Limits, feed
from spanglass_server.alerting.running.memory import Gathered
from spanglass_server.alerting.running.reading import Piece
from spanglass_server.alerting.watching import watches
from spanglass_server.signals import SENT
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.alerting.model import Key
    from spanglass_server.alerting.ports import Found
    from spanglass_server.alerting.running.around import Around, Bounds
    from spanglass_server.alerting.running.memory import Memory
    from spanglass_server.alerting.running.schedule import Due
    from spanglass_server.alerting.watching.figures import Figures
    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.ports import QuerySession


class Watching:
    """Watches the alerter; its alerts have the source ``server``."""

    def __init__(self, around: Around, bounds: Bounds, figures: Figures) -> None:
        self._around = around
        self._bounds = bounds
        self._figures = figures
        self._newest_ns = around.clock_ns()  # about when something last came in, or the start
        self._missed = 0

    def missed(self, evaluations: int) -> None:
        """Note evaluations that were left out, for the next look."""
        self._missed += evaluations

    def commit(self, memory: Memory, due: Due, found: Mapping[str, Found]) -> bool:
        """Look now, and commit what it leads to; False if what is remembered is to be read anew."""
        time_ns = due.last_ns
        self._look_for_records(due.steps, time_ns)
        seen = watches.Seen(
            lag_s=self._figures.recent_lag_ns() / NS_PER_SECOND,
            missed=self._missed,
            evaluated=self._figures.evaluated_uids(),
            failing=self._figures.failures(),
            without_data={uid: had for uid, had in self._figures.without_data().items() if _matters(uid, found)},
            names={uid: each.rule.name for uid, each in found.items()},
            silent_s=(time_ns - self._newest_ns) / NS_PER_SECOND if self._figures.is_silent else 0.0,
            silence_s=self._bounds.silence_ns / NS_PER_SECOND,
        )
        gathered, uids = Gathered(), []
        scribe = Scribe(watches.WatchTexts(seen), memory.exists)
        said = watches.readings(seen, _active(memory), time_ns)
        for rule in watches.WATCHES:
            limits = Limits(policy_of(rule, due.step_ns), self._bounds.max_keys, self._around.clock_ns())
            fed = feed(memory.states_of(rule.uid), [Piece(due.steps, said[rule.uid])], limits)
            write(gathered, memory, scribe, Subject(rule, fed.unit, SERVER), fed)
            uids.append(rule.uid)
        is_well = memory.commit(gathered.tick(time_ns, tuple(uids), {}), gathered.written)
        self._missed -= seen.missed
        return is_well

    def _look_for_records(self, steps: Steps, time_ns: int) -> None:
        def ask(session: QuerySession) -> tuple[bool, bool]:
            return bool(self._around.live(session, steps).all()), any(
                session.first_ns(each) is not None for each in SENT
            )

        # a session makes columns of what has just come in, 30 ms four times a minute
        quiet = Window(max(time_ns - self._around.quiet_ns + 1, 0), time_ns + 1)
        is_live, had_any = (True, True) if self._around.holds(quiet) else self._around.ask(ask)
        is_silent = had_any and not is_live
        if not is_silent:  # at the first silent tick, the newest record will be that old
            self._newest_ns = max(time_ns + steps.step_ms * NS_PER_MS - self._around.quiet_ns, self._newest_ns)
        self._figures.silent(self._newest_ns if is_silent else 0)


def _matters(uid: str, found: Mapping[str, Found]) -> bool:
    """Whether it matters that a rule has no data: not where it says itself what that means."""
    return uid in found and found[uid].rule.no_data == "keep"


def _active(memory: Memory) -> Mapping[str, frozenset[Key]]:
    return {
        rule.uid: frozenset(
            key for key, state in memory.states_of(rule.uid).items() if state.phase is not Phase.INACTIVE
        )
        for rule in watches.WATCHES
    }
