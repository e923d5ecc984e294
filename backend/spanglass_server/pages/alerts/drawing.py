"""Charts of what a rule looks at: values by key, its thresholds, and when it fired; drawn here and again by script."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from spanglass_server.pages.alerts import words
from spanglass_server.pages.rendering import charts
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spanglass_server.pages.visit import Visit

#: Points of a line as it is drawn without script, and lines that have a colour of their own.
POINTS, MOST_LINES = 120, 8
#: A threshold further above all values than so many times would flatten the lines: it is told, not drawn.
FAR = 2.5
#: Bands that are drawn: those of more fires would cover the lines.
MOST_BANDS = 60


class Band(NamedTuple):
    """A time that a key fired, or was pending: Unix nanoseconds, and what it says."""

    start_ns: int
    end_ns: int
    severity: str
    text: str


@dataclass(frozen=True)
class Course:
    """What is drawn: series of (``labels``, ``times_s``, ``values``, ``bounds``), thresholds, firing times."""

    label: str
    unit: str
    series: Sequence[Mapping[str, Any]]
    thresholds: Sequence[Mapping[str, Any]]
    bands: Sequence[Band]
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Drawing:
    """A chart without script, the same as data for ``drawn.js``, and what lies too far away to be in it."""

    chart: charts.Chart
    data: str
    limits: Sequence[Mapping[str, Any]]
    keys: int


def draw(course: Course, visit: Visit) -> Drawing | None:
    """Draw a course; nothing where no key has a value."""
    shown = [one for one in course.series if any(value is not None for value in one["values"])][:MOST_LINES]
    if not shown or course.end_ns <= course.start_ns:
        return None
    names = _names([one["labels"] for one in shown], course.label)
    limits = [{**one, "text": words.text(one["value"], course.unit), **_look(one)} for one in course.thresholds]
    return Drawing(_chart(course, shown, names, visit), _data(course, shown, names), limits, len(course.series))


def _look(threshold: Mapping[str, Any]) -> dict[str, str]:
    """Return the class and the word of a threshold; recovery is none of the severities."""
    if threshold["severity"] not in words.LEVELS:
        return {"css": "", "word": str(threshold["severity"])}
    level = words.level(threshold["severity"])
    return {"css": level.css, "word": level.word.lower()}


def _names(labels: Sequence[Mapping[str, str]], lone: str) -> list[str]:
    """Return a name for each key: the values of the labels in which they differ."""
    keys = list(dict.fromkeys(key for each in labels for key in each))
    telling = [key for key in keys if len({each.get(key) for each in labels}) > 1] or keys
    return [" ".join(filter(None, (each.get(key, "") for key in telling))) or lone for each in labels]


def _chart(course: Course, shown: Sequence[Mapping[str, Any]], names: Sequence[str], visit: Visit) -> charts.Chart:
    start_s, end_s = course.start_ns / SECOND_NS, course.end_ns / SECOND_NS
    step_s = (end_s - start_s) / POINTS
    times = [start_s + place * step_s for place in range(POINTS)]
    layers = [
        charts.Series(name, "" if len(shown) == 1 else f"s{place}", _at(one, times, step_s))
        for place, (name, one) in enumerate(zip(names, shown, strict=True))
    ]
    drawn = [value for layer in layers for value in layer.values if value is not None]
    top = max([*drawn, 0.0])
    near = [one for one in course.thresholds if one["value"] <= FAR * top or not top]
    round_up, high = words.ceiling(course.unit), max([top, *(one["value"] for one in near)])

    def ceiling(value: float) -> float:
        return round_up(max(value, high))

    chart = charts.lines(
        course.label,
        charts.Buckets(times, step_s),
        layers,
        visit.clock,
        lambda value: words.text(value, course.unit),
        ceiling,
    )
    low = -ceiling(-min(drawn)) if min(drawn) < 0 else 0.0
    lines = [_line(one, low, ceiling(top)) for one in near]
    bands = [_band(band, course) for band in course.bands[:MOST_BANDS]]
    return replace(chart, marks=[*bands, *chart.marks, *lines])


def _at(one: Mapping[str, Any], times: Sequence[float], step_s: float) -> list[float | None]:
    """Return the newest value of each step; the one before while there is none, for two steps of the series' own."""
    given = one["times_s"]
    gaps = [later - earlier for earlier, later in pairwise(given)]
    patience = max([step_s, 2 * (max(gaps) if gaps else step_s)])
    found: list[float | None] = []
    for time in times:
        place = bisect_right(given, time + step_s) - 1
        is_there = place >= 0 and time - given[place] <= patience
        found.append(one["values"][place] if is_there else None)
    return found


