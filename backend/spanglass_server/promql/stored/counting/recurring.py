"""Questions about records that come again and again, as those of alert rules: a new part is read once for all of them.

Rules that differ in their filter only are most of many rules. Each would read every new part by itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_server.promql.stored.counting.families import Counted
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part

#: A question recurs while it was asked when one of so many last new parts came: some minutes, each tick finds a few.
_REMEMBERED_PARTS = 100
#: Conditions in one statement; planning takes longer than that many small ones from about two hundred on.
MOST_TOGETHER = 100
#: A statement over fewer rows takes as long as its plan, 4 to 7 ms, however much it counts.
_SMALL_ROWS = 10_000

#: Counts in steps of this length are those of all short ones: a window of two minutes and one of an hour read the same.
_FINE_MS = 5000
_SHORT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted of every part: a metric's records for which all ``filters`` hold, in steps of ``step_ms``.

    ``named`` are labels that the expression names.
    """

    metric: Counted
    named: frozenset[str]
    filters: tuple[str, ...]
    step_ms: int

    @property
    def fine(self) -> Asked:
        """The question in the steps in which counts are kept: all short ones divide into the finest."""
        return replace(self, step_ms=_FINE_MS) if self.step_ms <= _SHORT_MS else self

    def group(self, *, is_small: bool) -> tuple[object, ...]:
        """Equal for what one statement can count; of a small part that is all with the same steps.

        Of others cells would be by far more than anybody asks for: by all labels that any question names, and bounds.
        """
        usual = (self.metric.family.signal, self.step_ms)
        return usual if is_small else (*usual, self.metric.has_bounds, self.named)


class Recurring:
    """Which questions are asked again and again; thread-safe. Time passes with each new part that is read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[tuple[str, int], None] = {}  # the last new ones, in order
        self._now = 0  # how many there were
        self._asked: dict[Asked, tuple[int, int]] = {}  # when first and last; the one asked last is the last one

    def note(self, asked: Asked) -> None:
        """A question is asked."""
        with self._lock:
            first, _ = self._asked.pop(asked, (self._now, self._now))
            self._asked[asked] = (first, self._now)

    def announce(self, asked: Asked) -> None:
        """A question will be asked again and again, the first time soon."""
        with self._lock:
            self._asked[asked] = (-1, self._now)

    def together(self, asked: Asked, part: Part) -> list[Asked]:
        """A question of a part that was not read for it yet, with those that will probably be asked of it as well."""
        with self._lock:
            if part.key not in self._parts:
                self._begin(part.key)
            return [asked, *self._likely(asked, is_small=part.rows <= _SMALL_ROWS)][:MOST_TOGETHER]

    def _begin(self, part: tuple[str, int]) -> None:
        self._now += 1
        self._parts[part] = None
        if len(self._parts) > _REMEMBERED_PARTS:
            del self._parts[next(iter(self._parts))]
        for each, (_, last) in list(self._asked.items()):
            if last >= self._now - _REMEMBERED_PARTS:
                break
            del self._asked[each]

    def _likely(self, asked: Asked, *, is_small: bool) -> list[Asked]:
        group = asked.group(is_small=is_small)
        return [
            each
            for each, (first, last) in self._asked.items()
            if last > first and each != asked and each.group(is_small=is_small) == group
        ]


def recurring(cache: PartCache) -> Recurring:
    """The recurring questions of a process, which are kept with its cache."""
    return cache.kept("recurring questions", Recurring, lambda _: 100_000)
