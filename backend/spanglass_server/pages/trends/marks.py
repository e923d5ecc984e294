"""What is known of where a series is going, marked on the charts of other pages: a label, and a dashed line.

Trends are what the server keeps of them: nothing of the past is read for a mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.pages.rendering.charts import TREND, Series
from spanglass_server.pages.rendering.format import parse_time_ns
from spanglass_server.pages.trends import drawing
from spanglass_server.pages.trends.rows import signed, span_text
from spanglass_server.pages.window import SECOND_NS
from spanglass_server.trends.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.visit import Visit

_HOUR_S, _DAY_S = 3_600, 86_400
#: Lines on one chart, and labels beside it.
_MOST_LINES, _MOST_LABELS = 3, 3
_MOST: Final = 100
_NOTHING: Final[dict[str, Any]] = {"trends": [], "looked": [], "past_s": 0}
#: From this many per cent on they are written without a fraction.
_WHOLE: Final = 10
#: Labels that say whose page it is.
_WHOSE: Final = {"service": "service_name", "host": "host_name", "operation": "span_name"}

#: A line is of some values where most of them are no farther from it than this share of it.
_NEAR: Final = 0.2

#: Marks of each quantity, those of the most important series first.
Marks = dict[str, list["Mark"]]
_SURE: Final = "with a certainty of 90 %"


@dataclass(frozen=True)
class Mark:
    """A series that goes somewhere: ``text`` says where, ``whole`` of what and how sure; ``href`` is its list.

    ``one`` is the API's answer, known up to ``end_s`` (Unix seconds) and ``past_s`` back.
    """

    one: Mapping[str, Any]
    name: str
    text: str
    whole: str
    href: str
    end_s: float
    past_s: float

    def values(self, times_s: Sequence[float]) -> list[float | None]:
        """The slope or the levels at some times, in the series' unit; None before it is known."""
        slope = (self.one["slope"]["per_day"] or 0.0) / _DAY_S if self.one["direction"] != "steady" else 0.0
        shift, known_from = _latest(self.one), self.end_s - self.one["known_s"]
        if shift is None and not slope:
            return [None] * len(times_s)
        at = self.end_s if shift is None else _seconds(shift["time"])
        after = self._level(slope) if shift is None else shift["after"]
        before = after if shift is None else shift["before"]
        return [
            (after if time >= at else before) + slope * (time - at) if time >= known_from else None for time in times_s
        ]

    def series(self, times_s: Sequence[float], scale: float = 1.0) -> list[Series]:
        """The line as a layer of a chart whose values are ``scale`` times the series' own; none where there is none."""
        values = [None if value is None else scale * value for value in self.values(times_s)]
        name = f"trend of {self.name}" if self.name else "trend"
        return [Series(name, TREND, values)] if any(value is not None for value in values) else []

    def _level(self, slope: float) -> float:
        """Where the line is at the end of what is known: in the middle of the values."""
        past = self.one["past"]
        step_s = self.past_s / max(1, len(past))
        known = [(place, value) for place, value in enumerate(past) if value is not None]
        return float(median(value + slope * step_s * (len(past) - place - 0.5) for place, value in known))


async def read(visit: Visit, **whose: str) -> Marks:
    """Return the marks of a service, an operation of it, or a host; none where they can't be had."""
    asked = {key: value for key, value in whose.items() if value}
    if not asked:
        return {}
    answer = await visit.attempt(visit.api("trends", **asked, kind="all", limit=_MOST), _NOTHING)
    times = {each["quantity"]: _seconds(each["time"]) for each in answer["looked"]}
    found: Marks = {}
    for one in answer["trends"]:
        text = _text(one, visit)
        if text:
            labels = {key: value for key, value in one["labels"].items() if value}
            name = " ".join(value for key, value in labels.items() if key not in {_WHOSE.get(each) for each in asked})
            found.setdefault(one["quantity"], []).append(
                Mark(one, name, text, _whole(one, name, text), _href(one, visit), times[one["quantity"]],
                     answer["past_s"])
            )  # fmt: skip
    return found


