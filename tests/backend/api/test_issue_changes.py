"""Changing issues over HTTP: each field, what is refused and how, and undoing."""

from __future__ import annotations

import pytest
from test_issue_routes import issues  # noqa: F401 - the fixture

URL = "/api/v1/issues"


@pytest.mark.parametrize(
    ("body", "state", "substate"),
    [
        ({"state": "resolved"}, "resolved", "now 1.1"),
        ({"state": "resolved", "release": "1.4"}, "resolved", "in_release 1.4"),
        ({"state": "resolved", "resolution": "in_release"}, "resolved", "in_release 1.1"),
        ({"state": "resolved", "resolution": "in_next_release"}, "resolved", "in_next_release 1.1"),
        ({"state": "ignored"}, "ignored", "for_ever"),
        ({"state": "ignored", "until": {"events": 100}}, "ignored", "until_events 100"),
        ({"state": "ignored", "until": {"users": 3}}, "ignored", "until_users 3"),
        ({"state": "ignored", "until": {"escalates": True}}, "ignored", "until_escalates"),
        ({"state": "ignored", "until": {"time": "now+1s"}}, "ignored", "until_time 1970-01-01T00:33:21.000000000Z"),
        ({"state": "ongoing"}, "ongoing", ""),
        ({"assignee": "ann"}, "ongoing", ""),
    ],
)
def test_changes(issues, body, state, substate):  # noqa: F811 - the fixture
    """Each state and how it ends can be set, and the answer is the issue as it is now."""
    answer = issues.patch(f"{URL}/shop-1", json={**body, "actor": "ann"})

    (issue,) = answer.json()["issues"]
    assert (issue["id"], issue["state"], issue["substate"]) == ("SHOP-1", state, substate)
    last = issues.get(f"{URL}/SHOP-1").json()["activity"][-1]
    assert last["who"] == "ann"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "state"),
        ({"stat": "resolved"}, "stat"),
        ({"state": "regressed"}, "state"),
        ({"state": "resolved", "resolution": "later"}, "resolution"),
        ({"state": "resolved", "resolution": "now", "release": "1"}, "release"),
        ({"state": "ignored", "release": "1"}, "release"),
        ({"assignee": "ann", "until": {"events": 1}}, "until"),
        ({"state": "ignored", "until": 5}, "until"),
        ({"state": "ignored", "until": {"events": 0}}, "until.events"),
        ({"state": "ignored", "until": {"events": True}}, "until.events"),
        ({"state": "ignored", "until": {"time": "soon"}}, "until.time"),
        ({"state": "ignored", "until": {"time": "now-1h"}}, "until"),
        ({"assignee": 5}, "assignee"),
        ({"assignee": "x" * 201}, "assignee"),
    ],
)
def test_wrong_changes(issues, body, field):  # noqa: F811
    """What is wrong is named, with what the field takes; nothing is changed."""
    before = issues.get(f"{URL}/SHOP-1").json()

    answer = issues.patch(f"{URL}/SHOP-1", json=body)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field), answer.text
    assert issues.get(f"{URL}/SHOP-1").json() == before


def test_many_or_none(issues):  # noqa: F811
    """Several issues are changed at once, or none when one is not there."""
    missing = issues.patch(URL, json={"ids": ["SHOP-1", "SHOP-9"], "state": "resolved"})
    assert (missing.status_code, missing.json()["error"]["field"]) == (404, "ids")
    assert issues.get(URL).json()["counts"]["new"] == 2

    answer = issues.patch(URL, json={"ids": ["SHOP-1", "shop-2"], "assignee": "ann", "state": "resolved"})

    assert [(issue["state"], issue["assignee"]) for issue in answer.json()["issues"]] == [("resolved", "ann")] * 2
    assert issues.get(URL).json()["counts"]["resolved"] == 2
    for ids in ([], "SHOP-1", [1], ["SHOP-1"] * 1001):
        assert issues.patch(URL, json={"ids": ids, "state": "resolved"}).json()["error"]["field"] == "ids"


def test_comments(issues):  # noqa: F811
    """A comment has a text, and is told with the issue."""
    answer = issues.post(f"{URL}/SHOP-1/comments", json={"text": "look", "actor": "ann"})

    assert (answer.json()["text"], answer.json()["who"]) == ("look", "ann")
    assert issues.get(f"{URL}/SHOP-1").json()["comments"] == [answer.json()]
    for body, status, field in (({"text": " "}, 400, "text"), ({}, 400, "text"), ({"text": "x" * 10_001}, 400, "text")):
        refused = issues.post(f"{URL}/SHOP-1/comments", json=body)
        assert (refused.status_code, refused.json()["error"]["field"]) == (status, field)
    assert issues.post(f"{URL}/SHOP-9/comments", json={"text": "x"}).status_code == 404


@pytest.mark.parametrize("by", ["merge", "keys"])
def test_merge_and_unmerge(issues, by):  # noqa: F811
    """Merged issues are one with all events; each is itself again after the merge is undone, by it or by keys."""
    merged = issues.post(f"{URL}/merge", json={"ids": ["SHOP-2"], "into": "SHOP-1", "actor": "ann"}).json()
    assert merged["issue"]["id"] == "SHOP-1"
    (issue,) = issues.get(URL).json()["issues"]
    assert issue["events"] == 3

    what = {"merge": merged["merges"][0]["merge"], "keys": [f"{2:016x}"]}[by]
    answer = issues.post(f"{URL}/unmerge", json={"id": "SHOP-1", by: what})

    assert [each["id"] for each in answer.json()["issues"]] == ["SHOP-1", "SHOP-2"]
    assert sorted(each["events"] for each in issues.get(URL).json()["issues"]) == [1, 2]


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("merge", {"ids": ["SHOP-9"], "into": "SHOP-1"}, 404, "ids"),
        ("merge", {"ids": ["SHOP-2"]}, 400, "into"),
        ("unmerge", {"id": "SHOP-1"}, 400, "merge"),
        ("unmerge", {"id": "SHOP-1", "merge": 1, "keys": []}, 400, "merge"),
        ("unmerge", {"id": "SHOP-1", "merge": 77}, 400, "merge"),
        ("unmerge", {"id": "SHOP-1", "keys": ["x"]}, 400, "keys"),
        ("unmerge", {"id": "SHOP-1", "keys": [f"{1:016x}"]}, 400, "keys"),
        ("unmerge", {"id": "SHOP-9", "merge": 1}, 404, "id"),
    ],
)
def test_wrong_merges(issues, path, body, status, field):  # noqa: F811
    """What can't be merged or undone is refused, and the field is named."""
    answer = issues.post(f"{URL}/{path}", json=body)

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field), answer.text


def test_only_json_changes_anything(issues):  # noqa: F811
    """A body that any page of another site may send is refused."""
    answer = issues.post(f"{URL}/merge", content=b'{"ids": ["SHOP-2"], "into": "SHOP-1"}')

    assert answer.status_code == 415
