"""Which ticks of which rules are due: multiples of a rule's interval, each evaluated a while later for late data."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_core.alerting.machine import CLOCK_SET_BACK_NS
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_core.alerting.rule import Rule

#: As many ticks of a rule are made up for at once; the others follow at once. 32 of a rule with 1,000 keys are 0.5 MB.
MOST_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, and how long after its tick, a rule is evaluated that doesn't say, and how far ticks are made up.

    While nothing of a rule is pending, its ticks wait for each other for ``together_ns`` at most; see ``at_once``.
    """

    interval_ns: int
    delay_ns: int
    catch_up_ns: int
    together_ns: int = 0

    def interval_of(self, rule: Rule) -> int:
        """How often a rule is evaluated."""
        return rule.interval_ns or self.interval_ns

    def delay_of(self, rule: Rule) -> int:
        """How long after its tick a rule is evaluated."""
        return rule.delay_ns or self.delay_ns

    def at_once(self, rule: Rule) -> int:
        """How many ticks of a rule may be evaluated together, at the time of the last, while all its keys are at rest.

        A key that begins to hold at the first of them fires ``for`` later: when the last is due, or after it. So no
        alert comes later than if each had been evaluated when it was due. A power of two, so that rules meet.
        """
        interval_ns = self.interval_of(rule)
        ticks = min(rule.for_ns, self.together_ns) // interval_ns + 1
        return 1 << (int(ticks).bit_length() - 1)

    def is_awaited(self, rule: Rule, each: Due) -> bool:
        """Whether more ticks are to come before those that are due are evaluated."""
        several = self.at_once(rule)
        return each.count < several and (each.last_ns // each.step_ns) % several != 0


@dataclass(frozen=True, slots=True)
class Due:
    """Ticks of something that are due: ``first_ns``, then every ``step_ns``, ``count`` times.

    ``left`` says that more are due after these. ``missed`` ticks, the first at ``missed_ns``, will never be evaluated.
    ``set_back_ns`` is by how much the clock was set back since the last tick, where it was by so much that evaluation
    goes on at what the clock says now.
    """

    first_ns: int
    step_ns: int
    count: int = 1
    left: bool = False
    missed: int = 0
    missed_ns: int = 0
    set_back_ns: int = 0

    @property
    def last_ns(self) -> int:
        """The last of the ticks."""
        return self.first_ns + self.step_ns * (self.count - 1)

    @property
    def steps(self) -> Steps:
        """The ticks as the steps of a query."""
        return Steps(self.first_ns // NS_PER_MS, self.step_ns // NS_PER_MS, self.count)


def due(ticked_ns: int, now_ns: int, step_ns: int, delay_ns: int, catch_up_ns: int) -> Due | None:
    """What is due of something whose last tick was at ``ticked_ns``; None if nothing is.

    A clock that was set back by a few minutes is waited for, so that no tick is evaluated twice.
    """
    newest_ns = (now_ns - delay_ns) // step_ns * step_ns
    if ticked_ns - now_ns > CLOCK_SET_BACK_NS:
        return Due(newest_ns, step_ns, set_back_ns=ticked_ns - now_ns)
    next_ns = (ticked_ns // step_ns + 1) * step_ns
    if newest_ns < next_ns:
        return None
    first_ns = max(next_ns, newest_ns - catch_up_ns // step_ns * step_ns)
    missed = (first_ns - next_ns) // step_ns
    wanted = (newest_ns - first_ns) // step_ns + 1
    return Due(
        first_ns,
        step_ns,
        min(wanted, MOST_AT_ONCE),
        left=wanted > MOST_AT_ONCE,
        missed=missed,
        missed_ns=next_ns if missed else 0,
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """Rules of which the same ticks are due: they are evaluated together, so that they share what they read."""

    due: Due
    rules: tuple[Rule, ...]


def batches(dues: Iterable[tuple[Rule, Due]]) -> list[Batch]:
    """Rules with the same ticks together, the earliest ticks first; of single ticks the interval does not matter."""
    groups: dict[tuple[int, int, int], list[tuple[Rule, Due]]] = defaultdict(list)
    for rule, each in dues:
        groups[each.last_ns, each.count, each.step_ns if each.count > 1 else 0].append((rule, each))
    return [
        Batch(min((each for _, each in group), key=lambda each: each.step_ns), tuple(rule for rule, _ in group))
        for _, group in sorted(groups.items(), key=lambda item: item[0])
    ]
