"""Time intervals that come again, as Alertmanager has them: whether a moment is within one."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The first and the last that count.
Range = tuple[int, int]

#: The time zone of the machine.
LOCAL: Final = "Local"
_NS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInterval:
    """The moments that are within one of the ranges of each sort; of a sort without ranges, all are.

    ``times`` are minutes of the day, the end not among them; ``weekdays`` 0 (Sunday) to 6; ``days_of_month`` 1 to 31,
    or from the month's end -1 to -31; ``months`` 1 to 12. ``location`` is a time zone by its name, "" is UTC, ``Local``
    that of the server's machine.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str = ""


def contains(interval: TimeInterval, now_ns: int) -> bool:
    """Whether a moment is within an interval."""
    now = _local(interval.location, now_ns // (60 * _NS))
    minute = now.hour * 60 + now.minute
    return (
        (not interval.times or any(first <= minute < end for first, end in interval.times))
        and _within(interval.weekdays, now.isoweekday() % 7)
        and (not interval.days_of_month or any(_is_day(now, days) for days in interval.days_of_month))
        and _within(interval.months, now.month)
        and _within(interval.years, now.year)
    )


def containing(names: Iterable[str], intervals: Mapping[str, Any], now_ns: int) -> str:
    """The first of some named lists of intervals that a moment is within, "" if it is within none.

    A name that stands for nothing is within none: it is a problem of the configuration, which tells of it.
    """
    for name in names:
        if any(contains(interval, now_ns) for interval in intervals.get(name, ())):
            return name
    return ""


@lru_cache(256)
def _local(location: str, minute: int) -> datetime:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    if location == LOCAL:
        return moment.astimezone()
    return moment.astimezone(ZoneInfo(location)) if location else moment


def _within(ranges: tuple[Range, ...], value: int) -> bool:
    return not ranges or any(first <= value <= last for first, last in ranges)


def _is_day(now: datetime, days: Range) -> bool:
    """Days that the month does not have are none; a range that only ends behind it goes to its end."""
    length = monthrange(now.year, now.month)[1]
    first, last = (day + length + 1 if day < 0 else day for day in days)
    return first <= length and max(first, -length) <= now.day <= min(last, length)
