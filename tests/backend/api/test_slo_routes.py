"""The API about objectives: kept, changed and deleted; how they stand, their course, and what used their budgets."""

from __future__ import annotations

import pytest

S = 10**9
SHOP = {"name": "Shop answers", "target": "99%", "spans": "name:GET", "good": "status != error"}


def span(second, status=0):
    """Make a span that begins in a second."""
    return {
        "trace_id": bytes(16),
        "span_id": second.to_bytes(8, "big"),
        "name": "GET",
        "kind": 2,
        "start_time_ns": second * S,
        "duration_ns": 5,
        "status_code": status,
    }


def test_an_objective_is_kept_changed_and_deleted(api):
    """What is typed is kept with who did it; a change names the version; what was before is listed."""
    client = api(spans=[span(1000 + number, 2 if number < 2 else 0) for number in range(50)])

    made = client.post("/api/v1/slos", json={"slo": SHOP, "by": "mara"})
    assert made.status_code == 201
    uid, version = made.json()["uid"], made.json()["version"]
    assert client.post("/api/v1/slos", json={"slo": SHOP}).json()["error"]["field"] == "slo.uid"

    page = client.get(f"/api/v1/slos/{uid}").json()
    assert (page["status"], page["budget"]["total"], page["budget"]["bad"]) == ("exhausted", 50, 2)
    assert page["budget"]["left"] == pytest.approx(-3)
    assert page["bad_filter"] == "(name:GET) and not (status != error)"
    assert page["rules"][0]["uid"] == "slo-shop-answers-fast"
    (listed,) = client.get("/api/v1/slos").json()["slos"]
    assert listed.items() <= page.items()
    assert client.get("/api/v1/slos", params={"service": "other"}).json()["slos"] == []

    changed = {"yaml": "name: Shop answers\ntarget: 95%\nspans: name:GET\ngood: status != error\n", "version": version}
    assert client.put(f"/api/v1/slos/{uid}", json={**changed, "version": ""}).status_code == 400
    kept = client.put(f"/api/v1/slos/{uid}", json=changed, headers={"X-Spanglass-User": "joe"})
    assert kept.json()["slo"]["target"] == "95%"
    assert client.put(f"/api/v1/slos/{uid}", json=changed).json()["error"]["code"] == "conflict"
    assert client.get(f"/api/v1/slos/{uid}").json()["budget"]["left"] == pytest.approx(0.2)
    assert client.delete(f"/api/v1/slos/{uid}", params={"version": kept.json()["version"]}).status_code == 200

    assert [old["slo"]["target"] for old in client.get(f"/api/v1/slos/{uid}/versions").json()["versions"]] == [
        "95%",
        "99%",
    ]
    changes = client.get(f"/api/v1/slos/{uid}/changes").json()["changes"]
    assert [(each["kind"], each["by"]) for each in changes] == [
        ("deleted", "api"),
        ("changed", "joe"),
        ("created", "mara"),
    ]
    assert "99%" in changes[1]["before"]
    assert client.get("/api/v1/slos/changes").json()["changes"][:3] == changes
    assert client.get(f"/api/v1/slos/{uid}").status_code == 404


def test_a_check_that_is_not_there_is_told(api):
    """An objective over an unknown check is kept, and says that nothing is counted; one that is there says nothing."""
    client = api()
    made = [
        client.post("/api/v1/slos", json={"slo": {"name": check, "target": "99%", "check": check}}).json()
        for check in ("site", "sito")
    ]
    said = "there is no check 'sito': nothing is counted until there is one; did you mean 'site'?"
    assert [each["lacking"] for each in made] == [None, said]
    assert {each["uid"]: each["lacking"] for each in client.get("/api/v1/slos").json()["slos"]}["sito"] == said
    assert client.get("/api/v1/slos/sito").json()["lacking"] == said


def test_course_and_episodes_of_an_objective(api):
    """The course has each hour and day of a range with what was left; what used the budget is a stretch of minutes."""
    client = api(spans=[span(1000 + number, 2 if 20 <= number < 25 else 0) for number in range(500)])
    uid = client.post("/api/v1/slos", json={"slo": SHOP}).json()["uid"]

    course = client.get(f"/api/v1/slos/{uid}/history", params={"start": "0", "end": "7200"}).json()
    assert (course["total"], course["bad"]) == ([500], [5])
    assert course["left"] == pytest.approx([0])
    assert course["days"][0]["budget"]["good"] == pytest.approx(0.99)

    def counted(start, end):
        found = client.get(f"/api/v1/slos/{uid}/history", params={"start": start, "end": end}).json()["counted"]
        return found["total"], found["bad"], found["good"]

    assert counted("0", "960") == (0, 0, None)
    assert counted("990", "1290") == (300, 5, pytest.approx(1 - 5 / 300))
    assert counted("1290", "7200") == (180, 0, 1)

    (episode,) = client.get(f"/api/v1/slos/{uid}/episodes", params={"start": "0"}).json()["episodes"]
    assert (episode["start_time"], episode["bad"]) == ("1970-01-01T00:17:00.000000000Z", 5)
    assert episode["share"] == pytest.approx(1)

    tried = client.post("/api/v1/slos/try", json={"slo": {**SHOP, "target": "90%"}}).json()
    assert (tried["budget"]["total"], tried["burn_rate"]) == (500, pytest.approx(0.1))
    up = client.post("/api/v1/slos/try", json={"slo": {"name": "Up", "target": "99%", "check": "site"}}).json()
    assert up["budget"]["good"] == 1


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "slo", "the objective is missing"),
        ({"slo": SHOP, "yaml": ""}, "slo", "both"),
        ({"slo": {**SHOP, "good": "status:"}}, "slo.good", "character"),
        ({"slo": {**SHOP, "target": "12"}}, "slo.target", "no target"),
        ({"yaml": "slos: []"}, "yaml", "0 objectives"),
    ],
)
def test_what_is_wrong_names_the_field(api, body, field, words):
    """What can't be kept is refused by the field that is wrong; checking tells of all without keeping."""
    client = api()

    error = client.post("/api/v1/slos", json=body).json()["error"]

    assert error["field"] == field
    assert words in error["message"]
    checked = client.post("/api/v1/slos/check", json={"slo": {**SHOP, "windw": "7d", "target": "1%"}}).json()
    assert [problem["path"] for problem in checked["problems"]] == ["target", "windw"]
    assert client.get("/api/v1/slos").json()["slos"] == []
