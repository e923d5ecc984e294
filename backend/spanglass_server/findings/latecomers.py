"""Spans that came into a minute after it was looked at: requests that went on for long, senders that were cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from spanglass_server.findings.agenda import MINUTE_NS
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spanglass_server.findings.agenda import Due
    from spanglass_server.findings.detecting.reading import Marks

#: So often it is counted what came late into the minutes before, so far back. 8 bytes a span are kept for as long.
EVERY_NS: Final = 5 * MINUTE_NS
_BACK_NS: Final = 30 * MINUTE_NS
#: From so many late spans on, and such a share, they are looked at: a look costs the same however few there are.
_LEAST, _LEAST_SHARE = 20, 0.02
#: Of so many looks; what is late for more comes to light when these have been made.
_MOST: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A look that was made, the marks of the spans that were told of, and how many spans there were then."""

    due: Due
    marks: Marks
    spans: int


class Latecomers:
    """Remembers the looks of the last half hour. For one thread."""

    def __init__(self) -> None:
        self._made: list[Made] = []
        self._counted_ns = 0
        self._arrived_ns = -1  # what had arrived when they were last counted
        self._goes_on = False

    def made(self, due: Due, marks: Marks) -> None:
        """A look was made; one at a part of its minutes is not made again."""
        if due.weight == 1:
            self._made.append(Made(due, marks, len(marks)))

    def window(self, now_ns: int) -> Window | None:
        """The time in which spans are to be counted now; None if there is none, or they were counted lately."""
        self._counted_ns = self._counted_ns or now_ns
        if not self._is_time(now_ns):
            return None
        self._counted_ns, self._goes_on = now_ns, False
        owns = [made.due.own for made in self._made]
        return Window(min(own.start_ns for own in owns), max(own.end_ns for own in owns))

    def are_due(self, arrived_ns: int, now_ns: int) -> bool:
        """Whether spans are to be counted now: the newest came after they were counted last, or some are left."""
        return (self._goes_on or arrived_ns > self._arrived_ns) and self._is_time(now_ns)

    def _is_time(self, now_ns: int) -> bool:
        self._made = [made for made in self._made if made.due.own.end_ns > now_ns - _BACK_NS]
        is_lately = 0 <= now_ns - self._counted_ns < EVERY_NS
        return bool(self._made) and (self._goes_on or not is_lately)

    def go_on(self) -> None:
        """Not all that is late was looked at: spans are counted again at once."""
        self._goes_on = True

    def late(self, counted: Mapping[int, int], arrived_ns: int) -> Sequence[Made]:
        """The looks whose minutes hold more spans than they did, by how many, of what had arrived at a time."""
        self._arrived_ns = arrived_ns
        found = []
        for made in self._made:
            more = spans_of(made.due, counted) - made.spans
            if more >= max(_LEAST, _LEAST_SHARE * made.spans):
                found.append((more, made))
        return [made for _, made in sorted(found, key=lambda each: -each[0])[:_MOST]]

    def made_again(self, made: Made, due: Due, marks: Marks, counted: Mapping[int, int]) -> None:
        """What was late was looked at; not again what was sent twice, nor minutes of which a part was read."""
        place = self._made.index(made)
        if due.weight == 1:
            marks, spans = np.concatenate([made.marks, marks]), spans_of(due, counted)
            self._made[place] = replace(made, marks=marks, spans=spans)
        else:
            del self._made[place]


def spans_of(due: Due, counted: Mapping[int, int]) -> int:
    """How many spans the minutes of a look hold."""
    return sum(counted.get(minute, 0) for minute in due.minutes)
