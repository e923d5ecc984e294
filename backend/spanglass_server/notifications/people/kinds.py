"""Kinds of values of people, rotas and escalations: times, days of the week, time zones, names of targets."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.forms.kinds import FAILED, described
from spanglass_server.forms.problems import meant
from spanglass_server.notifications.people.clock import wall_time, zone_of
from spanglass_server.notifications.people.model import DAY_MINUTES, EVERY_DAY, Target
from spanglass_server.notifications.people.telling import target_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_MINUTES = 60
_WEEK_MINUTES = 7 * DAY_MINUTES


class Word:
    """A text with a meaning: ``read`` raises ``ValueError`` for another one, with what was expected."""

    def __init__(self, read: Callable[[str], Any], write: Callable[[Any], str], hint: str) -> None:
        self._read = read
        self._write = write
        self._hint = hint
        self.schema: dict[str, Any] = {"type": "string", "description": hint}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort in {"list", "mapping", "null"}:
            report.add(node, f"expected a text, not {described(node)}", self._hint)
            return FAILED
        try:
            return self._read(node.text.strip())
        except ValueError as error:
            report.add(node, str(error), self._hint)
            return FAILED

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return self._write(value)


class Weekdays:
    """Days of the week, ``[monday:friday, sunday]``, as numbers from 0 for Monday."""

    schema: Final = {"type": "array", "items": {"type": "string", "examples": ["monday:friday"]}}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        items = node.items if node.sort == "list" else (node,)
        found: set[int] = set()
        for item in items:
            days = [_day(word) for word in item.text.lower().split(":")] if item.sort == "text" else [-1]
            if -1 in days or len(days) > 2 or days[0] > days[-1]:  # noqa: PLR2004 - a day, or two ends of a range
                word = item.text.partition(":")[0].lower()
                report.add(item, f"expected a day or a range, not {described(item)}", meant(word, DAYS))
                return FAILED
            found |= set(range(days[0], days[-1] + 1))
        return tuple(sorted(found)) or EVERY_DAY

    def write(self, value: Any, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        ranges: list[list[int]] = []
        for day in value:
            if ranges and ranges[-1][-1] == day - 1:
                ranges[-1] = [ranges[-1][0], day]
            else:
                ranges.append([day])
        return [":".join(DAYS[day] for day in ends) for ends in ranges]


def _day(word: str) -> int:
    """The number of a day by its name, or its first three letters; -1 for none."""
    word = word.strip()
    return next((place for place, day in enumerate(DAYS) if word in {day, day[:3]}), -1)


def read_clock(text: str) -> int:
    """The minutes of ``22:30``, to ``24:00``; ``ValueError``."""
    match = _CLOCK.fullmatch(text)
    minutes = int(match[1]) * _MINUTES + int(match[2]) if match and int(match[2]) < _MINUTES else -1
    if not 0 <= minutes <= DAY_MINUTES:
        raise ValueError(f"{text!r} is no time of the day")
    return minutes


def write_clock(minutes: int) -> str:
    """Write minutes of the day as ``22:30``."""
    return f"{minutes // _MINUTES:02d}:{minutes % _MINUTES:02d}"


def _read_handover(text: str) -> int:
    word, _, clock = text.partition(" ")
    day = _day(word.lower())
    if day < 0:
        raise ValueError(f"{word!r} is no day of the week")
    return (day * DAY_MINUTES + read_clock(clock.strip() or "09:00")) % _WEEK_MINUTES  # sunday 24:00 is a monday


def _write_handover(value: int) -> str:
    return f"{DAYS[value // DAY_MINUTES]} {write_clock(value % DAY_MINUTES)}"


def _read_zone(text: str) -> str:
    zone_of(text)
    return text


def _read_wall(text: str) -> str:
    wall_time(text, zone_of("UTC"))
    return text


def _read_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueError(f"{text!r} is no date") from error


def _read_target(text: str) -> Target:
    target = target_of(text)
    if not target.name:
        raise ValueError("expected the name of a channel, a person or a rota")
    return target


CLOCK = Word(read_clock, write_clock, 'write hours and minutes in quotes, such as "22:00"')
HANDOVER = Word(_read_handover, _write_handover, "write a day and a time, such as monday 09:00")
ZONE = Word(_read_zone, str, "write a name of the IANA time zones, such as Europe/Berlin, or UTC")
WALL = Word(_read_wall, str, "write a time by the rota's clock, such as 2026-12-24T09:00")
DATE = Word(_read_date, str, "write a date such as 2026-01-05")
TARGET = Word(_read_target, str, "write a name, or channel:NAME, person:NAME, rota:NAME where several have it")
