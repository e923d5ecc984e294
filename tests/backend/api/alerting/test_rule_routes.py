"""Rules over the API: shown with how they stand, kept and changed by one person at a time, tried beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_rules import made_rule

from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Health, Phase, State
from spanglass_server.alerting.model import KeyState, Readings
from spanglass_server.alerting.ports import Tick
from spanglass_server.alerting.watching.status import AlerterStatus, Evaluation, RuleStatus

SECOND = 10**9
RULES = "/api/v1/rules"
THRESHOLDS = "/api/monitoring/thresholds/"
YAML = """\
monitoring:
  alert_rules:
    - name: Errors of checkout
      condition: error_rate > 5%
      severity: critical
"""


def told(answer):
    """Status, code and field of a failure."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("field")


def put_status(desk, **rules):
    """Have the alerter say how rules stand."""
    desk.status = lambda: AlerterStatus(
        last_tick_ns=1990 * SECOND,
        lag_p50_ns=5,
        lag_p99_ns=9,
        ticks=7,
        missed_ticks=2,
        failed_evaluations=1,
        rules=rules,
    )


def test_the_list_says_how_each_rule_stands(client, desk, tmp_path):
    """By name, with one word for each: the most urgent of what its keys say; problems of files and the alerter too."""
    ok = RuleStatus(last_ns=1990 * SECOND, duration_ns=3, keys=4, value=0.02, unit="ratio")
    standing = {
        "quiet": ok,
        "pending": replace(ok, pending=1),
        "firing": replace(ok, firing=2, pending=1, severity=Severity.CRITICAL, value=0.5, health=Health.ERROR),
        "silent": replace(ok, health=Health.NO_DATA, keys=0, value=None),
        "broken": replace(ok, health=Health.ERROR, error="no such metric"),
        "off": ok,
    }
    for uid in standing:
        desk.book.add(made_rule(uid, enabled=uid != "off"), "files")
    desk.book.add(made_rule("new"))
    wrong = tmp_path / "rules" / "files" / "wrong.yaml"
    wrong.write_text("alert_rules:\n  - name: x\n    condition: up > 1\n    seveity: error\n")
    put_status(desk, **standing)

    found = client.get(RULES).json()

    assert {row["uid"]: row["state"] for row in found["rules"]} == {
        "broken": "error",
        "firing": "firing",
        "new": "unknown",
        "off": "disabled",
        "pending": "pending",
        "quiet": "inactive",
        "silent": "no_data",
    }
    firing = next(row for row in found["rules"] if row["uid"] == "firing")
    assert (firing["firing"], firing["pending"], firing["level"], firing["value"]) == (2, 1, "critical", 0.5)
    assert (firing["origin"], firing["line"], firing["editable"]) == ("files", 3, False)
    assert firing["file"].endswith("files/firing.yaml")
    assert firing["last_evaluation_time"] == "1970-01-01T00:33:10.000000000Z"
    assert [row["last_evaluation_time"] for row in found["rules"] if row["uid"] == "new"] == [None]
    (problem,) = found["problems"]
    assert problem.startswith(f"{wrong}:4:5: ")
    assert problem.endswith("unknown key 'seveity'; did you mean 'severity'?")
    assert found["alerter"] | {"problems": 0} == {
        "last_tick_time": "1970-01-01T00:33:10.000000000Z",
        "lag_p50_ns": 5,
        "lag_p99_ns": 9,
        "ticks": 7,
        "missed_ticks": 2,
        "failed_evaluations": 1,
        "silent_since_time": None,
        "problems": 0,
    }


def test_one_rule_has_its_keys_and_evaluations(client, desk):
    """Keys that fire come first; evaluations the newest first; the rule with all its keys; its thresholds."""
    desk.book.add(made_rule(critical=0.2, for_ns=60 * SECOND))
    done = tuple(Evaluation(n * SECOND, 10, 2, n, "") for n in (1, 2))
    put_status(desk, **{"checkout-errors": RuleStatus(last_ns=2 * SECOND, evaluations=done, warnings=("sampled",))})
    states = [
        KeyState("checkout-errors", (("service_name", "cart"),), State(Phase.PENDING, pending_ns=SECOND)),
        KeyState(
            "checkout-errors",
            (("service_name", "shop"),),
            State(Phase.FIRING, Health.OK, Severity.CRITICAL, SECOND, 2 * SECOND, 3 * SECOND, 0, 3 * SECOND, 0.3),
            "a1",
        ),
        KeyState("other", (), State(Phase.FIRING)),
    ]
    desk.store.commit(Tick(3 * SECOND, ("checkout-errors",), tuple(states)))

    found = client.get(f"{RULES}/checkout-errors").json()

    assert [(key["labels"], key["phase"], key["alert_id"]) for key in found["key_states"]] == [
        ({"service_name": "shop"}, "firing", "a1"),
        ({"service_name": "cart"}, "pending", None),
    ]
    assert found["key_states"][0]["fired_time"] == "1970-01-01T00:00:02.000000000Z"
    assert [each["firing"] for each in found["evaluations"]] == [2, 1]
    assert (found["warnings"], found["rule"]["critical"], found["rule"]["for"]) == (["sampled"], 0.2, "1m")
    assert found["threshold"]["critical_threshold"] == 0.2
    assert client.get(f"{RULES}/checkout-errors/yaml").json()["yaml"].startswith("monitoring:\n  alert_rules:\n")
    missing = client.get(f"{RULES}/checkout-error")
    assert told(missing) == (404, "not_found", "uid")
    assert "checkout-errors" in missing.json()["error"]["hint"]


