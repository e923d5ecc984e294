"""Wall clocks: days, hours and weeks of a time zone as nanoseconds since 1970."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from spanglass_server.notifications.people.model import DAY_MINUTES

_NS = 10**9


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of a name such as Europe/Berlin; ``ValueError`` for one that is not known here."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # KeyError: ZoneInfoNotFoundError; the others: no such file
        raise ValueError(f"{name!r} is no time zone that is known here") from error


def local_day(at_ns: int, zone: tzinfo) -> date:
    """The day that it is."""
    return datetime.fromtimestamp(at_ns // _NS, zone).date()


def at_minute(day: date, minute: int, zone: tzinfo) -> int:
    """When the clock shows a minute of a day; 1440 is midnight at its end.

    A time that is skipped in spring counts as that much later, one that comes twice in autumn as the first.
    """
    days, minutes = divmod(minute, DAY_MINUTES)
    wall = datetime.combine(day + timedelta(days=days), datetime.min.time()) + timedelta(minutes=minutes)
    return int(wall.replace(tzinfo=zone).timestamp()) * _NS


def wall_time(text: str, zone: tzinfo) -> int:
    """When the clock shows ``2026-12-24T09:00``, or at a time with an offset of its own; ``ValueError``."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time such as 2026-12-24T09:00") from error
    return int((read if read.tzinfo else read.replace(tzinfo=zone)).timestamp()) * _NS


def span_of(day: date, starts: int, ends: int, zone: tzinfo) -> tuple[int, int]:
    """From when to when hours last that begin on a day; an end not after the start is one of the next day."""
    return at_minute(day, starts, zone), at_minute(day, ends if ends > starts else ends + DAY_MINUTES, zone)
