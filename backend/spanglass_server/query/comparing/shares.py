"""How far a share lies from another, whatever the size of the groups: a few cases prove nothing."""

from __future__ import annotations

from math import sqrt

#: Of a normal distribution: 95 % of the samples lie within so many standard deviations.
_Z = 1.96


def difference(count: int, total: int, baseline_count: int, baseline: int) -> float:
    """Return by how much a share is larger than the baseline's at least: 0 if that could be chance, at most 1.

    It is the gap between Wilson's intervals of both shares, so that 2 of 2 beside 50 % is nothing.
    """
    if not total or not baseline:
        return 0.0
    return max(0.0, _bounds(count, total)[0] - _bounds(baseline_count, baseline)[1])


def _bounds(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    share, square = count / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    spread = _Z * sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    return middle - spread, middle + spread
