"""Dashboards of Grafana: what has a counterpart is taken over, and what has none is said, panel by panel."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanglass_server.dashboards.form.spec import DASHBOARDS
from spanglass_server.dashboards.grafana.importing import NotGrafanaError, import_grafana

PROMETHEUS = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}


def target(expr, ref="A", **more):
    """A query of a panel."""
    return {"datasource": PROMETHEUS, "expr": expr, "refId": ref, "editorMode": "code", "range": True, **more}


def panel(kind, *targets, defaults=None, **more):
    """A panel in the shape of Grafana 8 to 12."""
    return {
        "type": kind,
        "title": f"A {kind}",
        "datasource": PROMETHEUS,
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
        "fieldConfig": {"defaults": defaults or {}, "overrides": []},
        "targets": list(targets),
        **more,
    }


def dashboard(*panels, **more):
    """A dashboard as Grafana exports it."""
    return {"title": "From Grafana", "uid": "abc_1", "schemaVersion": 39, "panels": list(panels), **more}


def imported(*panels, **more):
    """The panels as they are written, and what is left out."""
    found = import_grafana(dashboard(*panels, **more))
    assert DASHBOARDS.read_yaml(DASHBOARDS.to_yaml([found.dashboard])).values == (found.dashboard,)
    written = DASHBOARDS.to_json(found.dashboard, full=False)
    for each in written.get("panels", []):
        each.pop("position")
        each.pop("title", None)
    return written.get("panels", []), [(entry.panel, entry.what) for entry in found.left_out]


STEPS = {"mode": "absolute", "steps": [{"color": "green", "value": None}, {"color": "dark-red", "value": 80}]}
PANELS = [
    (
        panel("timeseries", target("rate(x[$__rate_interval])", legendFormat="{{job}}"), defaults={"unit": "reqps"}),
        {"type": "line", "query": {"promql": "rate(x[$__rate_interval])", "legend": "{{job}}"}, "unit": "/s"},
    ),
    (
        panel(
            "timeseries",
            target("a", legendFormat="__auto", exemplar=True),
            defaults={
                "unit": "percentunit",
                "min": 0,
                "max": 1,
                "thresholds": STEPS,
                "custom": {"stacking": {"mode": "normal"}, "spanNulls": True, "scaleDistribution": {"type": "log"}},
            },
            options={"legend": {"displayMode": "table", "showLegend": True}},
        ),
        {
            "type": "area",
            "query": {"promql": "a"},
            "unit": "ratio",
            "options": {
                "min": 0,
                "max": 1,
                "stacked": True,
                "legend": "table",
                "log_scale": True,
                "connect_gaps": True,
                "exemplars": True,
            },
        },
    ),
    (
        panel("timeseries", target("a"), defaults={"custom": {"drawStyle": "bars", "fillOpacity": 100}}),
        {"type": "bar", "query": {"promql": "a"}},
    ),
    (
        panel(
            "timeseries",
            target("a"),
            target("b", "B", hide=True),
            {
                "datasource": {"type": "__expr__", "uid": "__expr__"},
                "type": "math",
                "expression": "$A / ${B}",
                "refId": "C",
            },
        ),
        {
            "type": "line",
            "queries": [{"promql": "a"}, {"promql": "b", "hidden": True}, {"formula": "A / B"}],
        },
    ),
    (
        panel(
            "stat",
            target("up", instant=True),
            defaults={"unit": "s", "decimals": 2, "thresholds": STEPS},
            options={"reduceOptions": {"calcs": ["mean"]}, "graphMode": "none"},
        ),
        {
            "type": "stat",
            "query": {"promql": "up"},
            "unit": "s",
            "thresholds": [{"value": 80, "level": "critical"}],
            "options": {"calculation": "mean", "decimals": 2, "sparkline": False},
        },
    ),
    (
        panel("gauge", target("up"), defaults={"min": 0, "max": 200, "thresholds": {**STEPS, "mode": "percentage"}}),
        {
            "type": "gauge",
            "query": {"promql": "up"},
            "thresholds": [{"value": 160, "level": "critical"}],
            "options": {"min": 0, "max": 200},
        },
    ),
    (panel("bargauge", target("topk(5, x)")), {"type": "top", "query": {"promql": "topk(5, x)"}}),
    (panel("table", target("x", format="table", instant=True)), {"type": "table", "query": {"promql": "x"}}),
    (
        panel("heatmap", target("sum by (le) (rate(x_bucket[5m]))", format="heatmap")),
        {"type": "heatmap", "query": {"promql": "sum by (le) (rate(x_bucket[5m]))"}},
    ),
    (
        panel("text", options={"mode": "markdown", "content": "# Hello $job"}),
        {"type": "text", "options": {"text": "# Hello $job"}},
    ),
    (
        {
            "type": "graph",
            "title": "Old",
            "gridPos": {},
            "stack": True,
            "fill": 1,
            "nullPointMode": "connected",
            "datasource": "Prometheus",
            "targets": [{"expr": "x", "refId": "A"}],
            "yaxes": [{"format": "bytes", "min": "0", "max": None}, {"format": "short"}],
            "thresholds": [{"value": 5, "op": "gt", "colorMode": "critical"}],
            "legend": {"show": False},
        },
        {
            "type": "area",
            "query": {"promql": "x"},
            "unit": "bytes",
            "thresholds": [{"value": 5, "level": "critical"}],
            "options": {"min": 0, "stacked": True, "legend": "hidden", "connect_gaps": True},
        },
    ),
    (
        {
            "type": "singlestat",
            "title": "Old",
            "format": "ms",
            "valueName": "avg",
            "thresholds": "10,20",
            "targets": [{"expr": "x", "refId": "A"}],
        },
        {
            "type": "stat",
            "query": {"promql": "x"},
            "unit": "ms",
            "thresholds": [10, {"value": 20, "level": "critical"}],
            "options": {"calculation": "mean"},
        },
    ),
    (panel("row", title="Details", collapsed=False), {"type": "text", "options": {"text": "## Details"}}),
]


@pytest.mark.parametrize(("given", "expected"), PANELS, ids=[f"{n} {p['type']}" for n, (p, _) in enumerate(PANELS)])
def test_panels_that_have_a_counterpart(given, expected):
    """Each type becomes ours with its queries, unit, thresholds and options, and nothing is left out."""
    panels, left_out = imported(given)

    if "thresholds" in expected:
        expected = expected | {
            "thresholds": [{"value": each} if isinstance(each, int) else each for each in expected["thresholds"]]
        }
    assert (panels, left_out) == ([expected], [])


LEFT_OUT = [
    (panel("state-timeline", target("x")), "the panel: it is of the type 'state-timeline'"),
    (panel("logs", {"datasource": {"type": "loki"}, "expr": "{}"}), "the panel: it asks loki, whose queries"),
    (panel("timeseries", {"datasource": {"type": "mysql"}, "rawSql": "SELECT 1"}), "query A: its source is mysql"),
    (
        panel("timeseries", {"datasource": {"uid": "__expr__"}, "type": "reduce", "refId": "B"}),
        "query B: an expression",
    ),
    (panel("timeseries"), "the panel: it has no query that can be asked here"),
    (panel("timeseries", target("x"), transformations=[{"id": "merge"}]), "transformations: merge"),
    (panel("timeseries", target("x"), fieldConfig={"overrides": [{"matcher": {}}]}), "overrides of single series"),
    (panel("stat", target("x"), defaults={"mappings": [{"type": "value"}]}), "texts for values"),
    (panel("stat", target("x"), repeat="job"), "repeating for each value of job"),
    (panel("stat", target("x"), options={"reduceOptions": {"calcs": ["stdDev"]}}), "the calculation 'stdDev'"),
    (panel("stat", target("x"), defaults={"unit": "conmgm3"}), "the unit 'conmgm3' is shown as the word"),
    (panel("stat", target("x"), links=[{"url": "/d/abc", "title": "Other"}]), "the link 'Other' within Grafana"),
    (panel("piechart", target("x")), "the pie: a list of the largest is shown"),
    (panel("text", options={"mode": "html", "content": "<b>"}), "HTML: it is shown as text"),
    (panel("timeseries", target("x"), alert={"name": "a"}), "its alert rule"),
    ({"libraryPanel": {"uid": "x"}, "title": "Shared"}, "the panel: it is a library panel"),
]


@pytest.mark.parametrize(("given", "what"), LEFT_OUT, ids=[what for _, what in LEFT_OUT])
def test_what_is_left_out_is_said_with_its_panel(given, what):
    """Everything of a panel that has no counterpart is named with the panel's title."""
    _, left_out = imported(given)

    assert any(title == given["title"] and told.startswith(what) for title, told in left_out), left_out