def test_a_rule_is_kept_changed_and_deleted(client):
    """Created from YAML, changed as JSON with its version, and gone; each change is told with who made it."""
    made = client.post(RULES, json={"yaml": YAML, "by": "ann"})
    assert made.status_code == 201
    first = made.json()
    assert (first["uid"], first["rule"]["severity"], first["origin"]) == ("errors-of-checkout", "critical", "kept")
    assert told(client.post(RULES, json={"yaml": YAML})) == (409, "conflict", "rule.uid")

    mine = {"rule": first["rule"] | {"name": "Renamed", "condition": "error_rate > 10%"}, "version": first["version"]}
    changed = client.put(f"{RULES}/errors-of-checkout", json=mine, headers={"X-Spanglass-User": "bob"}).json()
    assert (changed["uid"], changed["name"], changed["condition"]) == (
        "errors-of-checkout",
        "Renamed",
        "error_rate > 10%",
    )

    late = client.put(f"{RULES}/errors-of-checkout", json=mine)
    assert told(late) == (409, "conflict", "version")
    assert changed["version"] in late.json()["error"]["hint"]
    assert told(client.put(f"{RULES}/errors-of-checkout", json={"yaml": YAML})) == (400, "bad_request", "version")
    stale = client.delete(f"{RULES}/errors-of-checkout", params={"version": first["version"]})
    assert told(stale) == (409, "conflict", "version")

    versions = client.get(f"{RULES}/errors-of-checkout/versions").json()["versions"]
    assert [(old["version"], old["rule"]["name"]) for old in versions] == [(first["version"], "Errors of checkout")]
    gone = client.delete(f"{RULES}/errors-of-checkout", params={"version": changed["version"]})
    assert gone.json() == {"uid": "errors-of-checkout"}
    assert client.get(RULES).json()["rules"] == []
    changes = client.get(f"{RULES}/errors-of-checkout/changes").json()["changes"]
    assert [(each["kind"], each["by"]) for each in changes] == [
        ("deleted", "api"),
        ("changed", "bob"),
        ("created", "ann"),
    ]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "rule", "rule"),
        ({"rule": {"name": "x", "condition": "error_rate > 5%"}, "yaml": YAML}, "rule", "needed"),
        ({"rule": {"name": "x"}}, "rule", "condition"),
        ({"rule": {"name": "x", "condition": "error_rate >"}}, "rule.condition", ""),
        ({"rule": {"name": "x", "condition": "error_rate > 1", "seveity": "error"}}, "rule.seveity", "severity"),
        ({"rule": {"name": "x", "condition": "error_rate > 1", "severity": "bad"}}, "rule.severity", "bad"),
        ({"rule": {"name": "x", "condition": "error_rate > 5%", "critical": 0.01}}, "rule.critical", "critical"),
        ({"rule": {"name": "x", "condition": "nonsense > 1"}}, "rule.condition", "nonsense"),
        ({"yaml": "alert_rules: []"}, "yaml", "0 alert rules"),
        ({"yaml": "alert_rules: [a"}, "rule", "line"),
        ({"rule": {"name": "x", "condition": "up > 1"}, "colour": "red"}, "colour", "colour"),
    ],
)
def test_a_wrong_rule_names_the_field(client, body, field, words):
    """The first thing that is wrong, with its key; nothing is kept."""
    answer = client.post(RULES, json=body)
    assert told(answer) == (400, "bad_request", field)
    assert words in answer.text
    assert client.get(RULES).json()["rules"] == []


