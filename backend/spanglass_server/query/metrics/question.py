"""What is asked of one metric, and what its answer's reader should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.query.errors import BadQuestionError
from spanglass_server.query.window import Buckets
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.store.ports import Window

#: How many steps a range has when none is asked for, and how many it may have at most.
DEFAULT_STEPS = 120
MAX_STEPS = 11_000
DEFAULT_LIMIT = 100
#: How far back the point before the range is looked for, how far apart two points may be without a gap, and how long
#: a gauge's value stays valid.
GAP_NS = 300 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Question:
    """One metric over a range.

    ``type`` and ``unit`` choose where the name has several; without ``step_ns`` there are about 120 steps; ``limit``
    bounds groups or series.
    """

    window: Window
    name: str
    type: str = ""
    unit: str | None = None
    filter: str = ""
    by: Sequence[str] = ()
    step_ns: int | None = None
    limit: int = DEFAULT_LIMIT

    def buckets(self) -> Buckets:
        """Cut the range into steps; BadQuestionError for a step that makes too many."""
        if self.step_ns is None:
            return Buckets.about(self.window, DEFAULT_STEPS)
        length_ns = self.window.end_ns - self.window.start_ns
        if self.step_ns <= 0 or length_ns // self.step_ns > MAX_STEPS:
            raise BadQuestionError(
                f"The step makes more than {MAX_STEPS} steps.",
                field="step",
                hint=f"Give at least {-(-length_ns // MAX_STEPS) / NS_PER_SECOND:g}s for this range.",
            )
        return Buckets.of_step(self.window, self.step_ns)


@dataclass(frozen=True, slots=True)
class Notes:
    """What an answer's reader should know about it, each text once."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Add a text."""
        if text not in self.texts:
            self.texts.append(text)

    def count(self, number: int, one: str, many: str) -> None:
        """Add how many there were of something, if any."""
        if number:
            self.add(f"1 {one}" if number == 1 else f"{number} {many}")