def variable(kind, name="v", **more):
    """A variable in Grafana's shape."""
    return {"type": kind, "name": name, "label": None, "hide": 0, "options": [], "current": {}, **more}


VARIABLES = [
    (
        variable(
            "query",
            datasource=PROMETHEUS,
            query={"query": "label_values(up, job)", "refId": "x"},
            multi=True,
            includeAll=True,
            allValue=".*",
            current={"text": ["All"], "value": ["$__all"]},
            regex="/^(a.*)$/",
            label="Job",
        ),
        {"query": "label_values(up, job)", "regex": "^(a.*)$", "label": "Job", "multi": True, "all": True},
    ),
    (
        variable("query", query="label_values(job)", current={"value": "api"}),
        {"query": "label_values(job)", "default": "api"},
    ),
    (variable("custom", query="one : 1,two : 2, three"), {"values": ["1", "2", "three"]}),
    (
        variable("interval", query="1m,10m", auto=True, current={"value": "$__auto_interval_v"}),
        {"values": ["1m", "10m"], "default": "1m"},
    ),
    (variable("constant", query="x"), {"values": ["x"], "hidden": True}),
    (variable("textbox", query="x"), {"default": "x"}),
    (variable("datasource", query="prometheus"), None),
    (variable("adhoc"), None),
    (variable("query", query="SELECT 1"), None),
]


