"""The dashboards that come with the product: right, answered without errors, listed while their data is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import spanglass_server.dashboards.shipped as shipped_package
from spanglass_server.dashboards.data.panel import PanelQuestion, panel_data
from spanglass_server.dashboards.data.presence import has_data
from spanglass_server.dashboards.data.variables import VariableValues
from spanglass_server.dashboards.sources.files import DirectorySource
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series
from spanglass_server.store.ports import Window

ROOT = Path(__file__).parents[3]
CONTENTS = DirectorySource(Path(shipped_package.__path__[0]), "shipped").read()
DASHBOARDS = {found.dashboard.uid: found.dashboard for found in CONTENTS.found}
WINDOW = Window(0, 3600 * 10**9)
#: A series by which each is listed.
SIGNS = {
    "services": "http_server_request_duration_seconds_count",
    "hosts": '{"system.cpu.utilization"}',
    "python": '{"cpython.gc.collections"}',
    "databases": '{"db.client.connection.count"}',
    "background-tasks": '{"spanglass.queue.length"}',
    "redis": '{"spanglass.cache.misses"}',
    "opentelemetry-collector": "otelcol_exporter_sent_spans_total",
    "spanglass": "spanglass_uptime_seconds",
    "users": 'spans_total{user_id="u1"}',
}


def series(*lines):
    """Series that stand still for an hour."""
    return SeriesInMemory(read_series([(line, "1x60") for line in lines], 60_000))


def test_all_are_right():
    """No file of the product has a problem, and there is one for everything that is measured."""
    assert CONTENTS.problems == ()
    assert DASHBOARDS.keys() == SIGNS.keys()
    assert all(dashboard.appears_with and dashboard.description for dashboard in DASHBOARDS.values())


@pytest.mark.parametrize("uid", SIGNS)
def test_every_panel_is_answered(open_tables, uid):
    """Each query of each panel is one, with its variables put in; without data a panel is empty, and no error."""
    dashboard = DASHBOARDS[uid]
    given = {variable.name: ("a", 'b"c') for variable in dashboard.variables}
    session, source = open_tables(), series()
    for chosen in (given, {}):
        variables = VariableValues(session, source, WINDOW, dashboard.variables, chosen)
        for panel in dashboard.panels:
            answer = panel_data(PanelQuestion(panel, variables, 3600 * 10**9, points=3))
            assert (panel.title, answer["errors"], answer["notes"]) == (panel.title, [], [])


@pytest.mark.parametrize("uid", SIGNS)
def test_each_appears_with_its_data(open_tables, uid):
    """A dashboard is listed while one of its series has data, and not without."""
    session = open_tables()

    assert not has_data(session, series(), DASHBOARDS[uid], WINDOW)
    assert has_data(session, series(SIGNS[uid]), DASHBOARDS[uid], WINDOW)
    assert not has_data(session, series("other"), DASHBOARDS[uid], WINDOW)


def test_spans_are_data_too(open_tables):
    """Services are listed as soon as there are spans."""
    session = open_tables(spans=[{"start_time_ns": 5}])

    assert has_data(session, series(), DASHBOARDS["services"], WINDOW)


def test_metrics_of_dashboards_are_sent():
    """Every metric of ours that a dashboard names is sent by the instrumentation, or told by the server."""
    text = "".join(path.read_text() for path in Path(shipped_package.__path__[0]).glob("*.yaml"))
    sent = "".join(path.read_text() for path in (ROOT / "instrumentation").rglob("*.py"))
    figures = (ROOT / "docs" / "self-metrics.md").read_text()

    own = {name for name in re.findall(r'"((?:spanglass|cpython)\.[a-z_.]+)"', text) if not name.endswith(".")}
    assert {name for name in own if f'"{name}"' not in sent} == set()
    told = set(re.findall(r"\bspanglass_[a-z_]+?(?=_bucket|_sum|_count|\b)", text)) - {"spanglass_task_outcome"}
    assert {name for name in told if f"`{name}`" not in figures} == set()
