"""When an error escalates: far more of it in this hour than in the hours before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewer events in an hour than this never escalate, whatever was before.
LEAST_EVENTS = 20
#: So many times as many as in the busiest hour before are not enough; it takes more.
TIMES_BUSIEST = 2
#: The hours before that count: a week, so that daily jobs and the days of a week are among them.
HOURS = 7 * 24
_DAY = 24


def escalates(before: Sequence[int], now: int) -> bool:
    """Whether ``now`` events in an hour are an escalation after the hourly counts ``before`` (oldest first).

    They are if there are at least 20, more than twice as many as in the busiest hour of the week before, and more
    than that hour by six times the square root of it: the scatter of rare events alone never reaches that. One hour
    of more than a day ago is left out, the busiest: an old burst does not hide a new one.
    """
    if now < LEAST_EVENTS:
        return False
    busiest = _busiest(before[-HOURS:])
    return now > TIMES_BUSIEST * busiest and now > busiest + 6 * busiest**0.5


def _busiest(hours: Sequence[int]) -> int:
    old = sorted(hours[:-_DAY])[:-1]
    return max([*old, *hours[-_DAY:]], default=0)