@pytest.mark.parametrize(
    ("given", "expected"), VARIABLES, ids=[f"{n} {v['type']}" for n, (v, _) in enumerate(VARIABLES)]
)
def test_variables(given, expected):
    """Variables keep their queries, values and choices; those without a counterpart are said."""
    found = import_grafana(dashboard(templating={"list": [given]}))

    written = DASHBOARDS.to_json(found.dashboard, full=False).get("variables", [])
    assert written == ([{"name": "v", **expected}] if expected is not None else [])
    assert (expected is None) <= any("the variable v" in entry.what for entry in found.left_out)


def test_the_dashboard_around_the_panels():
    """Title, uid, tags, refresh, range, annotations and links are taken over, also from Grafana's API."""
    annotations = [
        {"builtIn": 1, "name": "Annotations & Alerts", "datasource": {"type": "grafana", "uid": "-- Grafana --"}},
        {"name": "Deploys", "datasource": PROMETHEUS, "expr": "changes(v[1m]) > 0", "titleFormat": "{{version}}"},
        {"name": "Logs", "datasource": {"type": "loki"}, "expr": "{}"},
    ]
    source = dashboard(
        tags=["a", "b"],
        refresh="1m",
        time={"from": "now-6h", "to": "now"},
        annotations={"list": annotations},
        links=[{"type": "link", "url": "https://example.org", "title": "Out"}, {"type": "dashboards", "title": "More"}],
    )

    found = import_grafana({"dashboard": source, "meta": {"slug": "x"}})

    assert DASHBOARDS.to_json(found.dashboard, full=False) == {
        "name": "From Grafana",
        "uid": "abc_1",
        "tags": ["a", "b"],
        "refresh_interval": "1m",
        "range": "6h",
        "annotations": [{"name": "Deploys", "source": "promql", "query": "changes(v[1m]) > 0", "label": "{{version}}"}],
        "links": [{"title": "Out", "url": "https://example.org"}],
    }
    assert [entry.what for entry in found.left_out] == [
        "the annotation 'Logs': it does not come from PromQL",
        "the link 'More' within Grafana",
    ]


def test_places_on_the_grid():
    """24 narrow columns become 12 and nothing overlaps, also below rows, whose folded panels follow them."""
    inner = panel("stat", target("x"), gridPos={"x": 0, "y": 9, "w": 5, "h": 3})
    source = dashboard(
        panel("stat", target("x"), gridPos={"x": 0, "y": 0, "w": 8, "h": 4}),
        panel("stat", target("x"), gridPos={"x": 8, "y": 0, "w": 16, "h": 4}),
        panel("row", title="R", collapsed=True, gridPos={"x": 0, "y": 4, "w": 24, "h": 1}, panels=[inner]),
        panel("stat", target("x"), gridPos={"x": 0, "y": 5, "w": 24, "h": 9}),
    )

    places = [each.position for each in import_grafana(source).dashboard.panels]

    assert [(place.x, place.y, place.w, place.h) for place in places] == [
        *((0, 0, 4, 2), (4, 0, 8, 2), (0, 2, 12, 1), (0, 4, 2, 2), (0, 6, 12, 5)),
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "no JSON object"),
        ({"title": "x"}, "no panels"),
        ({"rows": [{"panels": []}]}, "before Grafana 5"),
        ({"apiVersion": "dashboard.grafana.app/v2beta1", "spec": {"elements": {}}}, "schema v2"),
    ],
)
def test_what_is_no_dashboard_of_grafana(value, message):
    """Other JSON is refused with what to do."""
    with pytest.raises(NotGrafanaError, match=message) as caught:
        import_grafana(value)

    assert caught.value.hint


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2000) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_KEYS = ("gridPos", "fieldConfig", "targets", "options", "title", "links", "thresholds", "yaxes", "datasource", "type")


@given(
    st.sampled_from([each for each, _ in PANELS]),
    st.dictionaries(st.sampled_from(_KEYS), _ANY, max_size=4),
    st.dictionaries(st.sampled_from(("templating", "annotations", "refresh", "time", "tags", "uid")), _ANY, max_size=3),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_taken_over_or_left_out(given_panel, changed, around):
    """Whatever stands in the places of the export, the result is a dashboard, or a refusal."""
    source = dashboard({**given_panel, **changed}, **around)

    found = import_grafana(source)

    assert DASHBOARDS.read_yaml(DASHBOARDS.to_yaml([found.dashboard])).values == (found.dashboard,)
