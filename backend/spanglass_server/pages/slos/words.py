"""How pages show objectives: words, icons and colours of statuses, percentages that are never rounded up to all."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from spanglass_server.pages.rendering.format import NONE, THIN, compact, digits

if TYPE_CHECKING:
    from collections.abc import Mapping


class Look(NamedTuple):
    """How a status looks: the class of its badge, its icon, its word; never by colour alone."""

    css: str
    icon: str
    word: str


STATUSES: Final[Mapping[str, Look]] = {
    "exhausted": Look("err", "errors", "Used up"),
    "burning": Look("warn", "warn", "Burning"),
    "no_data": Look("", "clock", "No events"),
    "ok": Look("ok", "check", "Well"),
    "off": Look("", "pause", "Off"),
}
WINDOWS: Final[Mapping[str, str]] = {
    "7d": "7 days",
    "28d": "28 days",
    "30d": "30 days",
    "week": "this week",
    "month": "this month",
}
_PERCENT: Final = 100
#: Past so many budgets there is no room for a percentage beside an axis.
_BUDGETS: Final = 10
_WHOLE: Final = 1000  # what is below is written out


def percent(share: float | None, target: float | None = None) -> str:
    """Return a share of good events, with one decimal more than its target has: ``99.94 %``; rounded down."""
    if share is None:
        return NONE
    places = 2 if target is None else max(0, -_exponent(target)) + 1
    value = (Decimal(repr(round(share, 12))) * _PERCENT).quantize(Decimal(1).scaleb(-places), ROUND_FLOOR)
    return f"{value.normalize():f}{THIN}%"


def _exponent(target: float) -> int:
    exponent = (Decimal(repr(round(target, 12))) * _PERCENT).normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def left(share: float | None) -> str:
    """Return what is left of a budget: ``82 %``, and where more than all was used ``used 1.3 times``."""
    if share is not None and share < 0:
        return f"used {times(1 - share)}"
    return part(share)


def part(share: float | None) -> str:
    """Return a part of a budget: ``82 %``, and more than all of it: ``1.3 times``."""
    if share is None:
        return NONE
    return times(share) if share > 1 else _percentage(share)


def _percentage(share: float) -> str:
    sign = "\u2212" if share < 0 and round(abs(share) * _PERCENT) else ""
    return f"{sign}{abs(share) * _PERCENT:.0f}{THIN}%"


def mark(share: float | None) -> str:
    """Return what is left of a budget beside an axis, where there is no room for words."""
    if share is None:
        return NONE
    return _percentage(share) if 1 - share <= _BUDGETS else f"\u2212{digits(-share)}{THIN}\u00d7"


def times(value: float) -> str:
    """Return how many budgets were used: ``149 times``."""
    return f"{compact(value)} times"


def rate(value: float | None) -> str:
    """Return a burn rate: ``3.2`` and a times sign."""
    return NONE if value is None else f"{digits(value)}{THIN}\u00d7"


def count(value: float) -> str:
    """Return a number of events, or of minutes, of which there may be parts."""
    return digits(value) if value < _WHOLE else compact(value)
