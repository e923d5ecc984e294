"""Series as rows of the lists show them: values as text, times, links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.rendering.format import NONE, THIN, parse_time_ns
from spanglass_server.pages.rendering.units import MINUS
from spanglass_server.pages.trends import drawing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.visit import Visit

_DAY_S: Final = 86_400
_DAYS: Final = 2


@dataclass(frozen=True)
class Row:
    """A series beside others; ``one`` is the API's answer. ``jump`` is the latest level shift."""

    one: Mapping[str, Any]
    name: str
    href: str
    chart: Mapping[str, str]
    now: str
    bound: str
    per_day: str
    per_day_between: str
    expected: str
    between: str
    season: str
    jump: str
    jump_ns: int
    met: Mapping[str, int | None]
    away: str


def row(one: Mapping[str, Any], answer: Mapping[str, Any], visit: Visit) -> Row:
    """Return a series with what its row shows."""
    unit, slope, ahead = one["unit"], one["slope"], one["forecast"]
    jump = max(one["shifts"], key=lambda shift: str(shift["time"]), default=None)
    met = {name: parse_time_ns(time) if time else None for name, time in (one["met"] or {}).items()}
    # with a bound as far as its date may be
    far_s = answer["ahead_s"] if one["bound"] is None else answer["bounds_s"]
    asked = {"query": one["query"], "ahead": span_text(far_s), "bound": _plain(one["bound"])}
    return Row(
        one=one,
        name=" ".join(one["labels"].values()) or one["title"],
        href=visit.link("/forecast", asked),
        chart=drawing.small(one, answer["past_s"], answer["ahead_s"]),
        now=drawing.text_of(one["now"], unit),
        bound=drawing.text_of(one["bound"], unit) if one["bound_of"] else "",
        per_day=signed(slope["per_day"], unit),
        per_day_between=f"{signed(slope['low_per_day'], unit)} to {signed(slope['high_per_day'], unit)}",
        expected=drawing.text_of(ahead["expected"], unit) if ahead else NONE,
        between=f"{drawing.text_of(ahead['low'], unit)} to {drawing.text_of(ahead['high'], unit)}" if ahead else "",
        season=span_text(one["season"]["period_s"]) if one["season"] else "",
        jump=f"{drawing.text_of(jump['before'], unit)} to {drawing.text_of(jump['after'], unit)}" if jump else "",
        jump_ns=parse_time_ns(jump["time"]) if jump else 0,
        met=met,
        away=_away(met.get("expected_time"), visit.clock.now_ns),
    )


def signed(value: float | None, unit: str) -> str:
    """Write a change: with its sign, nothing where it is not known."""
    if value is None:
        return NONE
    text = f"{100 * value:.2g}{THIN}%" if unit == "ratio" else drawing.text_of(value, unit)
    return ("+" if value > 0 else "") + text.replace("-", MINUS)


def span_text(seconds: float) -> str:
    """Write a long time in its largest whole unit: ``7d``, ``6h``, ``90m``."""
    for size, name in ((_DAY_S, "d"), (3600, "h")):
        if seconds % size == 0:
            return f"{int(seconds // size)}{name}"
    return f"{int(seconds // 60)}m"


def _plain(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _away(time_ns: int | None, now_ns: int) -> str:
    """Write how far a time is away, in days or hours."""
    if time_ns is None:
        return ""
    hours = max(0, time_ns - now_ns) / 3.6e12
    if hours >= 24 * _DAYS:
        return f"in {hours / 24:.0f} days"
    return f"in {hours:.0f} hours" if hours >= 1 else "now"
