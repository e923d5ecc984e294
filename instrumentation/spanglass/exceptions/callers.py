"""Who called what an exception passed through: frames that still run, beyond the place where it was caught.

A traceback begins where the exception was caught. An instrumentation catches it inside of the library, before it has
reached the application's frames, and those say more of it than any other.
"""

from __future__ import annotations

import sys
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType

#: Frames that lie between the capture and the outermost frame of the traceback: ours, and those of loggers.
_MAX_INSIDE = 60

_GENERATOR = CO_GENERATOR | CO_ASYNC_GENERATOR
_AWAITED = CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR


def entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """Give each entry of a traceback, the outermost first."""
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def callers(error: BaseException) -> Iterator[FrameType]:
    """Give the frames of this thread that called the outermost one of a traceback, the innermost first.

    None if that frame does not run any more, or in another thread, or if nobody can say who called it when the
    exception was raised: a generator that is not handling it may have been resumed by somebody else since. What
    resumes a coroutine, an event loop, did not call it: nothing beyond is given.
    """
    known = {id(entry.tb_frame) for entry in entries(error.__traceback__)}
    frame = _outermost(error.__traceback__)
    handled = sys.exception() is error
    while frame is not None:
        flags = frame.f_code.co_flags
        if id(frame) not in known:
            # `with` throws into a context manager's generator: these frames stand inside of what the traceback has
            if frame.f_globals.get("__name__") != "contextlib":
                yield frame
        elif flags & _GENERATOR and not handled:
            return
        frame = frame.f_back
        if frame is not None and flags & _AWAITED and not frame.f_code.co_flags & (_AWAITED | CO_GENERATOR):
            return


def _outermost(traceback: TracebackType | None) -> FrameType | None:
    """Return the outermost frame of a traceback if it is one of those that run in this thread, here."""
    if traceback is None:
        return None
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the way there is
    for _ in range(_MAX_INSIDE):
        if frame is None or frame is traceback.tb_frame:
            return frame
        frame = frame.f_back
    return None
