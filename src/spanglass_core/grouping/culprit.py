"""The place in the application that an issue is named after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.grouping import normalise

if TYPE_CHECKING:
    from spanglass_core.stacks.model import Frame, Raised


def culprit(chain: tuple[Raised, ...]) -> str:
    """Return ``module.function`` of the innermost frame of the application; of any frame if none is.

    What was caught comes first, then its causes.
    """
    for raised in chain:
        for frame in reversed(raised.frames):
            if frame.in_app:
                return name(frame)
    return next((name(raised.frames[-1]) for raised in chain if raised.frames), "")


def name(frame: Frame) -> str:
    """Return what a frame is called wherever it is deployed: its module or file, and its function."""
    function = normalise.function_in(frame.function, frame.file)
    module = frame.module or normalise.place(frame.file)
    if not module or function.startswith((module + ".", module + ":", module + "\\")):
        return function or module
    return f"{module}.{function}" if function else module
