"""Dashboards over the API: kept, changed by one person at a time, exported, and never in a way that loses something."""

from __future__ import annotations

import json

import pytest

from spanglass_server.store.service_slots import service_slot

ONE = {"name": "One", "panels": [{"title": "P", "query": "up"}]}
YAML = """\
monitoring:
  dashboards:
    - name: One
      refresh_interval: 30s
      panels:
        - title: P
          type: line
          query: up
"""


def told(answer):
    """Status, code and field of a failure."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("field")


def test_a_dashboard_is_kept_changed_and_deleted(api):
    """Create, list, get, change with its version, look back, delete."""
    client = api()
    made = client.post("/api/v1/dashboards", json={"dashboard": ONE}).json()
    assert (made["origin"], made["editable"], made["dashboard"]["uid"]) == ("kept", True, "one")
    assert client.get("/api/v1/dashboards/one").json() == made
    assert client.get("/api/v1/dashboards/one/yaml").json() == {"yaml": YAML}
    assert made["layout"] == [{"panel": "p", "x": 0, "y": 0, "w": 6, "h": 4}]

    changed = made["dashboard"] | {"name": "Renamed"}
    answer = client.put("/api/v1/dashboards/one", json={"dashboard": changed}, headers={"If-Match": made["version"]})
    assert (answer.json()["dashboard"]["uid"], answer.json()["dashboard"]["name"]) == ("one", "Renamed")
    listed = client.get("/api/v1/dashboards").json()
    assert [(row["uid"], row["name"], row["panels"]) for row in listed["dashboards"]] == [("one", "Renamed", 1)]
    versions = client.get("/api/v1/dashboards/one/versions").json()["versions"]
    assert [(old["version"], old["dashboard"]["name"]) for old in versions] == [(made["version"], "One")]

    current = {"If-Match": f'"{answer.json()["version"]}"'}
    assert client.delete("/api/v1/dashboards/one", headers=current).json() == {"uid": "one"}
    assert told(client.get("/api/v1/dashboards/one")) == (404, "not_found", "uid")


def test_of_two_editors_the_second_is_told(api):
    """A change of a version that stands no more is a 412 that gives the one that does; one without a version a 400."""
    client = api()
    first = client.post("/api/v1/dashboards", json={"yaml": YAML}).json()
    mine = {"dashboard": ONE | {"description": "mine"}}
    theirs = client.put("/api/v1/dashboards/one", json=mine, headers={"If-Match": first["version"]}).json()

    late = client.put("/api/v1/dashboards/one", json=mine, headers={"If-Match": first["version"]})
    assert told(late) == (412, "precondition_failed", "If-Match")
    assert theirs["version"] in late.json()["error"]["hint"]
    assert told(client.delete("/api/v1/dashboards/one", headers={"If-Match": "x"}))[0] == 412
    assert told(client.put("/api/v1/dashboards/one", json=mine)) == (400, "bad_request", "If-Match")
    assert told(client.post("/api/v1/dashboards", json=mine)) == (409, "conflict", "dashboard.uid")


def test_dashboards_of_files_are_read_only(api, tmp_path):
    """One of the settings file can be copied, not changed; the answer names its file."""
    (tmp_path / "settings.yaml").write_text(YAML)
    client = api()

    found = client.get("/api/v1/dashboards/one").json()
    assert (found["origin"], found["editable"]) == ("settings", False)
    refused = client.put("/api/v1/dashboards/one", json={"dashboard": ONE}, headers={"If-Match": found["version"]})
    assert told(refused) == (403, "forbidden", "uid")
    assert "settings.yaml" in refused.json()["error"]["hint"]
    copies = [client.post("/api/v1/dashboards/one/duplicate", json={}).json()["dashboard"] for _ in range(2)]
    assert [(copy["uid"], copy["name"]) for copy in copies] == [
        ("one-copy", "One (copy)"),
        ("one-copy-2", "One (copy)"),
    ]


def test_a_shipped_dashboard_can_be_changed_and_comes_back(api, tmp_path):
    """A change of one that came with the product is kept in its place; deleting that brings the product's back."""
    (tmp_path / "shipped" / "one.yaml").write_text(YAML)
    client = api()
    shipped = client.get("/api/v1/dashboards/one").json()
    assert (shipped["origin"], shipped["editable"]) == ("shipped", True)
    assert told(client.delete("/api/v1/dashboards/one", headers={"If-Match": "*"})) == (403, "forbidden", "uid")

    mine = {"dashboard": ONE | {"description": "mine"}}
    kept = client.put("/api/v1/dashboards/one", json=mine, headers={"If-Match": shipped["version"]}).json()
    assert (kept["origin"], kept["dashboard"]["description"]) == ("kept", "mine")
    client.delete("/api/v1/dashboards/one", headers={"If-Match": kept["version"]})
    assert client.get("/api/v1/dashboards/one").json() == shipped


def test_a_dashboard_is_listed_while_its_data_is_there(api, tmp_path):
    """One that names what it appears with is left out without it, unless all are asked for."""
    (tmp_path / "shipped" / "one.yaml").write_text("name: One\nappears_with: [logs]\n")

    def listed(client, **params):
        rows = client.get("/api/v1/dashboards", params=params).json()["dashboards"]
        return [(row["uid"], row["has_data"]) for row in rows]

    assert listed(api()) == []
    assert listed(api(), show="all") == [("one", False)]
    assert listed(api(logs=[{"time_ns": 5}])) == [("one", True)]