async def of_metric(visit: Visit, name: str) -> Sequence[Mark]:
    """Return the marks of the quantities that are measured by a metric, of hosts and services of all names."""
    names = [each.name for each in QUANTITIES if f'"{name}"' in each.promql]
    all_found = await visit.together(*(read(visit, quantity=each) for each in names))
    return [mark for found in all_found for marked in found.values() for mark in marked]


def fitting(found: Sequence[Mark], times_s: Sequence[float], values: Sequence[float | None]) -> list[Series]:
    """The line of a lone mark where it runs along some values: a chart may be of another aggregate, or unit."""
    layers = found[0].series(times_s) if len(found) == 1 else []
    apart = [
        abs(value - line) <= _NEAR * abs(line)
        for layer in layers
        for value, line in zip(values, layer.values, strict=True)
        if value is not None and line is not None
    ]
    return layers if apart and sum(apart) * 2 > len(apart) else []


def of(found: Marks, quantity: str) -> Sequence[Mark]:
    """The marks of a chart of a quantity, as many as fit beside it."""
    return found.get(quantity, [])[:_MOST_LABELS]


def lines(found: Sequence[Mark], times_s: Sequence[float], scale: float = 1.0) -> list[Series]:
    """Their lines as layers of a chart whose values are ``scale`` times those of the series."""
    return [layer for mark in found[:_MOST_LINES] for layer in mark.series(times_s, scale)]


def framed(layers: Sequence[Series]) -> list[dict[str, Any]]:
    """The same as series of a chart that script draws."""
    return [{"name": each.name, "labels": {}, "values": each.values, "css": "ink-2", "guide": True} for each in layers]


def labelled(label: str, found: Sequence[Mark]) -> str:
    """The text that stands for a chart, with what is marked on it."""
    return "; ".join([label, *(f"{mark.name} {mark.text}".strip() for mark in found)])


def _href(one: Mapping[str, Any], visit: Visit) -> str:
    operation = one["labels"].get("span_name")
    asked = {"quantity": one["quantity"], "service": one["service"], "host": one["host"], "text": operation}
    return visit.link("/trends", {"kind": "all", **asked})


def _whole(one: Mapping[str, Any], name: str, text: str) -> str:
    slope, unit = one["slope"], one["unit"]
    told = " ".join(filter(None, (one["title"], name, text)))
    if one["direction"] == "steady":
        return told
    between = f"{signed(slope['low_per_day'], unit)} to {signed(slope['high_per_day'], unit)}"
    return f"{told}: {signed(slope['per_day'], unit)} a day, {between} {_SURE}"


def _text(one: Mapping[str, Any], visit: Visit) -> str:
    """What is worth marking: the slope, the latest jump, the season; nothing of what is steady."""
    told = [_slope(one)] if one["direction"] != "steady" else []
    shift = _latest(one)
    if shift is not None:
        before, after = (drawing.text_of(shift[name], one["unit"]) for name in ("before", "after"))
        told.append(f"jumped from {before} to {after}, {visit.clock.minute(parse_time_ns(shift['time']))}")
    if one["season"]:
        told.append(f"repeats every {span_text(one['season']['period_s'])}")
    return ", ".join(told)


def _slope(one: Mapping[str, Any]) -> str:
    """Say how much of its level a series gains or loses, of a share how many points; in an hour where less is known."""
    is_share = one["unit"] == "ratio"
    size = 1.0 if is_share else max(abs(one["level"]), abs(one["now"])) or 1.0
    is_long = one["known_s"] >= _DAY_S
    share = abs(one["slope"]["per_day"] or 0.0) * (1 if is_long else _HOUR_S / _DAY_S) / size
    number = f"{100 * share:.0f}" if 100 * share >= _WHOLE else f"{100 * share:.2g}"
    unit = "%" if not is_share else "point" if number == "1" else "points"
    return f"{'rises' if one['direction'] == 'rising' else 'falls'} {number} {unit}/{'day' if is_long else 'h'}"


def _latest(one: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return max(one["shifts"], key=lambda shift: str(shift["time"]), default=None)


def _seconds(time: str) -> float:
    return parse_time_ns(time) / SECOND_NS
