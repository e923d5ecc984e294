"""The pace of work in the background that nobody waits for: a piece of it, then a rest.

The rest is so many times as long as the processor time that the thread of the piece took. So the work takes a share of
a core at most, however much there is of it: a rest of a hundred times is a hundredth. That holds where all of a piece
is done in its thread: statements have one where they are asked with ``Engine.run_paced``, or ``run_here`` if
``is_paced``.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Of what was stored before, which may be read at any time: a hundredth of a core. Five of these are a twentieth.
REST_PAST: Final = 100
#: Of what is new, which is not to wait for what is old: a thirtieth at most, as long as there is so much of it.
REST_NEW: Final = 30


@dataclass(slots=True)
class Piece:
    """One piece of work, which may say while it is done what rest comes after it, in times and in seconds at least."""

    rest: float
    least_s: float = 0.0


class Pace:
    """When the next piece of some work may begin; for one thread.

    ``elapsed_s`` counts seconds, ``spent_s`` those of processor time of the calling thread.
    """

    def __init__(
        self, elapsed_s: Callable[[], float] = time.monotonic, spent_s: Callable[[], float] = time.thread_time
    ) -> None:
        self._elapsed_s, self._spent_s = elapsed_s, spent_s
        self._due_s = elapsed_s()

    def is_due(self) -> bool:
        """Whether the rest is over."""
        return self._elapsed_s() >= self._due_s

    @contextmanager
    def piece(self, rest: float) -> Iterator[Piece]:
        """Do a piece of the work, after which comes a rest of so many times what it took, also where it fails."""
        piece, begun_s = Piece(rest), self._spent_s()
        try:
            yield piece
        finally:
            rest_s = max(piece.least_s, piece.rest * (self._spent_s() - begun_s))
            self._due_s = self._elapsed_s() + rest_s
