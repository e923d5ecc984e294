"""The one place where times, durations and numbers become text; ``static/js/time.js`` says the same in the browser.

Thousands are parted by a narrow no-break space, units stand after one and are dimmed in HTML (class ``u``).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from markupsafe import Markup

from spanglass_core.units import in_binary_unit, nearly_all

THIN = "\u202f"
NONE = "\u2013"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: From which size in nanoseconds a duration is shown in which unit, and how many nanoseconds that unit has.
DURATION_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (0, "ns"))
COUNT_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def digits(value: float) -> str:
    """Three significant digits at most, without trailing zeros: 1.94, 12.5, 324."""
    places = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - orders of magnitude
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration_parts(duration_ns: float) -> tuple[str, str]:
    """Return number and unit: ``("1.94", "s")``; from a minute on ``("2 min 5", "s")``, ``("2", "min")``."""
    seconds = int(duration_ns / 1e9)
    if seconds >= 3600:  # noqa: PLR2004 - an hour
        return _two(grouped(seconds // 3600), "h", seconds % 3600 // 60, "min")
    if seconds >= 60:  # noqa: PLR2004 - a minute
        return _two(str(seconds // 60), "min", seconds % 60, "s")
    for size, unit in DURATION_UNITS:
        if duration_ns >= size * 0.9995 or unit == "ns":
            return digits(duration_ns / (size or 1)), unit
    raise AssertionError


def _two(count: str, unit: str, rest: int, smaller: str) -> tuple[str, str]:
    """Return ``("2 min 5", "s")``, and ``("2", "min")`` without a rest."""
    return (f"{count}{THIN}{unit} {rest}", smaller) if rest else (count, unit)


def duration_text(duration_ns: float | None) -> str:
    """``1.94 s``, or a dash for nothing."""
    return NONE if duration_ns is None else THIN.join(duration_parts(duration_ns))


def grouped(number: int) -> str:
    """``10 412 003`` with narrow spaces."""
    return f"{number:,}".replace(",", THIN)


def money(amount: float) -> str:
    """``12.34``; what is less than a tenth has two digits that count, never an exponent: ``0.0061``."""
    if amount >= 0.1 or amount <= 0:  # noqa: PLR2004 - two decimals say enough from here on
        return f"{amount:.2f}"
    decimals = min(12, 1 - math.floor(math.log10(amount)))
    return f"{amount:.{decimals}f}"


def compact(number: float) -> str:
    """Return a number for an axis: ``3 k``, ``1.2 M``."""
    for size, unit in COUNT_UNITS:
        if number >= size:
            return f"{digits(number / size)}{THIN}{unit}"
    return digits(number)


def percent_parts(ratio: float | None) -> tuple[str, str]:
    """``0.082`` as ``("8.2", "%")``; what is there but rounds to nothing is ``<0.1``."""
    if ratio is None:
        return NONE, ""
    percent = ratio * 100
    if 0 < percent < 0.1:  # noqa: PLR2004 - below what one decimal shows
        return "<0.1", "%"
    return nearly_all(percent) or (f"{percent:.0f}" if percent in (0, 100) else f"{percent:.1f}"), "%"


def rate_parts(rate_per_s: float) -> tuple[str, str]:
    """``11.8 /s``; below one in ten seconds the minute is the better unit."""
    if 0 < rate_per_s < 0.1:  # noqa: PLR2004 - one in ten seconds
        return digits(rate_per_s * 60), "/min"
    return (grouped(round(rate_per_s)) if rate_per_s >= 1000 else digits(rate_per_s)), "/s"  # noqa: PLR2004


def with_unit(parts: tuple[str, str]) -> Markup:
    """Return number and dimmed unit as HTML."""
    number, unit = parts
    return Markup('{}<span class="u">{}</span>').format(number, unit) if unit else Markup("{}").format(number)


def duration_html(duration_ns: float | None) -> Markup:
    """Return a duration with its unit dimmed, or a dash."""
    return Markup("\u2013") if duration_ns is None else with_unit(duration_parts(duration_ns))


def size_parts(size_bytes: float | None) -> tuple[str, str]:
    """Return a size as number and unit, in powers of 1024 as the settings write them: ``("1.5", "MiB")``."""
    if size_bytes is None:
        return NONE, ""
    value, unit = in_binary_unit(float(size_bytes))
    return digits(value), unit


def size_html(size_bytes: float | None) -> Markup:
    """Return a size with its unit dimmed, or a dash."""
    return with_unit(size_parts(size_bytes))


def span_html(duration_ns: int) -> Markup:
    """Return a long time as a setting writes it, in days when it is whole days: ``30 days``."""
    days, rest = divmod(duration_ns, 86_400_000_000_000)
    return duration_html(duration_ns) if rest else with_unit((f"{days}{THIN}", "day" if days == 1 else "days"))


def ago_text(age_ns: int) -> str:
    """Return how long ago something was, in its largest whole unit: ``38 s ago``, ``12 d ago``; ``now`` below one."""
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if age_ns >= unit_s * 1_000_000_000:
            return f"{grouped(age_ns // (unit_s * 1_000_000_000))}{THIN}{unit} ago"
    return "now"


def parse_time_ns(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 string with up to nine decimals, as the API writes them."""
    base, _, rest = text.rstrip("Zz").partition(".")
    moment = datetime.fromisoformat(base).replace(tzinfo=UTC)
    return int((moment - EPOCH).total_seconds()) * 1_000_000_000 + int(rest[:9].ljust(9, "0") or 0)


