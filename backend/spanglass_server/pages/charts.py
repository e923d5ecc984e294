"""Charts as SVG geometry in a box of 100 by 100: templates draw them, script only adds hover and brush."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.format import EPOCH, Clock, compact, duration_text, grouped, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECOND_NS = 1_000_000_000
#: Steps of a time axis, in seconds; the first that gives at most seven labels is taken.
TICK_STEPS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2592000, 31536000)
MOST_TICKS = 7
EDGE = 6.0  # no label nearer to an end than this per cent, where the end's own label stands


@dataclass(frozen=True)
class Series:
    """One line or one layer of bars: its name, CSS class and a value (or nothing) a bucket."""

    name: str
    css: str
    values: Sequence[float | None]


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
    empty: bool


def nice_ceiling(value: float) -> float:
    """The next 1, 2, 4, 5, 6, 8 times a power of ten: halves of it are round, too."""
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 4, 5, 6, 8, 10) if value <= step * power * 1.0001), 10 * power)


def bars(label: str, times_s: Sequence[float], step_s: float, layers: Sequence[Series], clock: Clock) -> Chart:
    """Counts over time: layers stacked from the floor, in order."""
    totals = [sum(layer.values[i] or 0 for layer in layers) for i in range(len(times_s))]
    top = max(4.0, nice_ceiling(max(totals, default=0)))
    width = 100 / max(1, len(times_s))
    marks = []
    for i in range(len(times_s)):
        floor = 100.0
        for layer in layers:
            height = 100 * (layer.values[i] or 0) / top
            if height > 0:
                height = max(height, 1.2)  # one record among thousands is still seen
                floor -= height
                marks.append({"css": f"c-b {layer.css}", "x": round(i * width + width * 0.09, 2), "y": round(floor, 2),
                              "w": round(width * 0.82, 2), "h": round(height, 2)})  # fmt: skip
    return _chart("bars", label, marks, [compact(top), compact(top / 2), "0"], times_s, step_s, layers, clock, grouped_or_dash)


def lines(
    label: str, times_s: Sequence[float], step_s: float, layers: Sequence[Series], clock: Clock,
    text: Callable[[float | None], str] = duration_text,
) -> Chart:  # fmt: skip
    """Lines over time, from zero; a bucket without a value is a gap. ``text`` writes values on the axis and at the hover."""
    peak = max((value for layer in layers for value in layer.values if value is not None), default=0)
    top = nice_ceiling(peak)
    marks = [{"css": f"c-l {layer.css}", "d": path(layer.values, top)} for layer in layers]
    return _chart("lines", label, marks, [text(top), text(top / 2), "0"], times_s, step_s, layers, clock, text)


def path(values: Sequence[float | None], top: float) -> str:
    """The path of a line, each value in the middle of its bucket; a lone value between gaps is a short dash."""
    width = 100 / max(1, len(values))
    runs: list[list[tuple[float, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(((i + 0.5) * width, 100 - 97 * value / top))
    parts = []
    for run in filter(None, runs):
        spread = [(run[0][0] - width / 3, run[0][1]), (run[0][0] + width / 3, run[0][1])] if len(run) == 1 else run
        parts.append("M" + " ".join(f"{x:.2f},{y:.2f}" for x, y in spread))
    return "".join(parts)


def spark(values: Sequence[float | None], *, bad: bool = False) -> dict[str, str]:
    """A sparkline from zero: its path and class; ``zero`` where nothing happened."""
    peak = max((value for value in values if value is not None), default=0)
    css = "zero" if peak <= 0 else "err" if bad else ""
    return {"d": path([value or 0 for value in values], peak or 1), "css": css}


def grouped_or_dash(value: float | None) -> str:
    """A count at the hover."""
    return "0" if not value else grouped(round(value))


def ticks(start_ns: int, end_ns: int, clock: Clock) -> list[dict[str, Any]]:
    """Labels of a time axis at round wall-clock times, and at both ends; every second one may go on a phone."""
    length_s = (end_ns - start_ns) / SECOND_NS
    if length_s <= 0:
        return []
    step_s = next((step for step in TICK_STEPS_S if length_s / step <= MOST_TICKS), TICK_STEPS_S[-1])
    offset_s = (to_datetime(start_ns, clock.zone).utcoffset() or timedelta()).total_seconds()
    first_s = math.ceil((start_ns / SECOND_NS + offset_s) / step_s) * step_s - offset_s
    style = "%H:%M:%S" if step_s < 60 else "%H:%M" if step_s < 86400 else "%-d %b"  # noqa: PLR2004 - minute, day
    found: list[dict[str, Any]] = [{"x": 0, "text": _tick(start_ns, style, clock), "hide": False}]
    while first_s * SECOND_NS < end_ns:
        x = 100 * (first_s - start_ns / SECOND_NS) / length_s
        if EDGE < x < 100 - EDGE:
            text = _tick(int(first_s * SECOND_NS), style, clock)
            found.append({"x": round(x, 2), "text": text, "hide": len(found) % 2 == 1})
        first_s += step_s
    return [*found, {"x": 100, "text": _tick(end_ns, style, clock), "hide": False}]


def _tick(time_ns: int, style: str, clock: Clock) -> str:
    return (EPOCH + timedelta(microseconds=time_ns // 1000)).astimezone(clock.zone).strftime(style)


def _chart(
    kind: str, label: str, marks: Sequence[dict[str, Any]], y_labels: Sequence[str], times_s: Sequence[float],
    step_s: float, layers: Sequence[Series], clock: Clock, text: Callable[[float | None], str],
) -> Chart:  # fmt: skip
    start_ns = int(times_s[0] * SECOND_NS) if times_s else 0
    end_ns = int((times_s[-1] + step_s) * SECOND_NS) if times_s else 0
    rows = [
        [clock.minute(int(time_s * SECOND_NS)) if step_s >= 60 else clock.time(int(time_s * SECOND_NS))[:-4],  # noqa: PLR2004
         *(text(layer.values[i]) for layer in layers)]
        for i, time_s in enumerate(times_s)
    ]  # fmt: skip
    data = json.dumps({"names": [layer.name for layer in layers], "rows": rows}, ensure_ascii=False)
    empty = not any(value for layer in layers for value in layer.values)
    return Chart(kind, label, marks, y_labels, ticks(start_ns, end_ns, clock), start_ns, end_ns, data, empty)
