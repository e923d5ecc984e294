"""A chart of a report as shapes in a box of points: what SVG and PDF draw in their own ways."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from spanglass_server.reports.rendering import words

if TYPE_CHECKING:
    from spanglass_server.reports.model import Chart, Line

WIDTH, HEIGHT = 720.0, 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 710.0, 12.0, 160.0
_GRID_LINES: Final = 4
_MOST_TIMES: Final = 6
_DAY_S: Final = 86_400
#: Steps between the times of the axis, in seconds.
_STEPS_S: Final = (
    60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, _DAY_S, 2 * _DAY_S, 7 * _DAY_S, 14 * _DAY_S,
    30 * _DAY_S, 90 * _DAY_S, 365 * _DAY_S,
)  # fmt: skip

#: What a shape is of: ``now2`` is a second line of the range, ``grid`` and ``label`` are the axes.
Role = Literal["now", "now2", "before", "bad", "grid", "label"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points; one point alone is a dot."""

    role: Role
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled box by its upper left corner."""

    role: Role
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text by the place of its baseline."""

    x: float
    y: float
    anchor: Literal["start", "middle", "end"]
    text: str


@dataclass(slots=True)
class Scene:
    """Shapes in the order in which they are drawn; ``y`` runs downwards."""

    strokes: list[Stroke] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    legend: list[tuple[Role, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Scale:
    start_s: float
    end_s: float
    low: float
    step: float

    def x(self, time_s: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (time_s - self.start_s) / (self.end_s - self.start_s), 2)

    def y(self, value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * (value - self.low) / (_GRID_LINES * self.step), 2)


def scene(chart: Chart) -> Scene:
    """Lay out a chart; one without times has only its axis of values."""
    found = Scene()
    scale = _scale(chart)
    for number in range(_GRID_LINES + 1):
        value = scale.low + number * scale.step
        y = scale.y(value)
        found.strokes.append(Stroke("grid", ((_LEFT, y), (_RIGHT, y))))
        found.labels.append(Label(_LEFT - 8, y + 4, "end", words.number(value, chart["unit"])))
    found.labels += _times(scale)
    if chart["style"] == "bars":
        _add_bars(found, chart, scale)
    else:
        for role, line in zip(_roles(chart), chart["lines"], strict=True):
            found.strokes += [Stroke(role, run) for run in _runs(chart, line, scale)]
    found.legend = [
        (role, line["name"])
        for role, line in zip(_roles(chart), chart["lines"], strict=True)
        if role != "before" or any(value is not None for value in line["values"])
    ]
    return found


def _roles(chart: Chart) -> list[Role]:
    """The second line of the range is told apart from the first; bars of what is no failure are grey."""
    roles: list[Role] = []
    for line in chart["lines"]:
        if chart["style"] == "bars" and line["role"] == "now":
            roles.append("before")
            continue
        roles.append("now2" if line["role"] == "now" and "now" in roles else line["role"])
    return roles


def _scale(chart: Chart) -> _Scale:
    times, step_s = chart["times"], chart["step_s"]
    start_s = times[0] if times else 0.0
    end_s = times[-1] + step_s if times else start_s + step_s
    columns = [[value or 0.0 for value in line["values"]] for line in chart["lines"]]
    if chart["style"] == "bars":
        tops = [sum(column) for column in zip(*columns, strict=True)]
    else:
        tops = [value for column in columns for value in column]
    low = min([0.0, *tops])
    step = _round_step((max([0.0, *tops]) - low) / _GRID_LINES, whole=chart["unit"] == "count")
    return _Scale(start_s, end_s, math.floor(low / step) * step, step)


def _round_step(least: float, *, whole: bool) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten; counts have no parts."""
    if least <= 0 or not math.isfinite(least):
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))
    return max(1.0, math.ceil(step)) if whole else step


def _times(scale: _Scale) -> list[Label]:
    length_s = scale.end_s - scale.start_s
    step_s = next((step for step in _STEPS_S if length_s / step <= _MOST_TIMES), _STEPS_S[-1])
    form = "%H:%M" if step_s < _DAY_S else "%-d %b"
    labels = [Label(_LEFT - 8, _BOTTOM + 18, "end", "UTC")]
    time_s = math.ceil(scale.start_s / step_s) * step_s
    while time_s <= scale.end_s:
        text = datetime.fromtimestamp(time_s, UTC).strftime(form)
        x = scale.x(time_s)
        anchor: Literal["middle", "end"] = "end" if x > _RIGHT - 16 else "middle"
        labels.append(Label(x, _BOTTOM + 18, anchor, text))
        time_s += step_s
    return labels


def _add_bars(found: Scene, chart: Chart, scale: _Scale) -> None:
    width = scale.x(scale.start_s + chart["step_s"]) - scale.x(scale.start_s)
    roles = _roles(chart)
    for number, time_s in enumerate(chart["times"]):
        floor = 0.0
        for role, line in zip(roles, chart["lines"], strict=True):
            value = line["values"][number] or 0.0
            if value > 0:
                top = scale.y(floor + value)
                height = round(max(scale.y(floor) - top, 0.7), 2)  # one among thousands is seen
                found.bars.append(Bar(role, scale.x(time_s) + width * 0.08, top, round(width * 0.84, 2), height))
                floor += value


def _runs(chart: Chart, line: Line, scale: _Scale) -> list[tuple[Point, ...]]:
    """The points of a line without its gaps, each in the middle of its step."""
    runs: list[list[Point]] = [[]]
    for time_s, value in zip(chart["times"], line["values"], strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((scale.x(time_s + chart["step_s"] / 2), scale.y(value)))
    return [tuple(run) for run in runs if run]
