"""Stacks of running threads as texts, one a frame, and whether a thread only waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.call_trees.stacks import LEFT_OUT, MOST_CHARACTERS

if TYPE_CHECKING:
    from types import CodeType, FrameType

#: Frames of a stack; of a deeper one the outermost are left out, with a frame that says so.
MAX_FRAMES = 100
#: Functions that are remembered; a program that makes more of them forgets them all.
MAX_FUNCTIONS = 20_000
#: Where threads wait that have nothing to do; only asked where the system does not tell what they compute.
_WAITING = ("threading.py", "selectors.py", "queue.py", "socket.py", "ssl.py", "socketserver.py", "subprocess.py")


class Functions:
    """The text of each function: ``module:qualified name (file:first line)``."""

    def __init__(self) -> None:
        # by identity: hashing a code object takes longer than all else; the code is kept, so that its id stays its own
        self._texts: dict[int, tuple[CodeType, str]] = {}

    def stack(self, frame: FrameType | None) -> tuple[str, ...]:
        """Return the frames of a stack as texts, the outermost first."""
        texts = self._texts
        found: list[str] = []
        while frame is not None:
            if len(found) == MAX_FRAMES:
                found.append(LEFT_OUT)
                break
            code = frame.f_code
            known = texts.get(id(code))
            found.append(known[1] if known is not None else self._add(frame, code))
            frame = frame.f_back
        found.reverse()
        return tuple(found)

    def _add(self, frame: FrameType, code: CodeType) -> str:
        if len(self._texts) >= MAX_FUNCTIONS:
            self._texts.clear()
        module = frame.f_globals.get("__name__", "")
        text = f"{module}:{getattr(code, 'co_qualname', code.co_name)} ({code.co_filename}:{code.co_firstlineno})"
        text = " ".join(text.split())[:MOST_CHARACTERS]
        self._texts[id(code)] = code, text
        return text


def waits(frame: FrameType) -> bool:
    """Whether the innermost function is one in which threads wait for others."""
    return frame.f_code.co_filename.endswith(_WAITING)
