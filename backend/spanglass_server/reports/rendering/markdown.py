"""A report as Markdown: tables, and lines of block characters in the place of charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spanglass_server.notifications.messages.words import line as on_one_line
from spanglass_server.reports.rendering import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.reports.model import Block, Chart, Figures, Report, Table

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_LONGEST: Final = 300
#: What Markdown or HTML within it would take for a sign of its own.
_ESCAPED: Final = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_{}[]<>#|~$!"} | {"&": "&amp;"})


def markdown(report: Report) -> str:
    """Write a report; links begin with the path of a page."""
    return "\n".join(_report(report)) + "\n"


def _report(report: Report) -> Iterator[str]:
    yield f"# {_safe(report['title'])}"
    yield ""
    yield f"{words.window(report['window'])}, against {words.window(report['before'])}."
    for section in report["sections"]:
        yield ""
        yield f"## {_safe(section['title'])}"
        if section["problem"]:
            yield ""
            yield f"**{_safe(section['problem'])}**"
        for block in section["blocks"]:
            yield ""
            yield from _block(block, section["title"])


def _block(block: Block, section: str) -> Iterator[str]:
    if block["block"] == "text":
        yield _safe(block["text"])
    elif block["block"] == "figures":
        yield from _figures(block)
    elif block["block"] == "table":
        yield from _table(block, section)
    else:
        yield from _chart(block)


def _figures(block: Figures) -> Iterator[str]:
    for figure in block["figures"]:
        before = words.compared(figure)
        value = words.number(figure["value"], figure["unit"])
        yield f"- {_safe(figure['name'])}: **{value}**{f' ({before})' if before else ''}"


def _table(block: Table, section: str) -> Iterator[str]:
    if block["name"] != section:
        yield f"**{_safe(block['name'])}**"
        yield ""
    yield _line([_safe(column["name"]) for column in block["columns"]])
    yield _line(["---" if column["unit"] == "text" else "---:" for column in block["columns"]])
    for row in block["rows"]:
        yield _line(
            [
                _safe(words.cell(cell, column["unit"]))
                for cell, column in zip(row["cells"], block["columns"], strict=True)
            ]
        )
    if block["left_out"]:
        yield ""
        yield f"and {block['left_out']:,} more"


def _chart(block: Chart) -> Iterator[str]:
    yield f"**{_safe(block['name'])}**"
    yield ""
    for line in block["lines"]:
        if all(value is None for value in line["values"]):
            continue
        told = words.spread(line["values"], block["unit"])
        yield f"- {_safe(line['name'])}: {_blocks(line['values'])} {told}"


def _blocks(values: Sequence[float | None]) -> str:
    top = max((value for value in values if value is not None), default=0) or 1
    return "".join(" " if not value else _LEVELS[min(7, int(max(0.0, value) / top * 7.999))] for value in values)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    return on_one_line(text, _LONGEST).translate(_ESCAPED)
