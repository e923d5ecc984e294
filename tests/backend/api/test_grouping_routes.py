"""The rules of grouping over HTTP: added, tried, deleted; regrouping is begun."""

from __future__ import annotations

import pytest
from test_issue_routes import issues  # noqa: F401 - the fixture

RULES = "/api/v1/grouping/rules"
RULE = {"match": {"type": "*Error"}, "action": {"join": "all"}}


def test_rules(issues):  # noqa: F811 - the fixture
    """A rule is added, listed and deleted; another deletion finds none."""
    added = issues.post(RULES, json={"rule": RULE, "actor": "ann"}).json()

    assert (added["rule"], added["who"]) == ({"service": "", **RULE}, "ann")
    assert issues.get(RULES).json() == {"rules": [added]}
    assert issues.delete(f"{RULES}/{added['id']}?actor=bob").json() == {"rules": []}
    gone = issues.delete(f"{RULES}/{added['id']}")
    assert (gone.status_code, gone.json()["error"]["field"]) == (404, "rule")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rule"),
        ({"rule": 5}, "rule"),
        ({"rule": {"match": {"type": "x"}}}, "rule.action"),
        ({"rule": {"match": {"typ": "x"}, "action": {"join": "x"}}}, "rule.match.typ"),
        ({"rule": {"match": {}, "action": {"join": "x"}}}, "rule.match"),
        ({"rule": RULE, "x": 1}, "x"),
    ],
)
@pytest.mark.parametrize("url", [RULES, "/api/v1/grouping/preview"])
def test_wrong_rules(issues, url, body, field):  # noqa: F811
    """What is wrong in a rule is named, whether it is tried or added."""
    answer = issues.post(url, json=body)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text


def test_a_preview(issues):  # noqa: F811
    """A rule is tried without being added."""
    answer = issues.post("/api/v1/grouping/preview", json={"rule": RULE})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["compared"], answer.json()["moved"]) == (2, 2)
    assert issues.get(RULES).json() == {"rules": []}


def test_regrouping(issues):  # noqa: F811
    """It is begun, and how far it is can be asked."""
    idle = {"is_running": False, "done": 0, "total": 0, "moved": 0, "error": None}
    assert issues.get("/api/v1/issues/regroup").json() == idle

    begun = issues.post("/api/v1/issues/regroup", json={}).json()

    assert begun == {**idle, "is_running": True, "total": 3}
    assert issues.get("/api/v1/issues/regroup").json() == begun
