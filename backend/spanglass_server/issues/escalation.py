"""When an error escalates: far more of it in this hour than in the hours before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewer events in an hour than this never escalate, whatever was before.
LEAST_EVENTS = 20
#: The busiest of the hours before counts this often.
TIMES_BUSIEST = 2
#: The hours before that count: a week, so that daily jobs and the days of a week are among them.
HOURS = 7 * 24


def escalates(before: Sequence[int], now: int) -> bool:
    """Whether ``now`` events in an hour are an escalation after the hourly counts ``before`` (oldest first).

    They are if there are at least 20, more than twice as many as in the busiest hour of the week before, and more
    than that hour by six times the square root of it: the scatter of rare events alone never reaches that. The
    busiest hour is the second busiest if a whole day or more is known, so that one old burst does not hide a new one.
    """
    if now < LEAST_EVENTS:
        return False
    busiest = _busiest(before[-HOURS:])
    return now > TIMES_BUSIEST * busiest and now > busiest + 6 * busiest**0.5


def _busiest(hours: Sequence[int]) -> int:
    ranked = sorted(hours, reverse=True)
    if len(ranked) >= 24:  # noqa: PLR2004 - hours of a day
        return ranked[1]
    return ranked[0] if ranked else 0
