"""Charts as SVG geometry in a box of 100 by 100: templates draw them, script only adds hover and brush."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering.format import Clock, compact, duration_text, grouped, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

#: The class of lines that say where others are going.
TREND = "trend"
SECOND_NS = 1_000_000_000
MINUTE_S, DAY_S = 60, 86400
#: Steps of a time axis, in seconds; the first that gives at most seven labels is taken.
TICK_STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 31536000)
MOST_TICKS = 7
#: Pixels of a character of a label, and of the narrowest axis on a desk: alone, and as one of three in a row.
CHARACTER, WIDTH, THIRD = 6.2, 600, 320
#: Pixels of an axis on a phone.
PHONE = 300
#: A zero behind the point, which says nothing on an axis.
IDLE_ZERO = re.compile(r"(?<=\d)\.0(?!\d)")


@dataclass(frozen=True)
class Series:
    """One line or one layer of bars: its name, CSS class and a value (or nothing) a bucket."""

    name: str
    css: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Buckets:
    """The time axis of a series: where each bucket begins (Unix seconds), and how long one is.

    ``start_s`` and ``end_s`` are where the counted range begins and ends. A bucket that reaches over one of them is
    counted in part, and what it shows is no fall.
    """

    times_s: Sequence[float]
    step_s: float
    start_s: float = -math.inf
    end_s: float = math.inf

    def is_part(self, place: int) -> bool:
        """Whether a bucket is not counted whole."""
        at = self.times_s[place]
        return at < self.start_s or at + self.step_s > self.end_s

    def whole(self, values: Sequence[float | None]) -> list[float | None]:
        """Return the values without those of buckets counted in part; all of them where no others are left."""
        kept = [None if self.is_part(place) else value for place, value in enumerate(values)]
        return kept if any(value is not None for value in kept) else list(values)


@dataclass(frozen=True)
class Chart:
    """All a template needs: marks, labels, and the figures for the hover (``data``, JSON)."""

    kind: str
    label: str
    marks: Sequence[dict[str, Any]]
    y_labels: Sequence[str]
    x_labels: Sequence[dict[str, Any]]
    start_ns: int
    end_ns: int
    data: str


def nice_ceiling(value: float) -> float:
    """Return the next 1, 2, 4, 5, 6, 8 times a power of ten: halves of it are round, too."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 4, 5, 6, 8, 10) if value <= step * power * 1.0001), 10 * power)


def bars(label: str, buckets: Buckets, layers: Sequence[Series], clock: Clock) -> Chart:
    """Return counts over time: layers stacked from the floor, in order."""
    count = len(buckets.times_s)
    totals = [sum(layer.values[i] or 0 for layer in layers) for i in range(count)]
    top = max(4.0, nice_ceiling(max(totals, default=0)))
    width = 100 / max(1, count)
    marks = []
    for i in range(count):
        floor = 100.0
        for layer in layers:
            height = 100 * (layer.values[i] or 0) / top
            if height > 0:
                height = max(height, 1.2)  # one record among thousands is still seen
                floor -= height
                css = f"c-b {layer.css}{' part' if buckets.is_part(i) else ''}"
                marks.append({"css": css, "x": round(i * width + width * 0.09, 2), "y": round(floor, 2),
                              "w": round(width * 0.82, 2), "h": round(height, 2)})  # fmt: skip
    frame = {"kind": "bars", "label": label, "marks": marks, "y_labels": [compact(top), compact(top / 2), "0"]}
    return _chart(frame, buckets, layers, clock, count_text)


def lines(
    label: str,
    buckets: Buckets,
    layers: Sequence[Series],
    clock: Clock,
    text: Callable[[float | None], str] = duration_text,
    ceiling: Callable[[float], float] = nice_ceiling,
) -> Chart:
    """Lines over time, from zero; a bucket without a value is a gap. ``text`` writes values on the axis and hovered.

    Where values are negative the axis reaches as far below; ``ceiling`` rounds the axis' ends. Layers of the class
    ``p`` are those of an earlier period, drawn grey and below the others; those of the class ``trend`` are dashed, and
    left out where they are beyond the axis that the others have.
    """
    guides = [layer for layer in layers if layer.css == TREND]
    drawn = {layer.name: buckets.whole(layer.values) for layer in layers if layer.css != TREND}
    peaks = {name: max((value for value in values if value is not None), default=0) for name, values in drawn.items()}
    floors = [value for values in drawn.values() for value in values if value is not None and value < 0]
    low = -ceiling(-min(floors)) if floors else 0.0
    top = ceiling(max(peaks.values(), default=0)) if max(peaks.values(), default=0) > 0 or not floors else 0.0
    # red says that something failed: a line along the floor is grey
    css = {layer.name: "calm" if layer.css == "err" and not peaks[layer.name] else layer.css for layer in layers}
    marks = [
        {"css": "c-p" if layer.css == "p" else f"c-l {css[layer.name]}", "d": path(drawn[layer.name], top, low)}
        for layer in sorted(layers, key=lambda layer: layer.css != "p")
        if layer.css != TREND
    ]
    guided = [path(_within(layer.values, low, top), top, low) for layer in guides]
    marks += [{"css": f"c-l {TREND}", "d": d} for d in guided if d]
    # 50 % below 100 %, not 50.0 %
    y_labels = [IDLE_ZERO.sub("", text(value)) for value in (top, (top + low) / 2)] + [text(low) if low else "0"]
    return _chart({"kind": "lines", "label": label, "marks": marks, "y_labels": y_labels}, buckets, layers, clock, text)