def _line(threshold: Mapping[str, Any], low: float, top: float) -> dict[str, Any]:
    y = round(100 - 97 * (threshold["value"] - low) / (top - low), 2)
    return {"css": f"c-lim {_look(threshold)['css']}".strip(), "d": f"M0,{y} L100,{y}"}


def _band(band: Band, course: Course) -> dict[str, Any]:
    length = course.end_ns - course.start_ns
    start = max(0.0, 100 * (band.start_ns - course.start_ns) / length)
    end = min(100.0, 100 * (band.end_ns - course.start_ns) / length)
    css = words.level(band.severity).css or "calm"
    return {"css": f"c-band {css}", "x": round(start, 2), "y": 0, "w": round(max(end - start, 0.3), 2), "h": 100}


def _data(course: Course, shown: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Return what ``static/js/drawn.js`` draws, as JSON: all series on one axis, with nothing between their points."""
    times = sorted({time for one in shown for time in one["times_s"]})
    place = {time: at for at, time in enumerate(times)}
    series = []
    for name, one in zip(names, shown, strict=True):
        values: list[float | None] = [None] * len(times)
        own = [False] * len(times)
        for time, value in zip(one["times_s"], one["values"], strict=True):
            values[place[time]] = value if value is not None and math.isfinite(value) else None
            own[place[time]] = True
        series.append({"name": name, "labels": dict(one["labels"]), "values": _joined(values, own)})
    look = {
        "kind": "line",
        "unit": course.unit,
        "label": course.label,
        "legend": "list" if len(shown) > 1 else "none",
        "thresholds": [
            {"value": one["value"], "level": _look(one)["css"] or "calm", "text": _look(one)["word"]}
            for one in course.thresholds
        ],
    }
    frame = {"times": times, "step": _step(times), "start": course.start_ns / SECOND_NS,
             "end": course.end_ns / SECOND_NS, "series": series}  # fmt: skip
    bands = [
        {"time": band.start_ns / SECOND_NS, "end": band.end_ns / SECOND_NS, "text": band.text,
         "level": words.level(band.severity).css}
        for band in course.bands[:MOST_BANDS]
    ]  # fmt: skip
    return json.dumps({"look": look, "frame": frame, "annotations": bands, "exemplars": []}, ensure_ascii=False)


def _joined(values: list[float | None], own: Sequence[bool]) -> list[float | None]:
    """Fill moments that only other series have between two points of this one with values on the line between them."""
    last: int | None = None
    for at, is_own in enumerate(own):
        if not is_own:
            continue
        before, after = values[last] if last is not None else None, values[at]
        if last is not None and before is not None and after is not None:
            for between in range(last + 1, at):
                values[between] = before + (after - before) * (between - last) / (at - last)
        last = at
    return values


def _step(times: Sequence[float]) -> float:
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    return gaps[len(gaps) // 2] if gaps else 60.0


def bands_of(keys: Iterable[Mapping[str, Any]], end_ns: int, since: Any) -> list[Band]:
    """Return the times that the keys of a backtest fired; ``since`` reads a time of the API."""
    found = []
    for key in keys:
        name = " ".join(key["labels"].values())
        for fired in key["fired"]:
            until = since(fired["resolved_time"]) or end_ns
            word = words.level(fired["severity"]).word.lower()
            found.append(Band(since(fired["fired_time"]), until, fired["severity"], f"{name} {word}".strip()))
    return sorted(found)
