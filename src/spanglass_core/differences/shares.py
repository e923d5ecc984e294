"""How far a share lies from another, whatever the size of the groups: a few cases prove nothing."""

from __future__ import annotations

from math import sqrt

#: Of a normal distribution: 95 % of the samples lie within so many standard deviations.
_Z = 1.96


def difference(count: float, total: float, baseline_count: float, baseline: float, z: float = _Z) -> float:
    """Return by how much a share is larger than the baseline's at least: 0 if that could be chance, at most 1.

    It is the gap between Wilson's intervals of both shares, so that 2 of 2 beside 50 % is nothing. ``z`` is how many
    standard deviations an interval reaches to each side: more where many shares are looked at.
    """
    if not total or not baseline:
        return 0.0
    return max(0.0, _bounds(count, total, z)[0] - _bounds(baseline_count, baseline, z)[1])


def _bounds(count: float, total: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    share, square = count / total, z * z
    middle = (share + square / (2 * total)) / (1 + square / total)
    spread = z * sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    return middle - spread, middle + spread
