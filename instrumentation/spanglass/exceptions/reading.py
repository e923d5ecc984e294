"""What the reading of an exception is given: a scrubber, ids, and how much it may take.

One occurrence costs a bounded time and has a bounded size.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Exceptions of one chain that are recorded, from its beginning and from its end.
MAX_FIRST_EXCEPTIONS = 11
MAX_LAST_EXCEPTIONS = 5
#: Exceptions of a chain that are looked at: a chain may be as long as a retry loop ran.
MAX_WALKED = 1_000
#: Frames of one exception, the outermost and the innermost: a stack that is deeper recurses.
MAX_FIRST_FRAMES = 20
MAX_LAST_FRAMES = 30
#: Frames of all exceptions of a chain; each gets the innermost ones of what is left, and at least one.
MAX_FRAMES = 120
#: Callers of a traceback without a frame of the application: how many are looked at, and of the application how many
#: are told, with all between them. They are not counted among the frames above.
MAX_CALLERS = 60
MAX_OWN_CALLERS = 5
#: Characters of one message, one note and one source line.
MAX_MESSAGE = 4_096
MAX_NOTE = 1_024
MAX_NOTES = 10
MAX_LINE = 200
#: Characters of all source windows, and of all local variables, of one chain.
MAX_SOURCE = 48_000
MAX_LOCALS = 32_000
#: Local variables of one frame, and characters of one.
MAX_VARIABLES = 30
MAX_VARIABLE = 1_024
#: How long reading local variables may take, in nanoseconds; what is left after that is left out.
LOCALS_TIME_NS = 20_000_000


class Budget:
    """What the rest of one occurrence may still take. ``stopwatch`` counts nanoseconds from anywhere."""

    __slots__ = ("_deadline_ns", "_stopwatch", "frames", "locals", "source")

    def __init__(self, stopwatch: Callable[[], int]) -> None:
        self._stopwatch = stopwatch
        self._deadline_ns = 0
        self.frames = MAX_FRAMES
        self.source = MAX_SOURCE
        self.locals = MAX_LOCALS

    def expired(self) -> bool:
        """Whether the time for local variables is over; it begins with the first of them."""
        now_ns = self._stopwatch()
        if not self._deadline_ns:
            self._deadline_ns = now_ns + LOCALS_TIME_NS
        return now_ns >= self._deadline_ns


class Scrubber(Protocol):
    """Replaces what looks like a secret. Safe for threads; gives the same object when nothing was found."""

    def attributes(self, attributes: Mapping[str, object]) -> Mapping[str, object]:
        """Scrub values by their keys, and texts by what is in them."""

    def value(self, key: str, value: object) -> object:
        """Scrub one value by its key, and by what is in it."""

    def text(self, text: str) -> str:
        """Scrub running text by what is in it."""


class NoScrubber:
    """Scrubs nothing: the setting ``scrub`` is off."""

    def attributes(self, attributes: Mapping[str, object]) -> Mapping[str, object]:
        """Return the mapping."""
        return attributes

    def value(self, key: str, value: object) -> object:  # noqa: ARG002 - the protocol's
        """Return the value."""
        return value

    def text(self, text: str) -> str:
        """Return the text."""
        return text


def random_id() -> str:
    """Give 16 hexadecimal digits of the system's random numbers, which differ in forked children."""
    return os.urandom(8).hex()
