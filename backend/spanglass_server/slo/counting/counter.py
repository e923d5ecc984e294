"""Counts objectives in the background: what came in since, what came late, and, for a new objective, what was before.

Each pass reads a few hours at most. What is counted once is kept, also when the spans are deleted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from spanglass_server.signals import Signal
from spanglass_server.slo.counting.minutes import DAY, HOUR
from spanglass_server.slo.counting.spans import count_spans
from spanglass_server.slo.model import MINUTE_NS
from spanglass_server.slo.store.store import Reach
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spanglass_server.slo.counting.ledger import Ledger
    from spanglass_server.slo.counting.minutes import Minutes
    from spanglass_server.slo.model import Objective
    from spanglass_server.store.ports import QuerySession

#: A minute is kept so long after it is over, several at a time; the hour before is counted anew, for spans come late.
_SETTLED: Final = 5
_AT_ONCE: Final = 5
_AGAIN: Final = HOUR
#: So far back is counted once more each hour, if spans came in since for any of it.
_LATE: Final = DAY
#: So much is read at once of what was before.
_CHUNK: Final = 6 * HOUR
#: An objective counts what was stored so long before it was made: a month, and what its forecast looks at.
_BEFORE: Final = 35 * DAY
#: What no objective counts any more is kept for a month, as a changed one may be changed back.
_UNUSED: Final = 30 * DAY
_CHUNKS_A_STEP: Final = 4
#: Nothing is forgotten before the clock went on evenly for so long, with no more than so much between two steps: one
#: that is years ahead would have all of it forgotten.
_STEADY: Final = HOUR
_JUMP: Final = 2 * HOUR


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is to be counted: minutes from ``first`` to before ``last`` of some objectives."""

    objectives: tuple[Objective, ...]
    first: int
    last: int
    is_before: bool = False  # the minutes lie before those that were counted


