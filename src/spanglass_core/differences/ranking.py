"""Which conditions on keys hold more often for some records than for others, ranked so that few cases cannot fool.

Records of one trace are alike: a user who made one trace of five hundred spans is one case, not five hundred. A group
therefore weighs as much as the traces that it is from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from spanglass_core.differences.shares import difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Operator = Literal["=", ">", "<=", "exists"]
#: Some hundred values are compared: at 3 standard deviations on both sides none of 10,000 stands out by chance, ...
CERTAIN = 3.0
#: ... and at 2 some do: of those that few cases leave, the likely ones.
LIKELY = 1.96
#: A difference of less is nothing to look at, nor is one that fewer cases show.
_LEAST, _LEAST_CASES = 0.01, 3
#: Equal differences are equal, whatever they were computed from.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Group:
    """How many records values are counted in, and from how many traces these are."""

    records: int
    traces: int

    @property
    def weight(self) -> float:
        """How many cases a record is: 1 where each is from a trace of its own."""
        return min(1.0, self.traces / self.records) if self.records else 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """A condition on a key, and for how many of the records of each group it holds. ``exists`` has no value."""

    key: str
    operator: Operator
    value: Any
    selected: int
    baseline: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How a condition sets the selected records apart.

    Shares are of all records of each group; ``lift`` is how many times larger the selected one is, None where the
    baseline has none. ``size`` is by how much the shares differ at least, below 0 where the selected one is smaller.
    """

    tally: Tally
    selected_share: float
    baseline_share: float
    lift: float | None
    size: float


@dataclass(frozen=True, slots=True)
class KeyDifferences:
    """What sets the selected records apart in one key, the largest difference first. There is at least one.

    ``alike`` are keys whose largest difference is of as many records of both groups, and so, most likely, of the same.
    """

    key: str
    differences: Sequence[Difference]
    alike: Sequence[KeyDifferences] = ()

    @property
    def size(self) -> float:
        """The largest difference, without its sign."""
        return abs(self.differences[0].size)


def rank(selected: Group, baseline: Group, tallies: Iterable[Tally], z: float = CERTAIN) -> list[KeyDifferences]:
    """Return what differs, the keys that differ most first; equal ones by name. ``z`` is ``CERTAIN`` or ``LIKELY``."""
    by_key: dict[str, list[Difference]] = {}
    for tally in tallies:
        found = measure(selected, baseline, tally, z)
        if abs(found.size) >= _LEAST:
            by_key.setdefault(tally.key, []).append(found)
    ranked = [KeyDifferences(key, _telling(found)) for key, found in by_key.items()]
    return _folded(sorted(ranked, key=lambda each: (-each.size, *_vagueness(each), each.key)), selected, baseline)


def _vagueness(found: KeyDifferences) -> tuple[bool, bool]:
    """Whether all that is told of a key is that it is there, and whether no value of it is named."""
    operator = found.differences[0].tally.operator
    return operator == "exists", operator != "="


def _folded(ranked: Sequence[KeyDifferences], selected: Group, baseline: Group) -> list[KeyDifferences]:
    """Put keys together that say the same: those of a call are there exactly where its kind is ``client``."""
    first: dict[tuple[int, int], tuple[KeyDifferences, list[KeyDifferences]]] = {}
    for each in ranked:
        found = each.differences[0]
        counts = found.tally.selected, found.tally.baseline
        if found.size < 0:  # what is told is that the others have it: the selected ones have something else, or nothing
            counts = selected.records - counts[0], baseline.records - counts[1]
        if counts in first:
            first[counts][1].append(each)
        else:
            first[counts] = each, []
    return [KeyDifferences(each.key, each.differences, alike) for each, alike in first.values()]


def measure(selected: Group, baseline: Group, tally: Tally, z: float = CERTAIN) -> Difference:
    """Return how one condition sets the selected records apart."""
    share = tally.selected / selected.records if selected.records else 0.0
    other = tally.baseline / baseline.records if baseline.records else 0.0
    one = tally.selected * selected.weight, selected.records * selected.weight
    two = tally.baseline * baseline.weight, baseline.records * baseline.weight
    (more, fewer), sign = ((one, two), 1) if share >= other else ((two, one), -1)
    size = sign * difference(*more, *fewer, z) if more[0] >= _LEAST_CASES else 0.0
    return Difference(tally, share, other, share / other if other else None, round(size, _DIGITS))


def _telling(found: Sequence[Difference]) -> list[Difference]:
    """Leave out what another difference of the key implies.

    What the selected records have less is told only where it is more than what they have instead; that they have the
    key at all, only where no value says more, and then alone if they lack it.
    """
    values = [each for each in found if each.tally.operator != "exists"]
    most = max((each.size for each in values), default=0.0)
    kept = [each for each in values if each.size > 0 or -each.size > most]
    largest = max((abs(each.size) for each in kept), default=0.0)
    for whole in found:
        if whole.tally.operator == "exists" and whole.size > largest:
            kept.append(whole)
        elif whole.tally.operator == "exists" and -whole.size >= largest:
            kept = [whole]
    return sorted(kept, key=lambda each: (-abs(each.size), str(each.tally.value)))
