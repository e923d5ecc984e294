"""Where in the application a call was made: the innermost frame that is the application's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_MOST_FRAMES = 200


def caller(is_in_app: Callable[[str, str], bool]) -> dict[str, str | int]:
    """Find file, line and function of the caller, as attributes; empty if no frame is the application's."""
    for frame in _frames(sys._getframe(1)):  # noqa: SLF001 - the one way to know the caller
        code = frame.f_code
        if is_in_app(frame.f_globals.get("__name__", ""), code.co_filename):
            return {
                "code.file.path": code.co_filename,
                "code.line.number": frame.f_lineno,
                "code.function.name": f"{frame.f_globals.get('__name__', '')}.{code.co_qualname}",
            }
    return {}


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield frames outwards, and across greenlets: SQLAlchemy runs its inside in one, which its parent awaits."""
    greenlets = sys.modules.get("greenlet")
    current = greenlets.getcurrent() if greenlets is not None else None
    for _ in range(_MOST_FRAMES):
        if frame is None and current is not None:
            current = current.parent
            frame = current.gr_frame if current is not None else None
        if frame is None:
            return
        yield frame
        frame = frame.f_back