def test_rules_of_files_and_shipped_ones(client, desk):
    """One of a file is changed there; a shipped one can be changed, not deleted; both are switched off and on."""
    desk.book.add(made_rule("of-file"), "files")
    desk.book.add(made_rule("shipped"), "shipped")
    body = {"rule": {"name": "x", "condition": "error_rate > 1"}, "version": "x"}

    refused = client.put(f"{RULES}/of-file", json=body)
    assert told(refused) == (403, "forbidden", "uid")
    assert "files/of-file.yaml" in refused.json()["error"]["hint"]
    assert told(client.delete(f"{RULES}/shipped", params={"version": "x"})) == (403, "forbidden", "uid")
    for uid in ("of-file", "shipped"):
        assert client.post(f"{RULES}/{uid}/disable", json={"by": "ann"}).json()["state"] == "disabled"
        again = client.post(f"{RULES}/{uid}/enable", json={}).json()
        assert (again["enabled"], again["tuned"]) == (True, False), "as it is written"
    templates = client.get(f"{RULES}/templates").json()["templates"]
    assert [(each["rule"]["uid"], "alert_rules:" in each["yaml"]) for each in templates] == [("shipped", True)]


def test_all_problems_of_a_text_are_listed(client):
    """Of a file with line and column, of a condition with its column; what is right is given back in full."""
    bad = YAML + "    - name: two\n      condition: error_rate >> 5\n      severity: bad\n"
    checked = client.post(f"{RULES}/check", json={"yaml": bad}).json()
    assert [(each["path"].rpartition(".")[2], each["line"]) for each in checked["problems"]] == [
        ("condition", 7),
        ("severity", 8),
    ]
    assert [rule["name"] for rule in checked["rules"]] == ["Errors of checkout"]

    (problem,) = client.post(f"{RULES}/check", json={"condition": "error_rate > 1 and nonsense > 2"}).json()["problems"]
    assert (problem["path"], problem["column"], "nonsense" in problem["message"]) == ("condition", 20, True)
    right = client.post(f"{RULES}/check", json={"rule": {"name": "n", "condition": "disk_usage > 90%"}}).json()
    assert (right["problems"], right["yaml"].count("disk_usage")) == ([], 1)
    assert told(client.post(f"{RULES}/check", json={})) == (400, "bad_request", "rule")


def test_a_rule_is_tried(client, desk):
    """A saved one, one that is typed and a condition by itself: as it is now, and over a range."""
    desk.book.add(made_rule())
    key = (("service_name", "shop"),)
    desk.evaluator.readings = Readings(
        np.array([1995 * SECOND]), (key,), np.array([[0.1]]), np.array([[2]], np.int8), np.array([[False]]), "ratio"
    )
    for body in ({"uid": "checkout-errors"}, {"condition": "error_rate > 5%"}, {"yaml": YAML}):
        found = client.post(f"{RULES}/preview", json=body).json()
        assert found["keys"] == [{"labels": {"service_name": "shop"}, "value": 0.1, "severity": "warning"}]
        assert (found["crossing"], found["failure"]) == (1, None)
    failed = client.post(f"{RULES}/preview", json={"condition": "nonsense > 1"}).json()
    assert failed["failure"] == {"message": "there is no metric 'nonsense'", "column": 1}
    assert told(client.post(f"{RULES}/preview", json={"uid": "none"})) == (404, "not_found", "uid")
    assert told(client.post(f"{RULES}/preview", json={})) == (400, "bad_request", "rule")
    wrong = client.post(f"{RULES}/preview", json={"condition": "error_rate >> 1"})
    assert told(wrong) == (400, "bad_request", "condition")
    assert wrong.json()["error"]["column"] == 13

    typed = {"condition": "nonsense > 1"}
    tested = client.post(f"{RULES}/backtest", json={**typed, "last": "5m"}, params={"last": "1h"}).json()
    assert client.post(f"{RULES}/backtest", json=typed, params={"last": "5m"}).json()["window"] == tested["window"]
    assert tested["failure"]["column"] == 1
    assert tested["window"] == {
        "start_time": "1970-01-01T00:28:20.000000000Z",
        "end_time": "1970-01-01T00:33:20.000000000Z",
    }
    for body, field in (({"last": "soon"}, "last"), ({"step": "7s"}, "step"), ({"step": "x"}, "step")):
        answer = client.post(f"{RULES}/backtest", json={"uid": "checkout-errors", **body})
        assert told(answer) == (400, "bad_request", field)


def test_completion_knows_measures_metrics_and_labels(client):
    """At the end of what is typed, or within it."""

    def offered(**parameters):
        found = client.get(f"{RULES}/completions", params=parameters).json()
        return found["start"], {item["text"] for item in found["items"]}

    assert "error_rate" in offered(text="error_r")[1]
    assert offered(text="orders")[1] == {"orders_total"}
    assert offered(text="orders > 5", at=3) == (0, {"orders_total"})
    assert "shop" in offered(text="orders_total{sh")[1]


