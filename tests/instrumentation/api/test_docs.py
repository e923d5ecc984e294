"""The pages about the manual API: their examples run, and they name what is sent."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import spanglass
import spanglass.api
from spanglass.api import PLACES
from spanglass.api.health.monitor import default_monitor
from spanglass_core import attribute_names

APP = Path(__file__).parents[3] / "docs" / "app"
PAGES = ("health-checks.md", "manual-api.md", "monitoring.md")


@pytest.fixture
def run(monkeypatch):
    """Runs the examples of a page one after the other, with health checks of this test alone."""
    monkeypatch.setattr(default_monitor, "_checks", {})

    def run_page(page):
        names = {}
        text = (APP / page).read_text("utf-8")
        for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            exec(compile(block, page, "exec"), names)  # noqa: S102 - our own documentation

    return run_page


def test_the_examples_of_the_manual_api(sent, run):
    """They run, and send the spans, records and metrics that they show."""
    run("manual-api.md")

    names = ["charge", "parse", "import", "handle message", "refund", "pages", "query_execution", "report"]
    assert [each.name for each in sent.spans] == names
    assert [record.body for record in sent.logs] == ["ann paid 3.50", "cannot divide for ann", "signup"]
    assert sorted(sent.metrics) == [
        "carts.open",
        "import.duration",
        "job.size",
        "jobs",
        "order.value",
        "orders",
        "oven.temperature",
        "spanglass.operation.duration",
        "workers",
    ]


def test_the_examples_of_health_checks(sent, run):
    """They run, all checks are well, and so they are sent."""
    run("health-checks.md")

    points = sent.points("spanglass.health.check.status")
    assert [(attributes["spanglass.health.check.name"], value) for attributes, value in points] == [
        ("database", 1.0),
        ("cache", 1.0),
        ("disk", 1.0),
    ]


def test_what_is_sent_is_documented():
    """Each attribute of our own that the manual API uses is on one of its pages."""
    text = "".join((APP / page).read_text("utf-8") for page in PAGES)
    found = pkgutil.walk_packages(spanglass.api.__path__, "spanglass.api.")
    modules = [importlib.import_module(each.name) for each in found]
    used = {name for module in modules for name in vars(module) if name in vars(attribute_names) and name.isupper()}

    assert {name for name in used if getattr(attribute_names, name) not in text} == set()
    assert {"ARGUMENT_PREFIX", "HEALTH_CHANGED_EVENT", "MESSAGE_TEMPLATE", "OPERATION_NAME"} <= used


@pytest.mark.usefixtures("sent")
def test_the_examples_of_monitoring(run):
    """They run, and what they assert of figures, recommendations and alerts holds."""
    run("monitoring.md")


def test_places_are_right():
    """Each name of the manual API is where the table says, offered there, and offered by ``import spanglass``."""
    assert [name for name, place in PLACES.items() if name not in importlib.import_module(place).__all__] == []
    assert sorted(set(PLACES) - set(spanglass.__all__)) == []
    assert [name for name in PLACES if not hasattr(spanglass, name)] == []
