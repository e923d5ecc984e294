"""The minutes of objectives, wherever they are counted: what is kept, and what came since, counted at once.

A minute is kept some minutes after it is over. So whatever the time at which something is asked, the answer has all
that is stored up to it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from spanglass_server.slo.counting.minutes import HOUR, Minutes
from spanglass_server.slo.counting.spans import count_spans
from spanglass_server.slo.model import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spanglass_server.slo.model import Objective
    from spanglass_server.slo.ports import CheckTimes
    from spanglass_server.slo.store.store import Reach, SloStore
    from spanglass_server.store.ports import QuerySession

#: So much before now is counted at once, where it is not kept yet: after a longer pause of the server the background
#: comes first.
_TAIL: Final = 6 * HOUR
#: Hours whose minutes are held in memory, 1 KB each: those of three days of a hundred objectives.
_MOST_BLOCKS: Final = 8192


class Ledger:
    """What was counted of all objectives. Methods may be called from any thread; ``OSError`` of the disk."""

    def __init__(self, store: SloStore, checks: CheckTimes, clock_ns: Callable[[], int]) -> None:
        self._store = store
        self._checks = checks
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._reaches = dict(store.reaches())
        self._blocks: OrderedDict[tuple[str, int], Minutes | None] = OrderedDict()
        self._changes = 0  # of what is kept: what was read before one is not held after it

    def reach(self, key: str) -> Reach | None:
        """Which minutes of a key are kept; None before the first."""
        return self._reaches.get(key)

    def now(self) -> int:
        """The minute that is not over yet."""
        return self._clock_ns() // MINUTE_NS

    def view(self, session: QuerySession) -> View:
        """All that is counted, as one session sees it."""
        return View(self, session)

    def keep(self, counts: Mapping[str, Minutes], reaches: Mapping[str, Reach]) -> None:
        """Keep the minutes of whole hours by key: of each minute what counts more, that or what is kept."""
        merged = {}
        for key, minutes in counts.items():
            merged[key] = minutes.at_least(self.kept(key, minutes.first, minutes.last))
        self._store.keep(merged, reaches, self._clock_ns())
        with self._lock:
            self._changes += 1
            self._reaches.update(reaches)
            for key, minutes in merged.items():
                for hour in range(minutes.first // HOUR, minutes.last // HOUR):
                    self._blocks.pop((key, hour), None)

    def late_looked(self) -> int | None:
        """The minute in which spans that came late were looked for last, also before the last start."""
        return self._store.late_looked()

    def note_late_looked(self, minute: int) -> None:
        """Note that they were looked for."""
        self._store.note_late_looked(minute)

    def forget(self, used: Sequence[str], unused_before_ns: int, before: int) -> None:
        """Let go of what was counted before a minute, and of keys that no objective has."""
        self._store.forget(used, unused_before_ns, before // HOUR)
        with self._lock:
            self._changes += 1
            self._blocks.clear()
            self._reaches = dict(self._store.reaches())

    def kept(self, key: str, first: int, last: int) -> Minutes:
        """What is kept of a key."""
        found = Minutes.none(first, last)
        hours = range(first // HOUR, -(-last // HOUR))
        with self._lock:
            held = {hour: self._blocks[key, hour] for hour in hours if (key, hour) in self._blocks}
            changes = self._changes
        missing = [hour for hour in hours if hour not in held]
        if missing:
            read = self._store.minutes(key, missing[0], missing[-1] + 1)
            held |= {hour: read.get(hour) for hour in missing}
            self._hold(key, {hour: held[hour] for hour in missing}, changes)
        for block in held.values():
            if block is not None:
                found.add(block)
        return found

    def _hold(self, key: str, blocks: Mapping[int, Minutes | None], changes: int) -> None:
        with self._lock:
            if changes != self._changes:
                return  # they were read before others were kept
            for hour, block in blocks.items():
                self._blocks[key, hour] = block
            while len(self._blocks) > _MOST_BLOCKS:
                self._blocks.popitem(last=False)

    def kept_hours(self, key: str, first: int, last: int) -> Minutes:
        """The sums of the hours that are kept of a key; ``first`` and ``last`` are hours."""
        return self._store.hours(key, first, last)

    def checked(self, uid: str, first: int, last: int) -> Minutes:
        """The minutes of a health check, by its changes of status."""
        return self._checks.minutes(uid, first, last)


@dataclass(frozen=True, slots=True)
class View:
    """What is counted as one session sees it; for one thread. What is kept meanwhile is counted by it, and once."""

    ledger: Ledger
    session: QuerySession
    _reaches: dict[str, Reach | None] = field(default_factory=dict)
    _tails: dict[tuple[str, int, int], Minutes] = field(default_factory=dict)

    def minutes(self, objectives: Sequence[Objective], first: int, last: int) -> dict[str, Minutes]:
        """The minutes from ``first`` to before ``last`` of objectives, by their keys."""
        found = {}
        tails = self._read_tails(objectives, last)
        for each in objectives:
            minutes = found[each.key] = Minutes.none(first, last)
            reach = self._reach(each.key)
            if reach is not None:
                start, end = max(first, reach.first), min(last, reach.last)
                if start < end:
                    minutes.add(self.ledger.kept(each.key, start, end))
            minutes.add(tails[each.key])
        return found

    def hours(self, objectives: Sequence[Objective], first: int, last: int) -> dict[str, Minutes]:
        """The sums of hours, as if each were a minute; ``first`` and ``last`` are hours."""
        found = {}
        tails = self._read_tails(objectives, last * HOUR)
        for each in objectives:
            hours = found[each.key] = self.ledger.kept_hours(each.key, first, last)
            tail, reach = tails[each.key], self._reach(each.key)
            edge = min(max((tail.first if reach is None else reach.last) // HOUR, first), last)
            recent = Minutes.none(edge * HOUR, last * HOUR)
            if reach is not None and edge * HOUR < reach.last:
                recent.add(self.ledger.kept(each.key, edge * HOUR, reach.last))
            recent.add(tail)
            by_hour = recent.by(HOUR, edge * HOUR)
            hours.total[edge - first :], hours.bad[edge - first :] = by_hour.total, by_hour.bad
        return found

    def since(self, objective: Objective) -> int | None:
        """The first minute that is counted; None where nothing is."""
        reach = self._reach(objective.key)
        return reach.first if reach is not None else None

    def _reach(self, key: str) -> Reach | None:
        """Which minutes were kept when that was first asked."""
        if key not in self._reaches:
            self._reaches[key] = self.ledger.reach(key)
        return self._reaches[key]

    def _read_tails(self, objectives: Sequence[Objective], last: int) -> dict[str, Minutes]:
        """What is not kept yet, up to a minute or to now."""
        last = min(last, self.ledger.now())
        found: dict[str, Minutes] = {}
        waiting: dict[int, list[Objective]] = defaultdict(list)
        for each in objectives:
            first = self._tail_of(each)
            place = (each.key, first, last)
            if first >= last:
                found[each.key] = Minutes.none(last, last)
            elif place in self._tails:
                found[each.key] = self._tails[place]
            elif each.check:
                found[each.key] = self._tails[place] = self.ledger.checked(each.check, first, last)
            else:
                waiting[first].append(each)
        for first, several in waiting.items():
            for key, minutes in count_spans(self.session, several, first, last).items():
                found[key] = self._tails[key, first, last] = minutes
        return found

    def _tail_of(self, objective: Objective) -> int:
        reach = self._reach(objective.key)
        earliest = self.ledger.now() - _TAIL
        return max(reach.last, earliest) if reach is not None else earliest