def test_all_problems_are_listed(api, tmp_path):
    """A check lists all problems and what is right; a refused change names the first; a broken file is told."""
    bad = {"dashboard": {"name": "Bad", "panels": [{"typ": "line", "query": "up"}, {"type": "lime", "query": "up"}]}}
    client = api()

    checked = client.post("/api/v1/dashboards/check", json=bad).json()
    assert [(problem["path"], problem["hint"]) for problem in checked["problems"]] == [
        ("panels[0].typ", "did you mean 'type'?"),
        ("panels[1].type", "did you mean 'line'?"),
    ]
    right = client.post("/api/v1/dashboards/check", json={"yaml": YAML}).json()
    assert [dashboard["uid"] for dashboard in right["dashboards"]] == ["one"]
    assert client.post("/api/v1/dashboards/check", json={"yaml": right["yaml"]}).json() == right
    refused = client.post("/api/v1/dashboards", json=bad)
    assert told(refused) == (400, "bad_request", "dashboard.panels[0].typ")
    assert "1 more" in refused.json()["error"]["message"]
    (tmp_path / "settings.yaml").write_text("monitoring:\n  dashboards: 5\n")
    (problem,) = client.get("/api/v1/dashboards").json()["problems"]
    assert (problem["line"], problem["column"], problem["file"]) == (2, 15, str(tmp_path / "settings.yaml"))


@pytest.mark.parametrize(
    "body", [{}, {"dashboard": ONE, "yaml": YAML}, {"yaml": "a: ["}, {"yaml": ""}, {"dashboard": []}]
)
def test_bodies_that_hold_no_dashboard(api, body):
    """A body without one dashboard is refused in the shape of errors."""
    assert told(api().post("/api/v1/dashboards", json=body))[:2] == (400, "bad_request")


def test_the_data_of_a_panel(api):
    """The data of a panel of a dashboard, or of any panel, comes in the described form; variables have values."""
    client = api(
        spans=[{"start_time_ns": 1990 * 10**9, "resource.service.name:str": "shop", "name": "GET /", "kind": 2}]
    )
    variables = [{"name": "service", "key": "service.name", "multi": True, "all": True}]
    query = {"signal": "spans", "filter": "service.name in ($service)", "by": "service.name"}
    client.post(
        "/api/v1/dashboards",
        json={"dashboard": ONE | {"variables": variables, "panels": [{"title": "P", "type": "top", "query": query}]}},
    )

    body = {"dashboard": "one", "panel": "p", "variables": {"service": "shop"}}
    answer = client.post("/api/v1/dashboards/panel-data", json=body).json()
    assert [(series["name"], series["value"]) for series in answer["series"]] == [("shop", 1.0)]
    assert answer["series"][0]["slot"] == service_slot("shop")
    assert answer["errors"] == []
    chosen = {"variables": '{"service": "shop"}', "format": "ndjson"}
    file = client.get("/api/v1/dashboards/one/panels/p/export", params=chosen)
    (row,) = [json.loads(line) for line in file.text.splitlines()]
    assert {name: row[name] for name in row if name != "time"} == {
        "query": "A", "series": "shop", "service.name": "shop", "value": 1.0,
    }  # fmt: skip
    assert file.headers["content-disposition"] == 'attachment; filename="p.ndjson"'
    wrong = client.get("/api/v1/dashboards/one/panels/p/export", params={"variables": "{"})
    assert told(wrong) == (400, "bad_request", "variables")
    alone = {"panel": {"query": "sum(x"}, "step": "1m", "points": 10}
    failed = client.post("/api/v1/dashboards/panel-data?last=1h", json=alone).json()
    assert [(error["query"], error["line"]) for error in failed["errors"]] == [("A", 1)]
    values = client.post("/api/v1/dashboards/variables", json={"dashboard": "one"}).json()["variables"]
    assert values == [{"name": "service", "values": ["shop"], "is_cut": False, "chosen": ["$__all"], "error": None}]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "panel"),
        ({"panel": "p"}, "panel"),
        ({"panel": {"typ": "line", "query": "up"}}, "panel.typ"),
        ({"panel": {"query": "up"}, "dashboard": "none"}, "dashboard"),
        ({"panel": {"query": "up"}, "variables": {"a": 1}}, "variables.a"),
        ({"panel": {"query": "up"}, "step": "soon"}, "step"),
        ({"panel": {"query": "up"}, "points": 0}, "points"),
        ({"panel": {"query": "up"}, "definitions": [{"nam": "x"}]}, "definitions[0].nam"),
    ],
)
def test_questions_for_data_that_are_wrong(api, body, field):
    """What is wrong with a question for the data of a panel is told with its field."""
    assert told(api().post("/api/v1/dashboards/panel-data", json=body))[2] == field


def test_a_dashboard_of_grafana_is_taken_over(api):
    """The answer has the dashboard, its YAML and what is left out; nothing is kept, and other JSON is refused."""
    client = api()
    panels = [{"type": "stat", "title": "Up", "targets": [{"expr": "up"}]}, {"type": "news", "title": "News"}]

    answer = client.post("/api/v1/dashboards/import", json={"grafana": {"title": "G", "panels": panels}}).json()

    assert [panel["title"] for panel in answer["dashboard"]["panels"]] == ["Up"]
    assert "promql: up" in answer["yaml"]
    assert answer["left_out"] == [{"panel": "News", "what": "the panel: it is of the type 'news'"}]
    assert client.get("/api/v1/dashboards/g").status_code == 404
    assert told(client.post("/api/v1/dashboards/import", json={"grafana": []}))[2] == "grafana"
