"""A report as CSV: a line for each number and text, so that any table program filters and joins them."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from spanglass_core.csv_cells import csv_cell
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass_server.reports.model import Block, Report

_HEADER: Final = ("section", "table", "row", "column", "value", "before", "unit")
Cells = tuple[Any, ...]


def csv_text(report: Report) -> str:
    """Write a report; numbers are as the API gives them, ``row`` is the first cell of the row, or a time."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADER)
    for section in report["sections"]:
        if section["problem"]:
            writer.writerow([section["id"], "", "", "problem", csv_cell(section["problem"]), "", "text"])
        for block in section["blocks"]:
            for cells in _cells(block):
                writer.writerow([section["id"], *(csv_cell(cell) for cell in cells)])
    return out.getvalue()


def _cells(block: Block) -> Iterator[Cells]:
    if block["block"] == "text":
        yield "", "", "text", block["text"], "", "text"
    elif block["block"] == "figures":
        for figure in block["figures"]:
            yield "", "", figure["name"], figure["value"], figure["before"], figure["unit"]
    elif block["block"] == "table":
        for row in block["rows"]:
            for column, cell in zip(block["columns"], row["cells"], strict=True):
                yield block["name"], row["cells"][0], column["name"], cell, "", column["unit"]
    else:
        for line in block["lines"]:
            for time, value in zip(block["times"], line["values"], strict=True):
                yield block["name"], format_time(round(time * NS_PER_SECOND)), line["name"], value, "", block["unit"]
