"""Times as crontab has them: five fields, with names, ranges, steps and lists, and the short words (``@daily``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SUNDAY: Final = 7
_MOST_DIGITS: Final = 4
#: 29 February of a year divisible by 4 comes within 8 years, whatever century begins between.
_MOST_DAYS: Final = 8 * 366


class CronError(ValueError):
    """The text is no times of crontab; says which field is wrong."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """Times: which minutes, hours, days, months and weekdays (0 is Sunday).

    As in crontab, where both kinds of days are given, a day of either kind counts.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def next_ns(self, after_ns: int, zone: ZoneInfo) -> int:
        """The first time after a time, both in ns since 1970; 0 if there is none, as for 31 February.

        A time that the clock leaves out in spring is the one an hour later; one that comes twice is the first.
        """
        after = datetime.fromtimestamp(after_ns // 10**9, UTC)
        day = after.astimezone(zone).date()
        for _ in range(_MOST_DAYS):
            if self._is_day(day):
                for moment in self._times(day, zone):
                    if moment.timestamp() * 10**9 > after_ns:
                        return int(moment.timestamp()) * 10**9
            day += timedelta(days=1)
        return 0

    def last_ns(self, until_ns: int, zone: ZoneInfo) -> int:
        """The newest time up to a time, itself with it, both in ns since 1970; 0 if there is none, as ``next_ns``."""
        day = datetime.fromtimestamp(until_ns // 10**9, UTC).astimezone(zone).date()
        for _ in range(_MOST_DAYS):
            if self._is_day(day):
                for moment in reversed(self._times(day, zone)):
                    if moment.timestamp() * 10**9 <= until_ns:
                        return max(0, int(moment.timestamp())) * 10**9
            day -= timedelta(days=1)
        return 0

    def _is_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        is_day, is_weekday = day.day in self.days, day.isoweekday() % _SUNDAY in self.weekdays
        if self.any_day or self.any_weekday:
            return is_day and is_weekday
        return is_day or is_weekday

    def _times(self, day: date, zone: ZoneInfo) -> list[datetime]:
        local = (
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            for hour in self.hours
            for minute in self.minutes
        )
        return sorted(moment.astimezone(UTC) for moment in local)


def parse_cron(text: str) -> Cron:
    """Read times such as ``30 3 * * mon-fri``. Raises ``CronError``."""
    words = _WORDS.get(text.strip().lower(), text).split()
    if len(words) != len(_FIELDS):
        raise CronError(f"{text!r} has {len(words)} fields, not {len(_FIELDS)}: minute, hour, day, month, weekday")
    minutes, hours, days, months, weekdays = (
        _numbers(field, word.lower()) for field, word in zip(_FIELDS, words, strict=True)
    )
    return Cron(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(day % _SUNDAY for day in weekdays),
        any_day=words[2].startswith("*"),
        any_weekday=words[4].startswith("*"),
    )


def _numbers(field: _Field, text: str) -> set[int]:
    return {number for part in text.split(",") for number in _part(field, part)}


def _part(field: _Field, text: str) -> range:
    span, slash, step_text = text.partition("/")
    step = 1
    if slash:
        step = _whole(step_text)
        if step <= 0:
            raise CronError(f"{field.name}: {text!r} has no step above 0 behind the /")
    first, dash, last = span.partition("-")
    if span == "*":
        return range(field.least, field.most + 1, step)
    begin = _number(field, first)
    end = _number(field, last) if dash else field.most if slash else begin
    if end < begin:
        raise CronError(f"{field.name}: {span!r} ends before it begins")
    return range(begin, end + 1, step)


def _number(field: _Field, text: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.least
    number = _whole(text)
    if not field.least <= number <= field.most:
        raise CronError(f"{field.name}: {text!r} is none from {field.least} to {field.most}")
    return number


def _whole(text: str) -> int:
    """The whole number that a text is; -1 where it is none, or has more digits than any field has use for."""
    return int(text) if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else -1
