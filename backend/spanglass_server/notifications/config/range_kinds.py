"""Ranges of time intervals as they are written: ``monday:friday``, ``-3:-1``, ``09:00-17:00``, a time zone's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn
from zoneinfo import ZoneInfo

from spanglass_server.forms.kinds import FAILED, described
from spanglass_server.notifications.routing.intervals import LOCAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.forms.nodes import Node
    from spanglass_server.forms.problems import Report
    from spanglass_server.notifications.routing.intervals import Range

WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_TIME: Final = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_DAY_MINUTES = 24 * 60
_LONGEST_MONTH, _SHORTEST_MONTH = 31, 28


class _RangeError(ValueError):
    """Why a text is no range."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class _Ranges:
    """A range of words or numbers with a colon, or one of them alone."""

    schema: Final = {"type": "string"}

    def __init__(self, words: Sequence[str], first: int, most: int, example: str) -> None:
        self._words = {word: number for number, word in enumerate(words, first)}
        self._names = {number: word for word, number in self._words.items()}
        self._first, self._most = first, most
        self._hint = f"write it like {example}"

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        if node.sort not in {"text", "number"}:
            report.add(node, f"expected a range, not {described(node)}", self._hint)
            return FAILED
        try:
            first, colon, last = node.text.strip().lower().partition(":")
            ends = (self._number(first), self._number(last if colon else first))
            self._check(ends)
        except _RangeError as error:
            report.add(node, str(error), error.hint)
            return FAILED
        return ends

    def write(self, value: Range, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        first, last = (self._names.get(end, str(end)) for end in value)
        return first if first == last else f"{first}:{last}"

    def _number(self, text: str) -> int:
        text = text.strip()
        number = self._words.get(text)
        if number is None and re.fullmatch(r"-?\d{1,4}", text) and not (self._words and self._first == 0):
            number = int(text)
        if number is None or not self._first <= number <= self._most:
            self._refuse(f"{text!r} is not possible here")
        return number

    def _check(self, ends: Range) -> None:
        if ends[0] > ends[1]:
            self._refuse("the range ends before it begins")

    def _refuse(self, message: str) -> NoReturn:
        raise _RangeError(message, self._hint)


class _Days(_Ranges):
    """Days of the month; negative ones count from its end."""

    def __init__(self) -> None:
        super().__init__((), -_LONGEST_MONTH, _LONGEST_MONTH, "1:5 or -3:-1, the last three days")

    def _check(self, ends: Range) -> None:
        first, last = ends
        if not first or not last:
            self._refuse("there is no day 0")
        if first < 0 < last:
            self._refuse("a range that begins from the month's end ends from there too")
        if _least(first) > _least(last):  # in the shortest month
            self._refuse("the range always ends before it begins")


def _least(day: int) -> int:
    return day if day > 0 else _SHORTEST_MONTH + day


class TimesOfDay:
    """``09:00-17:00``, or ``{start_time: 09:00, end_time: 17:00}``; the end is not within it. In minutes."""

    schema: Final = {"type": "string", "examples": ["09:00-17:00"]}
    _HINT: Final = "write it like 09:00-17:00; one over midnight as two: 22:00-24:00 and 00:00-06:00"

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        ends = self._ends(node)
        if ends is None:
            report.add(node, f"expected a time of day from and to, not {described(node)}", self._HINT)
            return FAILED
        minutes = [_minutes(text) for text in ends]
        for text, minute in zip(ends, minutes, strict=True):
            if minute is None:
                report.add(node, f"{text!r} is no time of day", self._HINT)
                return FAILED
        start, end = minutes
        if start is None or end is None or start >= end:
            report.add(node, "the time ends before it begins", self._HINT)
            return FAILED
        return start, end

    def write(self, value: Range, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in value)

    def _ends(self, node: Node) -> tuple[str, str] | None:
        if node.sort == "mapping" and sorted(entry.key for entry in node.entries) == ["end_time", "start_time"]:
            start, end = node.named("start_time"), node.named("end_time")
            return (start.text, end.text) if start is not None and end is not None else None
        first, dash, last = node.text.partition("-")
        return (first.strip(), last.strip()) if node.sort == "text" and dash else None


def _minutes(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    return int(found[1]) * 60 + int(found[2]) if found[1] else _DAY_MINUTES


class TimeZone:
    """The name of a time zone, such as Europe/Berlin; "" is UTC, ``Local`` that of the server's machine."""

    schema: Final = {"type": "string", "examples": ["Europe/Berlin"]}

    def read(self, node: Node, report: Report) -> Any:
        """See ``Kind``."""
        name = node.text if node.sort == "text" else None
        if name in {"", LOCAL}:
            return name
        try:
            return ZoneInfo(name or "").key
        except (OSError, ValueError, KeyError):  # of which ZoneInfoNotFoundError is the last
            report.add(node, f"there is no time zone {node.text!r}", "write it like Europe/Berlin, UTC or Local")
            return FAILED

    def write(self, value: str, *, full: bool) -> Any:
        """See ``Kind``."""
        del full
        return value


WEEKDAY_RANGE: Final = _Ranges(WEEKDAYS, 0, 6, "monday:friday or sunday")
MONTH_RANGE: Final = _Ranges(MONTHS, 1, 12, "january:march or 7:8")
YEAR_RANGE: Final = _Ranges((), 1, 9999, "2026 or 2026:2027")
DAY_RANGE: Final = _Days()
