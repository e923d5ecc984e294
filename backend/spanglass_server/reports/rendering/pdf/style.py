"""Fonts, colours and paragraph styles of PDF; texts of strangers made safe for paragraphs."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from spanglass_server.notifications.messages.words import line as on_one_line
from spanglass_server.reports.rendering.svg import COLOURS

#: The fonts that come with the server: what a PDF is read with need not have any.
FONT, BOLD = "Report Text", "Report Bold"
_FOLDER: Final = Path(__file__).parent / "font"
_FILES: Final = {FONT: "report-text.ttf", BOLD: "report-bold.ttf"}
_LONGEST: Final = 300
#: Stands for letters that the font does not have.
_UNKNOWN: Final = "\ufffd"

INK, SOFT, LINE = HexColor("#1b2030"), HexColor("#555b6b"), HexColor("#e2ded7")
GOOD, BAD, LINK = HexColor("#1d6b3d"), HexColor("#bb2619"), HexColor("#2743b5")
MARGIN: Final = 18 * mm

for _name, _file in _FILES.items():
    pdfmetrics.registerFont(TTFont(_name, str(_FOLDER / _file)))
_LETTERS: Final = frozenset(pdfmetrics.getFont(FONT).face.charToGlyph)


def _style(size: float, colour: HexColor = INK, font: str = FONT, **more: float) -> ParagraphStyle:
    return ParagraphStyle("", fontName=font, fontSize=size, leading=size * 1.35, textColor=colour, **more)


TITLE: Final = _style(20, font=BOLD, spaceAfter=2)
SECTION: Final = _style(13.5, font=BOLD, spaceBefore=16, spaceAfter=4, keepWithNext=1)
NAME: Final = _style(9.5, font=BOLD, spaceBefore=8, spaceAfter=3, keepWithNext=1)
TEXT: Final = _style(9, spaceAfter=4)
NOTE: Final = _style(8, SOFT)
FIGURE: Final = _style(14, font=BOLD)
CELL: Final = _style(7.5)
NUMBER: Final = ParagraphStyle("", parent=CELL, alignment=2)
HEAD: Final = ParagraphStyle("", parent=CELL, textColor=SOFT)
HEAD_NUMBER: Final = ParagraphStyle("", parent=NUMBER, textColor=SOFT)
PROBLEM: Final = _style(9, BAD)


def colour_of(role: str) -> HexColor:
    """The colour of a shape of a chart."""
    return HexColor(COLOURS[role])  # type: ignore[index]


def plain(text: str) -> str:
    """A text of letters that the font has, on one line."""
    return "".join(letter if ord(letter) in _LETTERS else _UNKNOWN for letter in on_one_line(text, _LONGEST))


def safe(text: str) -> str:
    """The same for a paragraph, whose own signs it does not have."""
    return escape(plain(text))


def linked(text: str, url: str) -> str:
    """The same as a link."""
    return f"<a href={quoteattr(url)} color='#2743b5'>{safe(text)}</a>" if url else safe(text)
