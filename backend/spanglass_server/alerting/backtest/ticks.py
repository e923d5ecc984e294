"""The times at which a rule is evaluated: multiples of its interval since 1970, live and in backtests alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.promql.series.vectors import Steps
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from spanglass_server.store.ports import Window

#: As many steps are evaluated at once at most: 20,000 of 15 s are three and a half days.
MOST_STEPS = 20_000
#: At the start, while nobody knows how many keys there are.
_FIRST_STEPS = 2_000
#: Keys by steps of one piece: its values are 16 MB.
_MOST_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Ticks:
    """The ticks of a range: ``first_ns``, then every ``step_ns``, ``count`` times."""

    first_ns: int
    step_ns: int
    count: int

    @classmethod
    def within(cls, window: Window, step_ns: int) -> Ticks:
        """The multiples of a step that lie in a window."""
        first_ns = -(-window.start_ns // step_ns) * step_ns
        return cls(first_ns, step_ns, max(0, -(-(window.end_ns - first_ns) // step_ns)))

    def at(self, place: int) -> int:
        """The time of one tick, in nanoseconds."""
        return self.first_ns + place * self.step_ns

    def steps(self, place: int, size: int) -> Steps:
        """Some of the ticks as the steps of a query."""
        return Steps(self.at(place) // NS_PER_MS, self.step_ns // NS_PER_MS, size)


def piece_size(keys: int | None) -> int:
    """How many steps are evaluated at once when there are so many keys (None: not known yet)."""
    if keys is None:
        return _FIRST_STEPS
    return max(1, min(MOST_STEPS, _MOST_CELLS // max(keys, 1)))
