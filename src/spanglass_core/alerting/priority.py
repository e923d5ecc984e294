"""How urgent an alert is beside others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanglass_core.alerting.severity import Severity

NS_PER_MIN = 60 * 10**9
_LEAST, _STEP = 5, 25  # info 5, warning 30, error 55, critical 80
_MOST_FOR_TIME, _MOST_FOR_COUNT, _MOST_FOR_KEYS = 8.0, 6.0, 6.0
_LONG_MIN = 24 * 60
_OFTEN, _MANY = 64, 16
_LESS_WHEN_KNOWN = 10


def priority(severity: Severity, count: int, duration_ns: int, *, keys: int = 1, is_acknowledged: bool = False) -> int:
    """A number from 0 to 100, the larger the more urgent.

    The severity counts most: info begins at 5, warning at 30, error at 55, critical at 80, and no alert passes one of
    the next severity. On top come at most

    - 8 for how long it has lasted, by the logarithm: 0 up to a minute, 8 from a day on;
    - 6 for how often it fired (``count``): 0 for once, 6 for 64 times and more;
    - 6 for how many ``keys`` of its rule fire at the same time, as services or hosts: 0 for one, 6 for 16 and more.

    Somebody looks after one that is acknowledged: 10 less.
    """
    base = _LEAST + _STEP * (severity.rank - 1)
    more = (
        _MOST_FOR_TIME * _share(duration_ns / NS_PER_MIN, _LONG_MIN)
        + _MOST_FOR_COUNT * _share(count, _OFTEN)
        + _MOST_FOR_KEYS * _share(keys, _MANY)
    )
    return max(round(base + more) - _LESS_WHEN_KNOWN * is_acknowledged, 0)


def _share(amount: float, most: float) -> float:
    """From 0 for one to 1 for ``most``, by the logarithm."""
    return min(math.log(max(amount, 1.0)) / math.log(most), 1.0)