class Counter:
    """``ask`` runs a function over a query session. ``objectives`` are those that are enabled. For one thread."""

    def __init__(
        self,
        ledger: Ledger,
        objectives: Callable[[], Sequence[Objective]],
        ask: Callable[[Callable[[QuerySession], object]], object],
        keep_minutes: int,
    ) -> None:
        self._ledger = ledger
        self._objectives = objectives
        self._ask = ask
        self._keep_minutes = keep_minutes
        now = ledger.now()
        looked = ledger.late_looked()
        # when what is late was looked for last; where that is not known, counting it again changes nothing
        self._late_at = now - _LATE if looked is None or looked > now else looked
        self._forgot_at = 0
        self._stepped_at = self._steady_since = now  # the clock went on evenly since then
        self._earliest: int | None = None  # the first minute of any span that is stored

    def has_work(self) -> bool:
        """Whether anything is to be counted now."""
        now = self._ledger.now()
        return self._is_late_due(now) or bool(self._ahead(now)) or next(self._due(now), None) is not None

    def step(self) -> None:
        """Count what is due, as far as it is not too much for one step."""
        now = self._ledger.now()
        self._see_clock(now)
        self._ask(self._see_first)
        for _ in range(_CHUNKS_A_STEP):
            stretch = next(self._due(now), None)
            if stretch is None:
                break
            self._ask(partial(self._count, stretch))
        if self._is_late_due(now):
            since_ns = self._late_at * MINUTE_NS
            self._ask(lambda session: self._count_late(session, now, since_ns))
            self._late_at = now
            self._ledger.note_late_looked(now)
        if now - self._steady_since >= _STEADY and now - self._forgot_at >= DAY:
            self._forgot_at = now
            used = [each.key for each in self._objectives()]
            self._ledger.forget(used, (now - _UNUSED) * MINUTE_NS, now - self._keep_minutes)

    def _see_clock(self, now: int) -> None:
        """Take back what a clock that was ahead said, so that what comes from now on is counted."""
        if not 0 <= now - self._stepped_at <= _JUMP:
            self._steady_since = now
            self._late_at, self._forgot_at = min(self._late_at, now - _LATE), min(self._forgot_at, now)
        self._stepped_at = now
        settled = now - _SETTLED - _AT_ONCE  # the last hour is counted anew at once, and the day before it as late
        back = {key: Reach(min(reach.first, settled), settled) for key, reach in self._ahead(now).items()}
        if back:
            self._ledger.keep({}, back)

    def _ahead(self, now: int) -> dict[str, Reach]:
        """What is said to be counted, and is still to come."""
        reaches = {each.key: self._ledger.reach(each.key) for each in self._objectives()}
        return {key: reach for key, reach in reaches.items() if reach is not None and reach.last > now}

    def _is_late_due(self, now: int) -> bool:
        """Whether late spans are to be looked for: each hour, once what is new is counted."""
        if now - self._late_at < HOUR:
            return False
        reaches = (self._ledger.reach(each.key) for each in self._objectives() if each.spans)
        return all(reach is None or reach.last >= _late_end(now) for reach in reaches)

    def _see_first(self, session: QuerySession) -> None:
        first_ns = session.first_ns(Signal.SPANS)
        self._earliest = None if first_ns is None else first_ns // MINUTE_NS

    def _due(self, now: int) -> Iterator[Stretch]:
        """Stretches that are to be counted now: what is new first, then what was before, the newest first."""
        settled = now - _SETTLED
        new: dict[tuple[int, int], list[Objective]] = defaultdict(list)
        before: dict[tuple[int, int], list[Objective]] = defaultdict(list)
        for each in {each.key: each for each in self._objectives()}.values():
            reach = self._ledger.reach(each.key)
            chunk = _CHUNK if each.spans else _BEFORE  # the changes of a check are few
            if reach is None:
                before[settled, chunk].append(each)
                continue
            if settled - reach.last >= _AT_ONCE:
                new[reach.last, chunk].append(each)
            if reach.first > self._goal(each, now):
                before[reach.first, chunk].append(each)
        for (last, chunk), several in sorted(new.items(), key=itemgetter(0)):
            yield Stretch(tuple(several), max(0, last - _AGAIN), min(settled, last + chunk))
        for (first, chunk), several in sorted(before.items(), key=itemgetter(0), reverse=True):
            goal = min(self._goal(each, now) for each in several)
            yield Stretch(tuple(several), max(goal, first - chunk), first, is_before=True)

    def _goal(self, objective: Objective, now: int) -> int:
        """The first minute that is counted of an objective, of a whole hour."""
        earliest = (now - _BEFORE) // HOUR * HOUR
        if objective.check:
            return earliest
        known = now - HOUR if self._earliest is None else self._earliest
        return max(earliest, known // HOUR * HOUR)

    def _count(self, stretch: Stretch, session: QuerySession) -> None:
        first = min(stretch.first, stretch.last) // HOUR * HOUR
        keeps = not stretch.is_before
        counts = self._counted(session, stretch.objectives, first, stretch.last, keeps=keeps)
        reaches = {}
        for each in stretch.objectives:
            old = self._ledger.reach(each.key)
            new = Reach(first, stretch.last)
            if old is not None:
                new = Reach(min(first, old.first), old.last) if stretch.is_before else replace(old, last=stretch.last)
            reaches[each.key] = new
        self._ledger.keep(counts, reaches)

    def _count_late(self, session: QuerySession, now: int, since_ns: int) -> None:
        """Count of the last day anew what came in since for hours that were counted before."""
        first, last = (now - _LATE) // HOUR * HOUR, _late_end(now)
        window = Window(first * MINUTE_NS, last * MINUTE_NS, since_ns)
        reaches = ((each, self._ledger.reach(each.key)) for each in self._objectives() if each.spans)
        several = [each for each, reach in reaches if reach is not None]
        parts = session.parts(Signal.SPANS, window) if several else ()
        if not parts:
            return
        first = max(first, min(part.min_time_ns for part in parts) // MINUTE_NS // HOUR * HOUR)
        last = min(last, (max(part.max_time_ns for part in parts) // MINUTE_NS // HOUR + 1) * HOUR)
        counts = self._counted(session, several, first, last, keeps=False)
        self._ledger.keep(counts, {})

    def _counted(
        self, session: QuerySession, objectives: Sequence[Objective], first: int, last: int, *, keeps: bool
    ) -> dict[str, Minutes]:
        """The minutes of whole hours; those from ``last`` on are nothing."""
        counts = count_spans(session, objectives, first, last, keeps=keeps)
        counts |= {each.key: self._ledger.checked(each.check, first, last) for each in objectives if each.check}
        end = -(-last // HOUR) * HOUR
        return {key: minutes.cut(first, end) for key, minutes in counts.items()}


def _late_end(now: int) -> int:
    """The minute from which on spans are counted anew anyway."""
    return (now - _AGAIN) // HOUR * HOUR
