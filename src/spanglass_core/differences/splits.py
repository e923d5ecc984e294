"""Where a number parts two groups best: a threshold that one exceeds more often than the other."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from spanglass_core.differences.ranking import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spanglass_core.differences.ranking import Group

#: Digits of a threshold that people read.
_DIGITS = 2
#: Smaller numbers are nothing: the power of ten that their digits take is none that a float can hold.
_SMALLEST = 1e-300


@dataclass(frozen=True, slots=True)
class Split:
    """A threshold, and for how many records of each group the key is above it, and at most it."""

    threshold: float
    selected_above: int
    selected_below: int
    baseline_above: int
    baseline_below: int


def thresholds(quantiles: Iterable[float]) -> list[float]:
    """Return the thresholds to try for some quantiles of all values: rounded to two digits, each once, rising."""
    return sorted({readable(value) for value in quantiles if isfinite(value)})


def readable(value: float) -> float:
    """Round a number down to two digits: 1234 to 1200, 0.0567 to 0.056, -15.5 to -16; whole where it is."""
    if abs(value) < _SMALLEST:
        return 0
    step = floor(log10(abs(value))) - _DIGITS + 1
    # by a power of ten that is whole, so that 0.07 stays 0.07
    rounded = floor(value / 10**step) * 10**step if step >= 0 else floor(round(value * 10**-step, 6)) / 10**-step
    return int(rounded) if float(rounded).is_integer() else rounded


def best_split(key: str, splits: Sequence[Split], selected: Group, baseline: Group) -> Tally | None:
    """Return the condition ``>`` or ``<=`` whose shares differ most, larger for the selected; None where none does.

    Records that lack the key are on neither side.
    """
    best: Tally | None = None
    largest = 0.0
    for split in splits:
        above = Tally(key, ">", split.threshold, split.selected_above, split.baseline_above)
        below = Tally(key, "<=", split.threshold, split.selected_below, split.baseline_below)
        for tally in (above, below):
            gap = tally.selected / max(selected.records, 1) - tally.baseline / max(baseline.records, 1)
            if gap > largest:
                best, largest = tally, gap
    return best
