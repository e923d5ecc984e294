"""A report as HTML in one file: no script, nothing from elsewhere, light and dark, fit to be printed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spanglass_server.reports.rendering import words
from spanglass_server.reports.rendering.scene import scene
from spanglass_server.reports.rendering.svg import svg

if TYPE_CHECKING:
    from jinja2 import Template

    from spanglass_server.reports.model import Chart, Report

_TEMPLATES = Path(__file__).parent / "templates"


def html(report: Report, base_url: str) -> str:
    """Write a report; links lead to the server's pages below ``base_url``."""
    return _template().render(report=report, base_url=base_url.rstrip("/"))


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(words=words, svg=_drawn, legend=lambda chart: scene(chart).legend)
    return environment.get_template("report.html")


def _drawn(chart: Chart) -> Markup:
    return Markup(svg(chart))  # noqa: S704 - escaped where it is made