def to_datetime(time_ns: int, zone: tzinfo) -> datetime:
    """Return the moment in a zone, to the microsecond."""
    return (EPOCH + timedelta(microseconds=time_ns // 1000)).astimezone(zone)


def rfc3339(time_ns: int) -> str:
    """UTC, with nanoseconds only where there are some: what stands in links."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    text = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


class Clock:
    """Times as the reader's wall clock shows them.

    ``zone`` is the reader's zone; ``now_ns`` decides whether a date must be said.
    """

    def __init__(self, zone: tzinfo, now_ns: int) -> None:
        self.zone = zone
        self.now_ns = now_ns
        self.today = to_datetime(now_ns, zone).date()

    def time(self, time_ns: int) -> str:
        """``14:13:58.114``, with the date in front when it was not today."""
        moment = to_datetime(time_ns, self.zone)
        text = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
        return text if moment.date() == self.today else f"{moment.day} {moment:%b} {text}"

    def second(self, time_ns: int) -> str:
        """``14:13:58``, with the date in front when it was not today."""
        return self.time(time_ns)[:-4]

    def minute(self, time_ns: int) -> str:
        """``14:13``, with the date in front when it was not today."""
        moment = to_datetime(time_ns, self.zone)
        return f"{moment:%H:%M}" if moment.date() == self.today else f"{moment.day} {moment:%b %H:%M}"

    def input(self, time_ns: int) -> str:
        """``2026-11-21 14:13:58``, as a reader may write it into a field."""
        return f"{to_datetime(time_ns, self.zone):%Y-%m-%d %H:%M:%S}"

    def full(self, time_ns: int) -> str:
        """``Sat 21 Nov 2026 14:13:58.114``."""
        moment = to_datetime(time_ns, self.zone)
        return f"{moment:%a} {moment.day} {moment:%b %Y %H:%M:%S}.{moment.microsecond // 1000:03d}"


def plain(value: Any) -> str:
    """Return an attribute's JSON value as text: strings as they are, the API's wrappers by their content."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        for wrapper in ("$bytes", "$double"):
            if set(value) == {wrapper}:
                return str(value[wrapper])
        return "{" + ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(plain(item) for item in value) + "]"
    return str(value)
