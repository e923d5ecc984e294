"""Dashboards over the API: kept, changed by one person at a time, exported, and never in a way that loses something."""

from __future__ import annotations

import pytest

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
