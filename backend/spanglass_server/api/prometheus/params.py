"""Parameters of Prometheus' API: times, durations and limits as texts, read as Prometheus reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanglass_server.api.errors import ApiError
from spanglass_server.api.prometheus.problems import BadParameterError
from spanglass_server.promql.series.vectors import Steps
from spanglass_server.times import NS_PER_MS, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: All times: from 1970 to 2200, like storage's.
MIN_MS, MAX_MS = 0, 7_258_118_400_000
#: No time is further from 1970: what is left to 64 bits holds the longest offset and range.
_FURTHEST_MS = 9_223_309_901_257_974_000
#: Most points of a series in the answer to a range query.
MAX_POINTS = 11_000

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_UNITS_MS = (365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_MAX_DURATION_MS = 2**63 // NS_PER_MS
#: How Prometheus' clients write "since ever" and "for ever".
_ENDS_OF_TIME = {"-292273086-05-16T16:47:06Z": MIN_MS, "292277025-08-18T07:12:54.999999999Z": MAX_MS}


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters of a request: of the address and, of a form that is posted, of the body, which come first.

    An empty one counts as not given. Those that a route does not know are left alone, as Prometheus does.
    """

    pairs: tuple[tuple[str, str], ...]
    now_ms: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], now_ns: int) -> Form:
        """Keep what is given."""
        return cls(tuple((name, text) for name, text in pairs if text), now_ns // NS_PER_MS)

    def text(self, name: str) -> str:
        """The first value of a parameter, "" for none."""
        return next((text for given, text in self.pairs if given == name), "")

    def texts(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        return [text for given, text in self.pairs if given == name]

    def time_ms(self, name: str, default: int | None = None) -> int:
        """A time; ``default`` where it is not given, an error without one."""
        text = self.text(name)
        if not text and default is not None:
            return default
        return _read(name, text, parse_time_ms)

    def duration_ms(self, name: str) -> int | None:
        """A duration, None if it is not given."""
        text = self.text(name)
        return _read(name, text, parse_duration_ms) if text else None

    def count(self, name: str) -> int:
        """A number of things, 0 (not given, or given so) for all of them."""
        text = self.text(name)
        if not text:
            return 0
        if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
            raise BadParameterError(name, f'"{text}" is not a whole number from 0 up')
        return int(text)

    def range_ms(self) -> tuple[int, int]:
        """``start`` and ``end`` of a question about what there is; all times unless said."""
        start, end = self.time_ms("start", MIN_MS), self.time_ms("end", MAX_MS)
        if end < start:
            raise BadParameterError("end", "end timestamp must not be before start time")
        return start, end

    def steps(self) -> Steps:
        """``start``, ``end`` and ``step`` of a range query."""
        start, end = self.time_ms("start"), self.time_ms("end")
        if end < start:
            raise BadParameterError("end", "end timestamp must not be before start time")
        step = _read("step", self.text("step"), parse_duration_ms)
        if step <= 0:
            raise BadParameterError(
                "step", "zero or negative query resolution step widths are not accepted. Try a positive integer"
            )
        if (end - start) // step > MAX_POINTS:
            raise ApiError("bad_request", _too_many_points(end - start, step))
        return Steps(start, step, (end - start) // step + 1, end)


def _read(name: str, text: str, parse: Callable[[str], int]) -> int:
    try:
        return parse(text)
    except ValueError as error:
        raise BadParameterError(name, str(error)) from None


def _too_many_points(length_ms: int, step_ms: int) -> str:
    """Prometheus' words, and the shortest step in whole seconds that does."""
    step_s = length_ms // ((MAX_POINTS + 1) * 1000) + 1
    asked, given = length_ms // step_ms + 1, length_ms // (step_s * 1000) + 1
    return (
        "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX): "
        f"{asked:,} points were asked for, and step={step_s} gives {given:,}"
    )


def parse_time_ms(text: str) -> int:
    """Read seconds since 1970, with a fraction or an exponent, or RFC 3339; ValueError otherwise."""
    if _NUMBER.fullmatch(text):
        time_ms = float(text) * 1000
        if abs(time_ms) <= _FURTHEST_MS:
            return round(time_ms)
    if text in _ENDS_OF_TIME:
        return _ENDS_OF_TIME[text]
    if _RFC3339.fullmatch(text):
        try:
            return parse_time(text, 0) // NS_PER_MS
        except ValueError:
            pass
    raise ValueError(f'cannot parse "{text}" to a valid timestamp')


def parse_duration_ms(text: str) -> int:
    """Read seconds, with a fraction, or units from large to small (``1h30m``); ValueError otherwise."""
    if _NUMBER.fullmatch(text):
        duration_ms = round(min(float(text) * 1000, 1e18))
    elif text and (match := _DURATION.fullmatch(text)):
        duration_ms = sum(int(count) * unit for count, unit in zip(match.groups("0"), _UNITS_MS, strict=True))
    else:
        raise ValueError(f'cannot parse "{text}" to a valid duration')
    if duration_ms > _MAX_DURATION_MS:
        raise ValueError(f'cannot parse "{text}" to a valid duration. It overflows int64')
    return duration_ms


def label_name(escaped: str) -> str:
    """Read a label's name from a path: names that are not plain may be written ``U__http_2e_route``."""
    if not escaped.startswith("U__"):
        return escaped
    return _ESCAPED.sub(_unescape, escaped.removeprefix("U__"))


_ESCAPED = re.compile(r"__|_([0-9a-fA-F]{1,6})_")


def _unescape(place: re.Match[str]) -> str:
    """``__`` is an underscore, ``_2e_`` the character with that number; one that is none stays as it is."""
    if place[1] is None:
        return "_"
    number = int(place[1], 16)
    is_character = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF  # noqa: PLR2004 - Unicode's limits
    return chr(number) if is_character else place[0]