def test_thresholds_are_those_in_force(client, desk):
    """The number of the condition is that of the rule's severity; what a rule names besides replaces it."""
    desk.book.add(made_rule("a", condition="avg_response_time > 1000ms", critical=2.0, for_ns=300 * SECOND))
    desk.book.add(made_rule("b", condition='promql("up") < 1', severity=Severity.ERROR, warning=2.0, enabled=False))
    desk.book.add(made_rule("c", condition="new_issue"))

    rows = client.get(THRESHOLDS).json()["thresholds"]

    assert [
        (row["id"], row["metric_type"], row["warning_threshold"], row["error_threshold"], row["critical_threshold"])
        for row in rows
    ] == [
        ("a", "avg_response_time", 1.0, None, 2.0),
        ("b", "up", 2.0, 1.0, None),
        ("c", "new_issue", None, None, None),
    ]
    assert [(row["unit"], row["duration"], row["enabled"]) for row in rows] == [
        ("s", 300, True),
        ("", 0, False),
        ("", 0, True),
    ]
    assert client.get(f"{THRESHOLDS}a/").json() == rows[0]
    assert told(client.get(f"{THRESHOLDS}x/")) == (404, "not_found", "rule")


def test_a_threshold_is_changed_and_audited(client, desk):
    """Only what is given changes, null goes back to the rule's own; who and when are told, and the history has all."""
    desk.book.add(made_rule(critical=0.5))
    address = f"{THRESHOLDS}checkout-errors/"

    first = client.put(address, json={"warning_threshold": 0.1, "duration": "5m", "by": "ann"}).json()
    assert (first["warning_threshold"], first["critical_threshold"], first["duration"]) == (0.1, 0.5, 300)
    assert (first["updated_by"], first["updated_at"]) == ("ann", "1970-01-01T00:33:20.000000000Z")
    assert desk.book.rules()["checkout-errors"].rule.warning == 0.1
    second = client.put(address, json={"critical_threshold": 0.7, "enabled": False}).json()
    assert (second["warning_threshold"], second["critical_threshold"], second["enabled"]) == (0.1, 0.7, False)
    third = client.put(address, json={"warning_threshold": None, "enabled": None, "duration": None}).json()
    assert (third["warning_threshold"], third["enabled"], third["duration"]) == (0.05, True, 0)
    changes = client.get(f"{address}history/").json()["changes"]
    assert [(each["kind"], each["by"]) for each in changes] == [("tuned", "api"), ("tuned", "api"), ("tuned", "ann")]


def test_thresholds_of_several_rules_change_together_or_not(client, desk):
    """One that can't be leaves all as they are, and is named with its rule."""
    desk.book.add(made_rule("a"))
    desk.book.add(made_rule("b", condition="new_issue"))

    both = {"a": {"warning_threshold": 0.2}, "b": {"enabled": False}}
    rows = client.put(THRESHOLDS, json={"thresholds": both, "by": "ann"}).json()["thresholds"]
    assert [(row["id"], row["warning_threshold"], row["enabled"]) for row in rows] == [
        ("a", 0.2, True),
        ("b", None, False),
    ]
    for wrong, status, field in (
        ({"a": {"warning_threshold": 0.3}, "b": {"warning_threshold": 1}}, 400, "thresholds.b.warning_threshold"),
        ({"a": {"warning_threshold": 0.3}, "x": {"enabled": True}}, 404, "thresholds"),
        ({}, 400, "thresholds"),
        ({"a": {"warn": 1}}, 400, "warn"),
    ):
        answer = client.put(THRESHOLDS, json={"thresholds": wrong})
        assert told(answer)[::2] == (status, field)
    assert client.get(f"{THRESHOLDS}a/").json()["warning_threshold"] == 0.2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "warning_threshold"),
        ({"by": "ann"}, "warning_threshold"),
        ({"warning_threshold": "high"}, "warning_threshold"),
        ({"warning_threshold": True}, "warning_threshold"),
        ({"warning_threshold": 0.9}, "warning_threshold"),
        ({"critical_threshold": 0.01}, "critical_threshold"),
        ({"duration": "soon"}, "duration"),
        ({"duration": -1}, "duration"),
        ({"duration": []}, "duration"),
        ({"enabled": 1}, "enabled"),
        ({"info_threshold": 1}, "info_threshold"),
    ],
)
def test_a_wrong_threshold_names_the_field(client, desk, body, field):
    """Of another type, in the wrong order, or unknown; nothing is changed."""
    desk.book.add(made_rule(critical=0.5))
    answer = client.put(f"{THRESHOLDS}checkout-errors/", json=body)
    assert told(answer) == (400, "bad_request", field)
    assert list(desk.book.thresholds()) == []
