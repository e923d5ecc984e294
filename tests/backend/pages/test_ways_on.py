"""Where pages lead on: every page belongs to a section of the navigation, and errors lead to what is there."""

from __future__ import annotations

import re

import pytest
from in_process import read

from spanglass_server.pages.rendering.templates import SECTIONS, is_section
from spanglass_server.pages.routes import PAGES

NOW_NS = 1_795_000_000 * 1_000_000_000
#: These lead elsewhere, or are of all sections.
ELSEWHERE = {"/jump", "/range", "/views"}


def test_every_page_belongs_to_a_section():
    """The bar says where the reader is, on each page that the server has."""
    sections = [path for path, _, _ in SECTIONS]
    paths = {f"/{path.split('/')[1]}" for path, _ in PAGES} - ELSEWHERE
    assert {path for path in paths if sum(is_section(section, path) for section in sections) != 1} == set()


@pytest.mark.parametrize(
    ("path", "status", "links"),
    [
        ("/logs/patterns", 400, [("/logs", "Logs")]),
        ("/logs?filter=a%20%3D%3D&more=a", 400, [("/logs?more=a", "Without it")]),
        ("/traces/dead0000000000000000000000000000", 404, [("/traces", "Search traces"), ("/services", "Services")]),
    ],
)
def test_errors_lead_on(open_tables, path, status, links):
    """Not to the address that can't be read: to the section, or to the same page without what is wrong."""
    found, _, source = read(open_tables(spans=[]), path, NOW_NS)
    main = source.partition("<main")[2].partition("</main>")[0]
    shown = re.findall(r'<a class="btn" href="([^"]*)">([^<]*)</a>', main)
    assert found == status
    assert shown == links
