"""A report as CSV: a line for each number and text, so that any table program filters and joins them."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.csv_cells import csv_cell
from spanglass_server.reports.rendering import words
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.reports.model import Block, Report, Table

_HEADER: Final = ("section", "table", "row", "column", "value", "before", "unit", "number")
Cells = tuple[Any, ...]


def csv_text(report: Report) -> str:
    """Write a report; numbers are as the API gives them.

    ``row`` is the first cell of the row, or a time; rows that begin alike are told apart by ``number``, from 1 on. The
    first two lines are the range, those whose column is ``left_out`` how many rows a table has not.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADER)
    for name in ("start", "end"):
        writer.writerow(["", "", "", name, report["window"][f"{name}_time"], "", "time", ""])  # type: ignore[literal-required]
    for section in report["sections"]:
        if section["problem"]:
            writer.writerow(_line(section["id"], ("", "", "problem", section["problem"], "", "text", "")))
        for block in section["blocks"]:
            for cells in _cells(block):
                writer.writerow(_line(section["id"], cells))
    return out.getvalue()


def _line(section: str, cells: Cells) -> list[Any]:
    return [section, *(csv_cell(words.shown(cell) if isinstance(cell, str) else cell) for cell in cells)]


def _cells(block: Block) -> Iterator[Cells]:
    if block["block"] == "text":
        yield "", "", "text", block["text"], "", "text", ""
    elif block["block"] == "figures":
        for figure in block["figures"]:
            yield "", "", figure["name"], figure["value"], figure["before"], figure["unit"], ""
    elif block["block"] == "table":
        yield from _rows(block)
    else:
        for line in block["lines"]:
            for time, value in zip(block["times"], line["values"], strict=True):
                moment = format_time(round(time * NS_PER_SECOND))
                yield block["name"], moment, line["name"], value, "", block["unit"], ""


def _rows(table: Table) -> Iterator[Cells]:
    for number, row in enumerate(table["rows"], 1):
        for column, cell in zip(table["columns"], row["cells"], strict=True):
            yield table["name"], row["cells"][0], column["name"], cell, "", column["unit"], number
    if table["left_out"]:
        yield table["name"], "", "left_out", table["left_out"], "", "count", ""