def _within(values: Sequence[float | None], low: float, top: float) -> list[float | None]:
    """The values that lie on the axis."""
    return [value if value is not None and low <= value <= top else None for value in values]


def path(values: Sequence[float | None], top: float, low: float = 0.0) -> str:
    """Return the path of a line, each value in the middle of its bucket; a lone value between gaps is a short dash."""
    width = 100 / max(1, len(values))
    runs: list[list[tuple[float, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(((i + 0.5) * width, 100 - 97 * (value - low) / (top - low)))
    parts = []
    for run in filter(None, runs):
        spread = [(run[0][0] - width / 3, run[0][1]), (run[0][0] + width / 3, run[0][1])] if len(run) == 1 else run
        parts.append("M" + " ".join(f"{x:.2f},{y:.2f}" for x, y in spread))
    return "".join(parts)


def spark(values: Sequence[float | None], *, bad: bool = False) -> dict[str, str]:
    """Return a sparkline from zero: its path and class; ``zero`` where nothing happened."""
    known = [value for value in values if value is not None]
    top, low = max(0, *known, 0), min(0, *known, 0)
    css = "zero" if top == low else "err" if bad else ""
    return {"d": path(values, top if top > low else 1, low), "css": css}


def first_filled(points: Iterable[Mapping[str, Any]]) -> float:
    """Return when the first bucket with requests begins: before it nothing was received, which is no zero."""
    return min((point["t"] for point in points if point["requests"]), default=0)


def count_text(value: float | None) -> str:
    """Return a count at the hover."""
    return "0" if not value else grouped(round(value))


def ticks(start_ns: int, end_ns: int, clock: Clock, width: int = WIDTH) -> list[dict[str, Any]]:
    """Labels of a time axis at round wall-clock times, and at both ends; every second one may go on a phone.

    None comes so near to an end that their labels would touch on an axis of ``width`` pixels.
    """
    length_s = (end_ns - start_ns) / SECOND_NS
    if length_s <= 0:
        return []
    step_s = next((step for step in TICK_STEPS_S if length_s / step <= MOST_TICKS), TICK_STEPS_S[-1])
    style = "%H:%M:%S" if step_s < MINUTE_S else "%H:%M" if step_s < DAY_S else "%-d %b"
    first, last = _tick(start_ns, style, clock), _tick(end_ns, style, clock)
    found: list[dict[str, Any]] = [{"x": 0, "text": first, "hide": False}]
    for at_ns in _round_times(start_ns, end_ns, step_s, clock.zone):
        x, text = 100 * (at_ns - start_ns) / (end_ns - start_ns), _tick(at_ns, style, clock)
        if _room(first, text, width) < x < 100 - _room(last, text, width):
            is_off_phones = len(found) % 2 == 1 or x > 100 - _room(last, text, PHONE)
            found.append({"x": round(x, 2), "text": text, "hide": is_off_phones})
    return [*found, {"x": 100, "text": last, "hide": False}]


def _room(end: str, text: str, width: int) -> float:
    """Return the per cent of an axis that the label of an end and half of another need, with a gap between them."""
    return 100 * (CHARACTER * (len(end) + len(text) / 2) + CHARACTER) / width


def _round_times(start_ns: int, end_ns: int, step_s: int, zone: tzinfo) -> Iterator[int]:
    """Times at which a wall clock shows a multiple of a step; each has the offset that holds there.

    An hour that the clock skips has none, and the hour that it shows twice has both where the step falls into it.
    """
    wall_s = math.floor((start_ns / SECOND_NS + _offset_s(start_ns, zone)) / step_s) * step_s
    stop_s = end_ns / SECOND_NS + DAY_S
    seen = start_ns
    while wall_s < stop_s:
        wall = datetime(1970, 1, 1) + timedelta(seconds=wall_s)  # noqa: DTZ001 - what the wall clock shows
        for fold in (0, 1):
            at_ns = int(wall.replace(tzinfo=zone, fold=fold).timestamp()) * SECOND_NS
            is_shown = to_datetime(at_ns, zone).replace(tzinfo=None) == wall
            if is_shown and seen < at_ns < end_ns:
                seen = at_ns
                yield at_ns
        wall_s += step_s


def _offset_s(at_ns: int, zone: tzinfo) -> float:
    return (to_datetime(at_ns, zone).utcoffset() or timedelta()).total_seconds()


def _tick(time_ns: int, style: str, clock: Clock) -> str:
    return to_datetime(time_ns, clock.zone).strftime(style)


def _chart(
    frame: dict[str, Any],
    buckets: Buckets,
    layers: Sequence[Series],
    clock: Clock,
    text: Callable[[float | None], str],
) -> Chart:
    times_ns = [int(time_s * SECOND_NS) for time_s in buckets.times_s]
    start_ns = times_ns[0] if times_ns else 0
    end_ns = times_ns[-1] + int(buckets.step_s * SECOND_NS) if times_ns else 0
    names = [clock.minute(at) if buckets.step_s >= MINUTE_S else clock.second(at) for at in times_ns]
    rows = [[name, *(text(layer.values[i]) for layer in layers)] for i, name in enumerate(names)]
    data = json.dumps({"names": [layer.name for layer in layers], "rows": rows}, ensure_ascii=False)
    x_labels = ticks(start_ns, end_ns, clock, THIRD if frame["kind"] == "lines" else WIDTH)
    return Chart(**frame, x_labels=x_labels, start_ns=start_ns, end_ns=end_ns, data=data)
