"""The table of forms: what each is called, its media type, and what writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from spanglass_server.reports.rendering.csv_file import csv_text
from spanglass_server.reports.rendering.html import html
from spanglass_server.reports.rendering.markdown import markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.reports.model import Report


@dataclass(frozen=True, slots=True)
class Format:
    """A form: ``write`` makes the file of a report, with links below an address."""

    name: str
    title: str
    suffix: str
    media_type: str
    write: Callable[[Report, str], bytes]


def _pdf(report: Report, base_url: str) -> bytes:
    from spanglass_server.reports.rendering.pdf.document import pdf  # noqa: PLC0415 - ReportLab takes 30 MB

    return pdf(report, base_url)


FORMATS: Final[Mapping[str, Format]] = {
    each.name: each
    for each in (
        Format("html", "HTML", "html", "text/html; charset=utf-8", lambda report, url: html(report, url).encode()),
        Format("pdf", "PDF", "pdf", "application/pdf", _pdf),
        Format(
            "markdown", "Markdown", "md", "text/markdown; charset=utf-8", lambda report, _: markdown(report).encode()
        ),
        Format("csv", "CSV", "csv", "text/csv; charset=utf-8", lambda report, _: csv_text(report).encode()),
        Format("json", "JSON", "json", "application/json", lambda report, _: orjson.dumps(report)),
    )
}
