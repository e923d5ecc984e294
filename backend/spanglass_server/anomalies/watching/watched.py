"""A source that is watched, with what is known of it and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spanglass_server.anomalies.watching.memory import HOURS, Memory
from spanglass_server.anomalies.watching.telling import Teller

if TYPE_CHECKING:
    from spanglass_server.anomalies.watching.sources import Source

#: One question reads so many hours of the past.
_HOURS_AT_ONCE: Final = 4
#: Nothing is judged before so many hours were read, or all there are.
READY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Clock:
    """The newest step and hour that are over, and the first hour of which all is stored."""

    step: int
    hour: int
    first_hour: int


@dataclass(slots=True)
class Watched:
    """A source with what is known of it: hours ``hours_from`` to ``hours_to`` were read, steps up to ``judged_to``.

    One question reads ``at_once`` hours: fewer where more are too many samples.
    """

    source: Source
    memories: list[Memory]
    tellers: list[Teller]
    hours_from: int = 0
    hours_to: int | None = None
    judged_to: int = 0
    stepped: int = 0
    at_once: int = _HOURS_AT_ONCE

    @classmethod
    def of(cls, source: Source) -> Watched:
        """A source of which nothing is known."""
        memories = [Memory(part.scale, part.most, part.zeros) for part in source.parts]
        tellers = [Teller(source, part, memory) for part, memory in zip(source.parts, memories, strict=True)]
        return cls(source, memories, tellers)

    @property
    def hours(self) -> int:
        """How many hours were read."""
        return 0 if self.hours_to is None else self.hours_to - self.hours_from + 1

    @property
    def series(self) -> int:
        """How many series have had values."""
        return sum(len(memory.labels) for memory in self.memories)

    def is_ahead(self, clock: Clock) -> bool:
        """Whether what was read lies after the present: a step or an hour more is waited for."""
        return self.judged_to - clock.step > 1 or (self.hours_to or 0) - clock.hour > 1

    def oldest_hour(self, clock: Clock) -> int:
        """From which hour on the past is read: more of it where in some hours nothing was heard."""
        hours = self.source.past_hours + self.hours - self.memories[0].heard_hours
        return max(clock.first_hour, clock.hour - min(hours, HOURS) + 1)

    def is_ready(self, first_hour: int) -> bool:
        """Whether enough is known to judge by."""
        return self.hours_to is not None and (self.hours >= READY_HOURS or self.hours_from <= first_hour)
