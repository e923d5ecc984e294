"""Values of the past and what is expected of them, as small charts of rows and as one large chart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.rendering import charts, units
from spanglass_server.pages.rendering.charts import SECOND_NS
from spanglass_server.pages.rendering.format import parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.rendering.format import Clock

#: Base units of measures as pages write them.
_UNITS: Final = {"ratio": "%", "bytes": "By", "bytes/s": "By/s"}
#: Points of the large chart, at most.
_MOST: Final = 280
#: A small chart's line stays away from its edges, where its stroke would be cut.
_EDGE: Final = 4.0


def unit_of(unit: str) -> str:
    """Return the unit that pages write for a base unit."""
    return _UNITS.get(unit, unit)


def text_of(value: float | None, unit: str) -> str:
    """Write a value in a base unit."""
    return units.value_text(value, unit_of(unit))


def small(one: Mapping[str, Any], past_s: float, ahead_s: float) -> dict[str, str]:
    """Return paths in a box of 100 by 100: ``past``, ``expected`` and the ``band`` around it."""
    known = [value for name in ("past", "expected", "low", "high") for value in one[name] if value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    height = high - low or abs(high) or 1.0

    def placed(values: Sequence[float | None], start: float, end: float) -> list[tuple[float, float]]:
        step = (end - start) / max(1, len(values) - 1)
        size = 100 - 2 * _EDGE
        return [
            (start + place * step, 100 - _EDGE - size * (value - low) / height)
            for place, value in enumerate(values)
            if value is not None
        ]

    now = 100 * past_s / (past_s + ahead_s)
    top, bottom = placed(one["high"], now, 100), placed(one["low"], now, 100)
    return {
        "past": _line(placed(one["past"], 0, now)),
        "expected": _line(placed(one["expected"], now, 100)),
        "band": _line([*top, *reversed(bottom)]) + "Z" if top and bottom else "",
    }


def large(
    series: Mapping[str, Any], times: tuple[Sequence[str], Sequence[str]], unit: str, clock: Clock, bound: float | None
) -> charts.Chart:
    """Return one chart of the past and what is ahead: band, bound, level shifts, and where the future begins."""
    past, ahead = times
    count = len(past) + len(ahead)
    size = max(1, -(-count // _MOST))
    nothing_ahead: list[float | None] = [None] * len(ahead)
    given = {name: series[name] or nothing_ahead for name in ("expected", "low", "high")}
    known = _thinned([*series["values"], *nothing_ahead], size)
    expected, low, high = (_thinned([None] * len(past) + list(given[name]), size) for name in given)
    seconds = [parse_time_ns(text) / SECOND_NS for text in (*past, *ahead)][::size]
    step_s = seconds[1] - seconds[0] if len(seconds) > 1 else 1.0
    layers = [
        charts.Series("value", "", known),
        charts.Series("expected", "p50", expected),
        charts.Series("at least", "p", low),
        charts.Series("at most", "p", high),
    ]
    bounds = [charts.Series("bound", "p", [bound] * len(seconds))] if bound is not None else []
    shown = unit_of(unit)
    chart = charts.lines(
        "Values and what is expected", charts.Buckets(seconds, step_s), [*layers, *bounds], clock,
        lambda value: units.value_text(value, shown), units.ceiling_of(shown),
    )  # fmt: skip
    begin, end = seconds[0], seconds[-1] + step_s
    marked = [parse_time_ns(shift["time"]) / SECOND_NS for shift in series["shifts"]]
    lines = [{"css": "c-m", "x1": round(100 * (at - begin) / (end - begin), 2)} for at in marked]
    now = {"css": "c-lim", "x1": round(100 * len(past) / count, 2)}
    return replace(chart, marks=[*lines, now, *chart.marks])


def _thinned(values: Sequence[float | None], size: int) -> list[float | None]:
    """Means of so many neighbours each."""
    found: list[float | None] = []
    for start in range(0, len(values), size):
        part = [value for value in values[start : start + size] if value is not None]
        found.append(sum(part) / len(part) if part else None)
    return found


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " ".join(f"{x:.2f},{y:.2f}" for x, y in points) if points else ""
