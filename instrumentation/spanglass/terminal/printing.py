"""Styled text on a terminal, cut to its width: what the command line needs of it, without a library of 13 MB for it."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

from spanglass.terminal.safe import terminal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What a file or a pipe is given: lines as wide as their content, of which nothing is cut.
WIDE = 100_000

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_ELLIPSIS = "…"


class Text:
    """Pieces of text, each with its style: words such as ``red bold``."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: Sequence[tuple[str, str]]) -> None:
        self.pieces = tuple(pieces)

    def __add__(self, other: Text) -> Text:
        """Put another text behind this one."""
        return Text(self.pieces + other.pieces)

    @property
    def plain(self) -> str:
        """The text without its styles."""
        return "".join(content for content, _ in self.pieces)

    def cut(self, width: int) -> Text:
        """Return at most so many cells of it; where something is left out, the last one is an ellipsis."""
        if cells(self.plain) <= width:
            return self
        kept: list[tuple[str, str]] = []
        left = width - 1
        for content, style in self.pieces:
            part = first_cells(content, left)
            left -= cells(part)
            if part == content:
                kept.append((part, style))
            else:
                return Text([*kept, (part + _ELLIPSIS, style)])
        return Text(kept)

    def padded(self, width: int, *, right: bool) -> Text:
        """Return it as wide as a column."""
        gap = Text([(" " * max(0, width - cells(self.plain)), "")])
        return gap + self if right else self + gap

    def ansi(self, *, colours: bool) -> str:
        """Return what is written to a terminal."""
        if not colours:
            return self.plain
        return "".join(_painted(content, style) for content, style in self.pieces)


def text(content: str, style: str = "") -> Text:
    """Make a piece of text with everything taken out that steers a terminal."""
    return Text([(terminal_text(content), style)])


class Console:
    """Writes lines to a file: colours on a terminal only, and not with NO_COLOR; ``width`` is the terminal's."""

    def __init__(self, file: TextIO | None = None, width: int | None = None) -> None:
        self._file = sys.stdout if file is None else file
        terminal = self._file.isatty()
        self._colours = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.width = width or (shutil.get_terminal_size().columns if terminal else WIDE)

    def line(self, content: Text | None = None, *, cut: bool = False) -> None:
        """Write a line; ``cut``: no wider than the terminal, which otherwise goes on in its next line."""
        shown = content or Text([])
        self._file.write((shown.cut(self.width) if cut else shown).ansi(colours=self._colours) + "\n")


def cells(content: str) -> int:
    """How many cells of a terminal a text takes: Chinese characters and most emoji take two, accents none."""
    if content.isascii():
        return len(content)
    return sum(map(_cell, content))


def _cell(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def first_cells(content: str, width: int) -> str:
    """Return the beginning of a text that fits into so many cells."""
    if content.isascii():
        return content[: max(0, width)]
    taken = 0
    for at, character in enumerate(content):
        taken += _cell(character)
        if taken > width:
            return content[:at]
    return content


def _painted(content: str, style: str) -> str:
    codes = ";".join(_CODES[word] for word in style.split())
    return f"\033[{codes}m{content}\033[0m" if codes and content else content
