"""The lines of a metric's chart, from the API: those of its range, and of the earlier period it is held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.format import plain
from spanglass_server.pages.units import is_number
from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.pages.metrics.choice import Choice
    from spanglass_server.pages.visit import Visit

Values = list[float | None]
#: Lines that are drawn, the largest; steps of a chart.
MOST_LINES, STEPS = 10, 120


@dataclass(frozen=True)
class Line:
    """A line: its name, the labels that tell it from others, and a value or nothing a step."""

    name: str
    labels: Mapping[str, str]
    values: Values

    @property
    def last(self) -> float | None:
        """The newest value."""
        return next((value for value in reversed(self.values) if value is not None), None)


@dataclass(frozen=True)
class Drawn:
    """The lines of a range: ``start_s`` is where the first step begins. ``notes`` are for the reader."""

    lines: Sequence[Line]
    start_s: float
    step_s: float
    count: int
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def times(self) -> list[float]:
        """Where each step begins."""
        return [self.start_s + place * self.step_s for place in range(self.count)]


def grid(visit: Visit) -> tuple[int, int, int]:
    """Return first step, length of a step (both in nanoseconds) and number of steps of the page's charts."""
    step_ns = step_of(visit.window.length_ns)
    first_ns = visit.window.start_ns // step_ns * step_ns
    return first_ns, step_ns, -((first_ns - visit.window.end_ns) // step_ns)


def step_of(length_ns: int) -> int:
    """Return the least round step of which a range has at most ``STEPS``."""
    return next((s * SECOND_NS for s in ROUND_S if length_ns <= s * SECOND_NS * STEPS), length_ns // STEPS + 1)


#: Steps that people read easily, in seconds; none shorter than metrics come.
ROUND_S = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)


async def ask(visit: Visit, choice: Choice, earlier_ns: int = 0) -> Drawn:
    """Ask for the lines of a chart, ``earlier_ns`` before the page's range but placed in it."""
    first_ns, step_ns, count = grid(visit)
    window = {
        "start": str(max(0, visit.window.start_ns - earlier_ns)),
        "end": str(max(1, visit.window.end_ns - earlier_ns)),
    }
    answers = await visit.together(*(
        visit.api(
            "metrics", "query", **window, **_identity(choice), aggregate=part.api,
            q=None if part.q is None else str(part.q), by=",".join(choice.by), filter=choice.filter,
            step=f"{step_ns // SECOND_NS}s", limit=MOST_LINES,
        )
        for part in choice.parts
    ))  # fmt: skip
    lines = [
        Line(name_of(series["by"], part.label), _labels(series["by"]), _placed(series, earlier_ns, grid(visit)))
        for part, answer in zip(choice.parts, answers, strict=True)
        for series in answer["series"]
    ]
    notes = dict.fromkeys(note for answer in answers for note in answer["notes"])
    return Drawn(lines, first_ns / SECOND_NS, step_ns / SECOND_NS, count, tuple(notes))


def _identity(choice: Choice) -> dict[str, str]:
    metric = choice.metric
    counted = f"{metric['name']}_count"
    name = counted if counted in metric["parts"] else metric["name"]
    return {"name": name, "type": metric["type"], "unit": metric["unit"]}


def _labels(by: Mapping[str, Any]) -> dict[str, str]:
    return {key: "" if value is None else plain(value) for key, value in by.items()}


def name_of(by: Mapping[str, Any], otherwise: str) -> str:
    """Return the name of a line: the values that it is grouped by."""
    return " · ".join(value or "(none)" for value in _labels(by).values()) or otherwise


def _placed(series: Mapping[str, Any], earlier_ns: int, steps: tuple[int, int, int]) -> Values:
    first_ns, step_ns, count = steps
    values: Values = [None] * count
    for point in series["points"]:
        place = round((point["t"] * SECOND_NS + earlier_ns - first_ns) / step_ns)
        if 0 <= place < count and is_number(point["value"]):
            values[place] = point["value"]
    return values
