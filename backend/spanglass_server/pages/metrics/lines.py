"""Lines of a chart, and the steps that all charts of a page have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.pages.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    """The lines of a range: ``start_s`` is where the first step begins. ``notes`` are for the reader.

    ``expressions`` are the PromQL that drew them, if it did.
    """

    lines: Sequence[Line]
    start_s: float
    step_s: float
    count: int
    notes: Sequence[str] = field(default_factory=tuple)
    expressions: Sequence[str] = field(default_factory=tuple)

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
