"""Documents against the code: names that they use exist, and what there is is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spanglass_core
import spanglass_server
from spanglass_server.api.alerting.routes import alerting_routes
from spanglass_server.api.dashboards.routes import dashboard_routes
from spanglass_server.api.factory import ROUTES
from spanglass_server.api.health.routes import health_routes
from spanglass_server.api.issues.routes import issue_routes
from spanglass_server.api.notifications.routes import notification_routes
from spanglass_server.api.routes.collection import collection_routes
from spanglass_server.process.parts.checks.health_routes import operation_routes
from spanglass_server.query.issues.known import KnownIssues
from spanglass_server.self_metrics.registry import METRICS
from spanglass_server.settings.table import TABLE
from spanglass_server.store.segment_files.segments import PROJECTED, ROW_GROUP_ROWS

ROOT = Path(__file__).parents[2]
SERVER = Path(spanglass_server.__file__).parent
CORE = Path(spanglass_core.__file__).parent
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
GROUPS = "|".join(sorted({name.partition(".")[0] for name in TABLE}))


def test_the_architecture_names_every_module():
    """ARCHITECTURE.md lists every module of the server in its package's section, and none that is not there."""
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("## Modules of the server")[2]
    sections = re.split(r"^### (.+)$", text.partition("## The ports")[0], flags=re.MULTILINE)
    listed = set(modules_named(sections[0], ""))
    for heading, section in zip(sections[1::2], sections[2::2], strict=True):
        packages = re.findall(r"`(\w+)/`", heading)
        listed.update(modules_named(section, f"{packages[0]}/" if len(packages) == 1 else ""))
    # one module a page: docs/pages.md lists pages
    modules = {path.relative_to(SERVER).as_posix() for path in SERVER.rglob("*.py") if path.name != "__init__.py"}
    assert {module for module in listed if not module.startswith("pages/")} == {
        module for module in modules if not module.startswith("pages/")
    }


def test_the_architecture_names_every_module_of_the_core():
    """ARCHITECTURE.md lists every module of the core, but for helpers of one reader, and none that is not there."""
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("## Core")[2].partition("## Modules of the server")[0]
    modules = {path.relative_to(CORE).as_posix() for path in CORE.rglob("*.py") if path.name != "__init__.py"}
    listed = set(modules_named(text, ""))
    helpers = {f"stacks/{name}.py" for name in ("dotnet_names", "java_text", "jvm_names", "lines", "php_names")}
    assert listed == modules - helpers


def modules_named(section, base):
    """Paths of the modules in the first cells of a section's table; a bare name is in the folder named before it.

    A folder that is listed as such stands for its modules.
    """
    for cell in re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE):
        folder = base
        for name in re.findall(r"`(\w+)/`", cell):
            yield from (path.relative_to(SERVER).as_posix() for path in (SERVER / base / name).glob("[!_]*.py"))
        for name in re.findall(r"`([\w/]+\.py)`", cell):
            if "/" in name:
                folder = f"{base}{name.rpartition('/')[0]}/"
            yield folder + name.rpartition("/")[2]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_settings_and_counters_exist(document):
    """What a document calls a setting is one, and what it calls a figure of the server is one."""
    text = document.read_text()
    suffixes = re.compile(r"\.(md|py|yaml|lock|sql|sqlite)$")
    named = {name for name in re.findall(rf"`((?:{GROUPS})\.[a-z_]+)`", text) if not suffixes.search(name)}
    if document.name == "monitoring.md":  # alerting within an application has keys of its own
        named = {name for name in named if not name.startswith("alerting.")}
    # attributes of telemetry may begin like a group of settings; packages and a cookie like a figure
    assert sorted(named - TABLE.keys() - {"server.address", "server.port", "query.text", "log.iostream"}) == []
    figures = {metric.exposed_name for metric in METRICS}
    counters = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"`(spanglass_[a-z_]+)[`{]", text)}
    others = {f"spanglass_{name}" for name in ("core", "server", "zone", "reader", "task_name")}
    assert sorted(counters - figures - others) == []


@pytest.mark.parametrize(
    "route",
    [
        *ROUTES,
        *issue_routes(KnownIssues(None), None),
        *dashboard_routes(None, None),
        *collection_routes(None),
        *alerting_routes(None, None),
        *notification_routes(None, None, None),
        *health_routes(None),
    ],
    ids=lambda route: route.path,
)
def test_every_parameter_is_documented(route):
    """docs/api.md names every parameter of a route where it describes the route, or the routes that it points to."""
    text = (ROOT / "docs" / "api.md").read_text()
    sections = re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    own = [body for title, body in sections if f"`{route.method} {route.documented_path}`" in title]
    assert len(own) == 1
    words = own[0]
    if re.search("[Aa]s (in )?trace search|[Ss]horthands as in span search", words):
        words += next(body for title, body in sections if "GET /api/v1/traces`" in title)
    known = set(re.findall(r"`([\w-]+)(?:=[^`]*)?`", words)) | set(route.path_names)
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
