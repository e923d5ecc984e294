"""The course of an alert's value until it fired, as SVG: the line, its thresholds, when it fired, two axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape

from spanglass_server.notifications.messages import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: The font that comes with the server (``font/``).
FONT = "Chart Text"
WIDTH, HEIGHT = 600, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 588, 14, 172
_INK, _DIM, _GRID, _LINE, _PAPER = "#1b2030", "#646977", "#e7e4de", "#2743b5", "#ffffff"
_COLOURS = {"critical": "#bb2619", "error": "#bb2619", "warning": "#8f5500", "info": "#2743b5"}
#: A threshold further above all values than so many times would flatten the line: it is left to the text.
_FAR = 2.5
_GRID_LINES = 4
#: Steps between the times of the axis, in seconds.
_STEPS_S = (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_MOST_TIMES = 6


class Threshold(NamedTuple):
    """A number that is compared with, and the severity that it stands for."""

    severity: str
    value: float


@dataclass(frozen=True, slots=True)
class Course:
    """Values at times in Unix seconds, ascending, None where there is none; ``fired_s`` is when it fired."""

    times_s: Sequence[float]
    values: Sequence[float | None]
    unit: str
    thresholds: Sequence[Threshold]
    fired_s: float
    severity: str
    bounds: Sequence[float | None] = ()  # what it is compared with at each time, where that changes

    @property
    def known(self) -> list[float]:
        """The values that there are."""
        return [value for value in self.values if value is not None]


def course_of(evidence: Mapping[str, Any], severity: str, fired_s: float) -> Course | None:
    """The course that an alert's evidence has; None where a line would say nothing."""
    found = evidence.get("value") or {}
    times = [float(time) for time in found.get("times_s", ())]
    values = _finite(found.get("values", ()))
    if sum(value is not None for value in values) < 2 or len(times) != len(values):  # noqa: PLR2004 - a line
        return None
    if times[-1] <= times[0]:
        return None
    if evidence.get("about", {}).get("topic") == "issue":  # that an issue is new has no course
        return None
    thresholds = [Threshold(str(one["severity"]), float(one["value"])) for one in found.get("thresholds", ())]
    bounds = _finite(found.get("bounds") or ())
    first = next(place for place, value in enumerate(values) if value is not None)
    return Course(
        times[first:], values[first:], str(found.get("unit", "")), thresholds, fired_s, severity,
        bounds[first:] if len(bounds) == len(times) else (),
    )  # fmt: skip


def _finite(values: Sequence[Any]) -> list[float | None]:
    return [float(value) if value is not None and math.isfinite(value) else None for value in values]


def alt_text(course: Course) -> str:
    """What the chart shows, for those who don't see it."""
    known = course.known
    limits = " and ".join(f"{words.value(one.value, course.unit)} ({one.severity})" for one in course.thresholds)
    return (
        f"From {words.value(known[0], course.unit)} to {words.value(known[-1], course.unit)} in "
        f"{words.duration(int((course.times_s[-1] - course.times_s[0]) * 1e9))}"
        f"{f', against {limits}' if limits else ''}"
    )


def svg(course: Course) -> str:
    """The chart, ``WIDTH`` by ``HEIGHT``, on white: no program for mail changes its colours for the dark."""
    scale = _Scale.of(course)
    parts = [
        *_grid(course, scale),
        *_times(scale),
        *_fired(course, scale),
        *_line(course, scale),
        *_thresholds(course, scale),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="{FONT}" font-size="11" fill="{_INK}"><title>{escape(alt_text(course))}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_PAPER}"/>{"".join(parts)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From times and values to places."""

    start_s: float
    end_s: float
    low: float
    step: float  # between lines of the grid

    @classmethod
    def of(cls, course: Course) -> _Scale:
        highest, lowest = max(course.known), min([*course.known, 0.0])
        near = [bound for bound in course.bounds if bound is not None and _is_near(bound, highest)]
        near += [one.value for one in course.thresholds if _is_near(one.value, highest)]
        step = _round_step((max([highest, *near, 0.0]) - lowest) / _GRID_LINES, course.unit)
        end_s = max(course.times_s[-1], min(course.fired_s, course.times_s[-1] + 600))
        return cls(course.times_s[0], end_s, math.floor(lowest / step) * step, step)

    @property
    def high(self) -> float:
        return self.low + self.step * (_GRID_LINES + (self.low < 0))

    def x(self, time_s: float) -> float:
        share = (time_s - self.start_s) / (self.end_s - self.start_s)
        return round(_LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, share)), 2)

    def y(self, value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (value - self.low) / (self.high - self.low), 2)


