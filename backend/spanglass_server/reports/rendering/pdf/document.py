"""A report as PDF: A4, with page numbers, headings as bookmarks, tables that go on over pages."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import CondPageBreak, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from spanglass_server.notifications.messages.words import cut
from spanglass_server.reports.rendering import words
from spanglass_server.reports.rendering.pdf import style
from spanglass_server.reports.rendering.pdf.chart import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reportlab.pdfgen.canvas import Canvas

    from spanglass_server.reports import model

_FRAME: Final = 6.0  # that ReportLab leaves around what it places
_WIDTH: Final = A4[0] - 2 * style.MARGIN - 2 * _FRAME
_FIGURES: Final = 3  # beside one another
#: Columns are as wide as what is in them, at most so much; and at least as their longest word, at most so much.
_WIDEST, _LONGEST_WORD = 260.0, 110.0
_GAP: Final = 8.0
#: A table begins on a page that has room for its name, its head and some rows; the heading of a section takes less.
_BEGINNING, _HEADING = 100.0, 40.0
#: Of a row at most: one must not be higher than a page, however narrow its columns are.
_LETTERS: Final = 1200
_PADDING: Final = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 8)]


def pdf(report: model.Report, base_url: str) -> bytes:
    """Write a report; links lead to the server's pages below ``base_url``."""
    out = BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=style.MARGIN, rightMargin=style.MARGIN, topMargin=style.MARGIN,
        bottomMargin=style.MARGIN, title=style.plain(report["title"]), author="Spanglass", invariant=1, lang="en",
    )  # fmt: skip
    footer = style.plain(f"{report['title']}, {words.window(report['window'])}")

    def page(canvas: Canvas, _: Any) -> None:
        canvas.setFont(style.FONT, 7.5)
        canvas.setFillColor(style.SOFT)
        canvas.drawString(style.MARGIN + _FRAME, style.MARGIN / 2, footer)
        canvas.drawRightString(A4[0] - style.MARGIN - _FRAME, style.MARGIN / 2, str(canvas.getPageNumber()))

    document.build(list(_report(report, base_url.rstrip("/"))), onFirstPage=page, onLaterPages=page)
    return out.getvalue()


def _report(report: model.Report, base_url: str) -> Iterator[Any]:
    yield Paragraph(style.safe(report["title"]), style.TITLE)
    ranges = f"{words.window(report['window'])}, against {words.window(report['before'])}."
    yield Paragraph(f"{ranges} Written {words.moment(report['made_time'])} UTC by Spanglass.", style.NOTE)
    for section in report["sections"]:
        is_table = [block["block"] for block in section["blocks"][:1]] == ["table"]
        if is_table:
            yield CondPageBreak(_BEGINNING + _HEADING)
        yield _heading(section["title"], style.SECTION, before_table=is_table)
        if section["problem"]:
            yield Paragraph(style.safe(section["problem"]), style.PROBLEM)
        for block in section["blocks"]:
            yield from _block(block, section["title"], base_url)


def _heading(text: str, how: Any, *, before_table: bool) -> Paragraph:
    """A heading; what is kept together with a table would move the whole of it to the next page."""
    heading = Paragraph(style.safe(text), how)
    heading.keepWithNext = not before_table
    return heading


def _block(block: model.Block, section: str, base_url: str) -> Iterator[Any]:
    if block["block"] == "text":
        yield Paragraph(style.safe(block["text"]), style.TEXT)
    elif block["block"] == "figures":
        yield from [_figures(block), Spacer(1, 4)] if block["figures"] else []
    elif block["block"] == "table":
        yield CondPageBreak(_BEGINNING)
        if block["name"] != section:
            yield _heading(block["name"], style.NAME, before_table=True)
        yield _table(block, base_url)
        if block["left_out"]:
            yield Paragraph(f"and {block['left_out']:,} more", style.NOTE)
    else:
        yield KeepTogether([Paragraph(style.safe(block["name"]), style.NAME), Drawn(block)])


def _figures(block: model.Figures) -> Table:
    cells: list[Any] = [_figure(figure) for figure in block["figures"]]
    cells += [""] * (-len(cells) % _FIGURES)
    rows = [cells[at : at + _FIGURES] for at in range(0, len(cells), _FIGURES)]
    table = Table(rows, colWidths=[_WIDTH / _FIGURES] * _FIGURES, hAlign="LEFT")
    table.setStyle(TableStyle([*_PADDING, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    return table


def _figure(figure: model.Figure) -> list[Paragraph]:
    worse, before = words.is_worse(figure), words.compared(figure)
    colour = "#555b6b" if worse is None else "#bb2619" if worse else "#1d6b3d"
    found = [
        Paragraph(style.safe(figure["name"]), style.NOTE),
        Paragraph(style.safe(words.number(figure["value"], figure["unit"])), style.FIGURE),
    ]
    return [*found, Paragraph(f"<font color='{colour}'>{style.safe(before)}</font>", style.NOTE)] if before else found


def _table(block: model.Table, base_url: str) -> Table:
    columns = block["columns"]
    is_text = [column["unit"] == "text" for column in columns]
    head = [
        Paragraph(style.safe(cut(column["name"], _LETTERS // len(columns))), style.HEAD if text else style.HEAD_NUMBER)
        for column, text in zip(columns, is_text, strict=True)
    ]
    rows = [[*_cells(row, columns, base_url)] for row in block["rows"]]
    table = Table([head, *rows], colWidths=_widths(block), repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                *_PADDING,
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, style.LINE),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
    )
    return table


def _cells(row: model.Row, columns: Sequence[model.Column], base_url: str) -> Iterator[Paragraph]:
    for place, (cell, column) in enumerate(zip(row["cells"], columns, strict=True)):
        text = cut(words.cell(cell, column["unit"]), _LETTERS // len(columns))
        is_link = place == 0 and row["link"] and base_url
        shown = style.linked(text, f"{base_url}{row['link']}") if is_link else style.safe(text)
        yield Paragraph(shown, style.CELL if column["unit"] == "text" else style.NUMBER)


def _widths(block: model.Table) -> list[float]:
    """As wide as what is in the columns; where that is too much, those shrink most that could be broken into lines."""
    wanted, least = [], []
    for place, column in enumerate(block["columns"]):
        texts = [style.plain(words.cell(row["cells"][place], column["unit"])) for row in block["rows"]]
        broken = [word for text in texts for word in text.split()] if column["unit"] == "text" else texts
        least.append(min(_LONGEST_WORD, _widest([*broken, *column["name"].split()])) + _GAP)
        wanted.append(max(least[-1], min(_WIDEST, _widest([*texts, column["name"]])) + _GAP))
    left = _WIDTH - sum(least)
    room = sum(wanted) - sum(least)
    share = max(0.0, min(1.0, left / room)) if room else 0.0
    widths = [small + share * (large - small) for small, large in zip(least, wanted, strict=True)]
    if sum(widths) > _WIDTH:  # many columns of long words, which are broken: all shrink alike, or have the same room
        shrunk = [width * _WIDTH / sum(widths) for width in widths]
        return shrunk if min(shrunk) > 3 * _GAP else [_WIDTH / len(widths)] * len(widths)
    widths[0] += _WIDTH - sum(widths)
    return widths


def _widest(texts: Sequence[str]) -> float:
    size = style.CELL.fontSize
    return max([_GAP, *(float(stringWidth(text, style.FONT, size)) for text in texts)])
