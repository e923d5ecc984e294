"""Numbers and times of reports as text, the same in all forms."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from spanglass_server.notifications.messages import words
from spanglass_server.times import NS_PER_SECOND, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.query.answers import TimeRange
    from spanglass_server.reports.model import Cell, Figure, Unit

NOTHING: Final = "\u2013"
#: A change of less is none: what is left after rounding.
_NO_CHANGE: Final = 0.0005
#: A change of less is nothing to be glad of or sorry for.
_UNFELT: Final = 0.05
#: A change above is said as a factor.
_FACTOR: Final = 10.0
_UNITS: Final = {"count": "", "per_s": "/s", "ratio": "ratio", "bytes": "bytes", "s": "s"}
_GROUPED_UP_TO: Final = 1_000_000


def cell(value: Cell, unit: Unit) -> str:
    """A value of a table."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return moment(value) if unit == "time" else shown(value)
    return number(value, unit)


def shown(text: str) -> str:
    """A text of strangers without control characters, and without signs that turn the direction of what follows."""
    return words.shown(text)


def number(value: float | None, unit: Unit) -> str:
    """A number in its unit: ``8.2 %``, ``1.94 s``, ``12,480``."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return words.value(value, "")
    if unit in {"change", "budget"}:
        return change(value) if unit == "change" else budget(value)
    if unit == "ns":
        return words.duration(round(value)) if value >= 0 else f"-{words.duration(round(-value))}"
    if unit == "count" and abs(value) < _GROUPED_UP_TO and float(value).is_integer():
        return f"{round(value):,}"
    return words.value(float(value), _UNITS.get(unit, ""))


def budget(left: float) -> str:
    """What is left of an error budget: ``82 %``, and where more than all was used ``used 1.3 times``."""
    return f"used {words.value(1 - left, '')} times" if left < 0 else f"{left * 100:.0f} %"


def change(share: float) -> str:
    """A change by its share: ``+12 %``, ``-40 %``, and from ten times on as a factor."""
    if abs(share) < _NO_CHANGE:
        return "±0 %"
    if share >= _FACTOR:
        return f"{words.digits(share + 1)}\u00d7"
    return f"{share * 100:+.1f} %" if abs(share) < 0.1 else f"{share * 100:+.0f} %"  # noqa: PLR2004 - two digits


def compared(figure: Figure) -> str:
    """What a figure was before, and by how much it changed; "" where that is not known."""
    value, before = figure["value"], figure["before"]
    if value is None or before is None:
        return ""
    was = f"before {number(before, figure['unit'])}"
    return f"{was}, {change(value / before - 1)}" if before else was


def is_worse(figure: Figure) -> bool | None:
    """Whether a figure changed for the worse; None for a change of 5 % or less, and where neither way is good."""
    value, before, better = figure["value"], figure["before"], figure["better"]
    if value is None or before is None or better == "neither" or abs(value - before) <= _UNFELT * abs(before):
        return None
    return (value > before) == (better == "less")


def moment(text: str) -> str:
    """A time to the minute: ``29 Nov 2026, 14:03``."""
    found = datetime.fromtimestamp(parse_time(text, 0) // NS_PER_SECOND, UTC)
    return f"{found.day} {found:%b %Y, %H:%M}"


def window(found: TimeRange) -> str:
    """A range in words, in UTC."""
    return f"{moment(found['start_time'])} to {moment(found['end_time'])} UTC"


def spread(values: Sequence[float | None], unit: Unit) -> str:
    """What values over time come to, for those who don't see them drawn."""
    known = [value for value in values if value is not None]
    if not known:
        return NOTHING
    least, most, last = (number(each, unit) for each in (min(known), max(known), known[-1]))
    return f"from {least} to {most}, last {last}"