def _is_near(threshold: float, highest: float) -> bool:
    return threshold >= 0 and (highest <= 0 or threshold <= _FAR * highest)


def _round_step(least: float, unit: str) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten; of sizes the next power of two, as they are written in these."""
    if least <= 0 or not math.isfinite(least):
        return 0.25
    if unit in words.SIZES:
        return 2.0 ** math.ceil(math.log2(least))
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))


def _grid(course: Course, scale: _Scale) -> Iterator[str]:
    for number in range(round((scale.high - scale.low) / scale.step) + 1):
        value = scale.low + number * scale.step
        y = scale.y(value)
        yield f'<path d="M{_LEFT} {y}H{_RIGHT}" stroke="{_GRID}"/>'
        yield _text(_LEFT - 8, y + 4, words.value(value, course.unit), "end", _DIM)


def _times(scale: _Scale) -> Iterator[str]:
    long_s = scale.end_s - scale.start_s
    yield _text(_LEFT - 8, _BOTTOM + 18, "UTC", "end", _DIM)
    step_s = next((step for step in _STEPS_S if long_s / step <= _MOST_TIMES), _STEPS_S[-1])
    time_s = math.ceil(scale.start_s / step_s) * step_s
    while time_s <= scale.end_s:
        yield _text(scale.x(time_s), _BOTTOM + 18, f"{datetime.fromtimestamp(time_s, UTC):%H:%M}", "middle", _DIM)
        time_s += step_s


def _fired(course: Course, scale: _Scale) -> Iterator[str]:
    if scale.start_s <= course.fired_s <= scale.end_s:
        x, colour = scale.x(course.fired_s), _COLOURS.get(course.severity, _INK)
        yield f'<path d="M{x} {_TOP}V{_BOTTOM}" stroke="{colour}" stroke-dasharray="2 2"/>'
        yield f'<circle cx="{x}" cy="{_BOTTOM}" r="3" fill="{colour}"/>'


def _line(course: Course, scale: _Scale) -> Iterator[str]:
    colour = _COLOURS.get(course.severity, _INK)
    near = [value if value is not None and _is_near(value, max(course.known)) else None for value in course.bounds]
    if any(value is not None for value in near):
        yield f'<path d="{_path(course.times_s, near, scale)}" fill="none" stroke="{colour}" stroke-dasharray="6 4"/>'
    d = _path(course.times_s, course.values, scale)
    yield (
        f'<path d="{d}" fill="none" stroke="{_LINE}" stroke-width="1.75" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _path(times_s: Sequence[float], values: Sequence[float | None], scale: _Scale) -> str:
    """A line with gaps; a value by itself is a dot, as the ends of lines are round."""
    d, pen_up = [], True
    for time_s, value in zip(times_s, values, strict=True):
        if value is None:
            pen_up = True
            continue
        x, y = scale.x(time_s), scale.y(value)
        d.append(f"M{x} {y}L{x} {y}" if pen_up else f"L{x} {y}")
        pen_up = False
    return "".join(d)


def _thresholds(course: Course, scale: _Scale) -> Iterator[str]:
    for one in course.thresholds:
        if not _is_near(one.value, max(course.known)):
            continue
        y, colour = scale.y(one.value), _COLOURS.get(one.severity, _INK)
        text = f"{one.severity} {words.value(one.value, course.unit)}"
        yield f'<path d="M{_LEFT} {y}H{_RIGHT}" stroke="{colour}" stroke-dasharray="6 4"/>'
        halo = f'stroke="{_PAPER}" stroke-width="3" paint-order="stroke"'
        yield _text(_LEFT + 6, y - 5 if y > _TOP + 16 else y + 13, text, "start", colour, halo)


def _text(x: float, y: float, text: str, anchor: str, colour: str, more: str = "") -> str:
    return f'<text x="{x}" y="{round(y, 2)}" text-anchor="{anchor}" fill="{colour}" {more}>{escape(text)}</text>'
