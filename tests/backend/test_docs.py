"""Documents against the code: names that they use exist, and what there is is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spanglass_server
from spanglass_server.api.table import ROUTES
from spanglass_server.operations import operation_routes
from spanglass_server.settings_table import TABLE
from spanglass_server.store.segments import PROJECTED, ROW_GROUP_ROWS
from spanglass_server.telemetry import METRICS

ROOT = Path(__file__).parents[2]
SERVER = Path(spanglass_server.__file__).parent
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
GROUPS = "|".join(sorted({name.partition(".")[0] for name in TABLE}))


def test_the_architecture_names_every_module():
    """ARCHITECTURE.md lists every module of the server in its package's table, and none that is not there."""
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("## Modules of the server")[2]
    sections = re.split(r"^### `(\w+)/`.*$", text.partition("## The ports")[0], flags=re.MULTILINE)
    listed = {"": sections[0]} | dict(zip(sections[1::2], sections[2::2], strict=True))
    for package, section in listed.items():
        if package == "pages":  # one module a page; docs/pages.md lists pages
            continue
        names = set(re.findall(r"`(\w+\.py)`", "".join(re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE))))
        assert (package, names) == (package, {path.name for path in (SERVER / package).glob("*.py")} - {"__init__.py"})
    packages = {path.parent.name for path in SERVER.glob("*/__init__.py")}
    assert packages == listed.keys() - {""}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_settings_and_counters_exist(document):
    """What a document calls a setting is one, and what it calls a figure of the server is one."""
    text = document.read_text()
    suffixes = re.compile(r"\.(md|py|yaml|lock|sql)$")
    named = {name for name in re.findall(rf"`((?:{GROUPS})\.[a-z_]+)`", text) if not suffixes.search(name)}
    # attributes of telemetry may begin like a group of settings; packages and a cookie like a figure
    assert sorted(named - TABLE.keys() - {"server.address", "server.port", "query.text"}) == []
    figures = {metric.exposed_name for metric in METRICS}
    counters = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"`(spanglass_[a-z_]+)[`{]", text)}
    assert sorted(counters - figures - {"spanglass_core", "spanglass_server", "spanglass_zone"}) == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_parameter_is_documented(route):
    """docs/api.md names every parameter of a route where it describes the route, or the routes that it points to."""
    text = (ROOT / "docs" / "api.md").read_text()
    sections = re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    own = [body for title, body in sections if f"`{route.method} {route.documented_path}`" in title]
    assert len(own) == 1
    words = own[0]
    if re.search("[Aa]s (in )?trace search|[Ss]horthands as in span search", words):
        words += next(body for title, body in sections if "GET /api/v1/traces`" in title)
    known = set(re.findall(r"`(\w+)(?:=[^`]*)?`", words)) | set(route.path_names)
    if re.search(r"\brange\b", words):
        known |= {"start", "end", "last"}
    assert [param.name for param in route.parameters if param.name not in known] == []


def test_paths_beside_the_api_are_documented():
    """Health, readiness and the server's figures are found by reading docs/."""
    text = "".join(document.read_text() for document in DOCUMENTS if document.parent.name == "docs")
    routes = operation_routes(None, None)
    assert len(routes) == 3
    assert [route.path for route in routes if not re.search(rf"[` ]{route.path}`", text)] == []


def test_the_data_layout_is_that_of_segments():
    """docs/data-layout.md has the projection's columns, and the rows of a row group."""
    text = (ROOT / "docs" / "data-layout.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| `projections/"))
    columns = next(iter(PROJECTED.values()))
    assert re.findall(r"`([^`]+)`", row)[1:] == list(columns)
    assert f"{ROW_GROUP_ROWS:,}".replace(",", " ") in text
