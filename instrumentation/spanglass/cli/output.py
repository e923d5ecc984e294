"""The three formats of every list: a table for people, ndjson and csv for programs."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from spanglass.cli import errors
from spanglass.terminal import show
from spanglass.terminal.safe import csv_cell, terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FORMATS = ("table", "ndjson", "csv")

# A table into a file or a pipe is as wide as its content, and nothing is cut.
_WIDE = 100_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key in the API's object (and of the CSV heading), and how a table shows the value."""

    key: str
    title: str = ""
    show: Callable[[Any], str] = show.value
    right: bool = False
    style: str = ""

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


def console() -> Any:
    """Make rich's console for standard output: colours on a terminal only (and not with NO_COLOR)."""
    return errors.rich("console").Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else _WIDE, highlight=False, markup=False, emoji=False
    )


def text(content: str, style: str = "") -> Any:
    """Make a piece of text that rich prints as it is, with everything taken out that steers a terminal."""
    return errors.rich("text").Text(terminal_text(content), style=style)


def print_table(columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> None:
    """Write a table without lines around it."""
    table = errors.rich("table").Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(
            column.title or column.key, justify="right" if column.right else "left", no_wrap=True, overflow="ellipsis"
        )
    for row in rows:
        table.add_row(*(text(column.show(column.of(row)), column.style) for column in columns))
    console().print(table)
