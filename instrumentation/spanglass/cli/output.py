"""The three formats of every list: a table for people, ndjson and csv for programs."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from spanglass.terminal import show
from spanglass.terminal.printing import Console, Text, cells, text
from spanglass.terminal.safe import terminal_text
from spanglass_core.csv_cells import csv_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FORMATS = ("table", "ndjson", "csv")

_GAP = 2
_GAP_TEXT = Text([(" " * _GAP, "")])
_SHORT_TEXT = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key in the API's object (and of the CSV heading), and how a table shows the value.

    Where a table is wider than the terminal, ``narrow`` shows values shorter, and columns with a ``rank`` are left out,
    the highest first. Figures, and what is ``whole``, are never cut.
    """

    key: str
    title: str = ""
    show: Callable[[Any], str] = show.value
    right: bool = False
    style: str = ""
    narrow: Callable[[Any], str] | None = None
    rank: int = 0
    whole: bool = False

    def of(self, row: dict[str, Any]) -> Any:
        """Take the column's value from an object of the API."""
        return row.get(self.key)


def emit(form: str, columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> bool:
    """Write a list in one of ``FORMATS``, and return whether there was anything in it.

    ndjson holds the API's whole objects, in UTC and nanoseconds; so does csv.
    """
    rest = iter(rows)
    first = [*islice(rest, 1)]
    rows = chain(first, rest)
    if form == "ndjson":
        for row in rows:
            print_json(row)
    elif form == "csv":
        CsvWriter([column.key for column in columns]).rows([column.of(row) for column in columns] for row in rows)
    else:
        print_table(columns, rows)
    return bool(first)


def print_json(item: Any) -> None:
    """Write one line of JSON, in ASCII: nothing in it can steer a terminal, and nothing is lost."""
    print(json.dumps(item, separators=(",", ":")), flush=True)


class CsvWriter:
    """Writes CSV with its heading to standard output."""

    def __init__(self, heading: Sequence[str]) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._terminal = sys.stdout.isatty()
        self._writer.writerow([self._cell(name) for name in heading])

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write rows of plain values; objects and arrays are written as JSON."""
        for row in rows:
            self._writer.writerow([self._cell(item) for item in row])
        sys.stdout.flush()

    def _cell(self, item: Any) -> Any:
        if isinstance(item, dict | list | bool):
            item = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        cell = csv_cell(item)
        return terminal_text(cell) if self._terminal and isinstance(cell, str) else cell


def console() -> Console:
    """Make the console for standard output."""
    return Console()


def print_table(columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> None:
    """Write a table without lines around it, no wider than the terminal."""
    rows, out = list(rows), console()
    kept = _fitting(columns, rows, out.width)
    widths = _widths(kept, rows, out.width)
    heading = [text(column.title or column.key, "bold") for column in kept]
    for line in (heading, *([text(column.show(column.of(row)), column.style) for column in kept] for row in rows)):
        out.line(_row(kept, line, widths))


def _row(columns: Sequence[Column], shown: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text([])
    for column, cell, width in zip(columns, shown, widths, strict=True):
        line += cell.cut(width).padded(width, right=column.right) + _GAP_TEXT
    return line


def _fitting(columns: Sequence[Column], rows: Sequence[dict[str, Any]], width: int) -> list[Column]:
    """Choose the columns of a table, and how they show values, so that it fits into a terminal."""
    kept = list(columns)
    if _total(_natural(column, rows) for column in kept) > width:
        kept = [replace(column, show=column.narrow or column.show) for column in kept]
    while _total(_least(column, rows) for column in kept) > width and any(column.rank for column in kept):
        kept.remove(max(kept, key=lambda column: column.rank))
    return kept


def _widths(columns: Sequence[Column], rows: Sequence[dict[str, Any]], width: int) -> list[int]:
    """Share out a terminal's width: what is not needed elsewhere goes to the texts, evenly."""
    least = [_least(column, rows) for column in columns]
    wanted = [_natural(column, rows) - own for column, own in zip(columns, least, strict=True)]
    left = max(0, width - _total(least))
    places = sorted(range(len(columns)), key=wanted.__getitem__)
    for place in places:
        share = min(wanted[place], left // (len(places) - places.index(place)))
        least[place] += share
        left -= share
    return least


def _total(widths: Iterable[int]) -> int:
    """Return the width of a table; the last column has a gap behind it too."""
    return sum(width + _GAP for width in widths)


def _natural(column: Column, rows: Sequence[dict[str, Any]]) -> int:
    """Return how wide a column is when nothing of it is cut."""
    shown = (terminal_text(column.show(column.of(row))) for row in rows)
    return max(cells(cell) for cell in (column.title or column.key, *shown))


def _least(column: Column, rows: Sequence[dict[str, Any]]) -> int:
    """Return how narrow a column may be: figures are never cut, texts may be."""
    natural = _natural(column, rows)
    return natural if column.right or column.whole else min(natural, _SHORT_TEXT)
