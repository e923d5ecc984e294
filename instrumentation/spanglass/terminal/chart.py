"""Lines of values over time, drawn on a terminal with Braille dots: two across and four down in each character."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from spanglass.terminal import show
from spanglass.terminal.printing import Text, text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The styles of the lines, in turn.
STYLES = ("cyan", "yellow", "magenta", "green", "red", "blue")

_ACROSS, _DOWN = 2, 4
_BLANK = 0x2800
#: The bits of a character's dots, by column and row.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def chart(lines: Sequence[Sequence[float | None]], width: int, height: int) -> list[Text]:
    """Draw lines of equally many values in ``height`` rows, no wider than ``width``, with the scale at their left.

    A value of None, or one that is not finite, is a gap. Nothing is drawn without any value.
    """
    shown = [[value if value is not None and math.isfinite(value) else None for value in line] for line in lines]
    known = [value for line in shown for value in line if value is not None]
    if not known:
        return []
    least, most = _scale(min(known), max(known))
    labels = [show.digits(most - (most - least) * row / (height - 1)) for row in range(height)]
    margin = max(map(len, labels))
    canvas = _Canvas(max(8, width - margin - 2), height)
    for number, line in enumerate(shown):
        canvas.draw(line, least, most, STYLES[number % len(STYLES)])
    marked = {0, height // 2, height - 1}
    return [
        text(f"{labels[row] if row in marked else '':>{margin}} {'┤' if row in marked else '│'}", "dim")
        + canvas.row(row)
        for row in range(height)
    ]


def _scale(least: float, most: float) -> tuple[float, float]:
    """Begin at nothing where that costs less than half of the height, and never have a scale of no height."""
    if 0 < least < most / 2:
        least = 0.0
    return (least, most) if most > least else (least - 1, most + 1)


class _Canvas:
    """Characters of dots; each has the style of the line that was drawn into it last."""

    def __init__(self, width: int, height: int) -> None:
        self._columns, self._rows = width * _ACROSS, height * _DOWN
        self._cells = [[(0, "")] * width for _ in range(height)]

    def draw(self, line: Sequence[float | None], least: float, most: float, style: str) -> None:
        """Draw a line from the left edge to the right one; a lone value is a dot."""
        last: tuple[int, int] | None = None
        for place, value in enumerate(line):
            if value is None:
                last = None
                continue
            column = round(place * (self._columns - 1) / max(1, len(line) - 1))
            row = round((most - value) / (most - least) * (self._rows - 1))
            self._connect(last or (column, row), (column, row), style)
            last = (column, row)

    def row(self, number: int) -> Text:
        """One row of characters."""
        line = Text([])
        for dots, style in self._cells[number]:
            line += text(chr(_BLANK + dots) if dots else " ", style)
        return line

    def _connect(self, begin: tuple[int, int], end: tuple[int, int], style: str) -> None:
        """Dot all the way from one place to another."""
        steps = max(abs(end[0] - begin[0]), abs(end[1] - begin[1]), 1)
        for step in range(steps + 1):
            column = round(begin[0] + (end[0] - begin[0]) * step / steps)
            row = round(begin[1] + (end[1] - begin[1]) * step / steps)
            dots, _ = self._cells[row // _DOWN][column // _ACROSS]
            self._cells[row // _DOWN][column // _ACROSS] = dots | _DOTS[column % _ACROSS][row % _DOWN], style
