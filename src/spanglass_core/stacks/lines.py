"""What readers of line-based stack traces share: bounded lines, and chains that are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_core.stacks.model import MAX_FRAMES, Frame, Raised

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_LINE = 2000  # characters; patterns see no more of a line, whatever was sent
LONGEST_MESSAGE = 8192


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text, however they end."""
    for line in text.split("\n"):
        yield line[:LONGEST_LINE].removesuffix("\r")


@dataclass(slots=True, eq=False)
class Section:
    """One exception of a chain while its lines are read; ``frames`` are innermost first, as most print them."""

    header: list[str] = field(default_factory=list)
    relation: str = ""
    parent: Section | None = None
    frames: list[Frame] = field(default_factory=list)
    depth: int = 0  # of the whole stack: also frames that are not kept
    omitted: int = 0  # frames in common with the parent's outermost ones, which were not printed again

    def add(self, frame: Frame) -> None:
        """Take the next outer frame, as long as there is room."""
        self.depth += 1
        if len(self.frames) < MAX_FRAMES:
            self.frames.append(frame)

    def restore(self) -> None:
        """Copy the omitted frames from the parent, which must be whole."""
        if self.parent is None or not self.omitted:
            return
        start = self.parent.depth - self.omitted
        room = MAX_FRAMES - len(self.frames)
        if room > 0 and start >= 0:
            self.frames.extend(self.parent.frames[start : start + room])
        self.depth += self.omitted

    def told(self) -> str:
        """The header's lines as one bounded text."""
        return "\n".join(self.header)[:LONGEST_MESSAGE].rstrip()


def raised(section: Section, type: str, message: str, parent: int | None) -> Raised:  # noqa: A002 - its name in the model
    """Return a section as an exception of the model."""
    return Raised(type, message, tuple(reversed(section.frames)), section.relation, parent)


def raised_where_it_was_made(section: Section, type: str, separator: str) -> None:  # noqa: A002 - as above
    """Leave out the exception's own factories (``StockException.forSku``): who called them raised it."""
    frames = section.frames
    first = 0
    while first < len(frames) - 1 and frames[first].in_app and _class_of(frames[first], separator) == type:
        first += 1
    del frames[:first]
    section.depth -= first


def _class_of(frame: Frame, separator: str) -> str:
    """The class of a frame's function, written as types are."""
    class_name = frame.function.rpartition(separator)[0].replace("$", ".").rstrip(".:")
    return f"{frame.module}.{class_name}" if frame.module and separator == "." else class_name


def add_to_message(section: Section, line: str) -> None:
    """Keep a further line of a message, unless there are far too many: a megabyte of message is cut anyway."""
    if len(section.header) < LONGEST_MESSAGE // 16:
        section.header.append(line)
