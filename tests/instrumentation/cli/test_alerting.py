"""``spanglass rules`` and ``spanglass alerts``: lists, changes, and files that are checked without a server."""

from __future__ import annotations

import json

import pytest

ROW = {
    "uid": "checkout-errors", "name": "Errors", "state": "firing", "value": 0.12, "unit": "ratio", "firing": 2,
    "pending": 1, "severity": "warning", "last_evaluation_time": "2026-11-29T10:00:00.000000000Z", "origin": "kept",
    "condition": "error_rate > 5%", "error": "",
}  # fmt: skip
RULES = {
    "rules": [ROW | {"uid": "quiet", "state": "inactive", "value": None, "origin": "shipped"}, ROW],
    "problems": ["rules.yaml:7:5: unknown key 'seveity'; did you mean 'severity'?"],
    "alerter": {"problems": []},
}
ALERT = {
    "id": "6f0c1e0a", "severity": "critical", "status": "active", "created_at": "2026-11-29T10:00:00.000000000Z",
    "service": "checkout", "host": None, "count": 2, "priority": 80, "title": "Errors of checkout", "firing": True,
    "rule": "checkout-errors", "source": "rule", "description": "12 % fail", "runbook": "",
    "notes": [],
    "evidence": {
        "cause": "release 2.1 of checkout", "clues": ["release 2.1 of checkout", "POST /pay fails most"],
        "examples": [{"role": "worst", "trace_id": "ab12", "operation": "POST /pay", "duration_ns": 10**9,
                      "reason": "no"}],
        "issues": [{"issue": "CHECKOUT-7", "title": "KeyError"}],
    },
    "history": [{"time": "2026-11-29T10:00:00.000000000Z", "kind": "fired", "by": "rule", "text": "", "value": 0.12}],
}  # fmt: skip
LISTED = {"alerts": [ALERT], "next_cursor": None}
GROUP = """\
groups:
  - name: g
    rules:
      - {alert: Down, expr: up == 0, for: 1m, labels: {severity: critical}}
"""
FILE = "alert_rules:\n  - name: A\n    condition: error_rate > 5%\n"


def out(result, code=0):
    """The lines of a command that ended with a code."""
    assert result.returncode == code, result.stderr.decode()
    return result.stdout.decode().splitlines()


def test_rules_are_listed_with_how_they_stand(canned, run):
    """What fires comes first; problems of files go to standard error; one state alone; whole objects as ndjson."""
    canned.answer("/api/v1/rules", RULES)
    listed = run("rules", "list")
    lines = out(listed)
    assert [line.split()[:3] for line in lines[1:]] == [
        ["checkout-errors", "firing", "0.12"],
        ["quiet", "inactive", "-"],
    ]
    assert b"rules.yaml:7:5: unknown key 'seveity'" in listed.stderr
    (line,) = out(run("rules", "--state", "inactive", "--format", "ndjson"))
    assert json.loads(line)["uid"] == "quiet"
    assert b"there is none in this state" in run("rules", "--state", "error").stderr


def test_rules_are_exported_as_one_file(canned, run):
    """Those that are made in pages, or those that are named, under one heading."""
    canned.answer("/api/v1/rules", RULES)
    for uid in ("checkout-errors", "quiet"):
        yaml = f"monitoring:\n  alert_rules:\n    - name: {uid}\n"
        canned.answer(f"/api/v1/rules/{uid}/yaml", {"yaml": yaml})
    assert out(run("rules", "export")) == ["monitoring:", "  alert_rules:", "    - name: checkout-errors"]
    both = out(run("rules", "export", "quiet", "checkout-errors"))
    assert both == ["monitoring:", "  alert_rules:", "    - name: quiet", "    - name: checkout-errors"]


def test_files_are_checked_without_a_server(run, tmp_path):
    """Everything that is wrong with file, line and column, of ours and of Prometheus'; the exit code says whether."""
    nowhere = "http://127.0.0.1:9"
    (tmp_path / "right.yaml").write_text(FILE)
    (tmp_path / "wrong.yaml").write_text(
        FILE.replace("A", "B") + "    severty: high\n  - name: C\n    condition: response_time > 5GB\n"
    )
    (tmp_path / "prometheus.yaml").write_text(GROUP + "      - {record: 'a:b', expr: sum(up)}\n")
    right, wrong, groups = (str(tmp_path / f"{name}.yaml") for name in ("right", "wrong", "prometheus"))
    lines = out(run("rules", "check", right, groups, wrong, url=nowhere), 2)
    assert lines[:3] == [
        f"{right}: 1 rule, nothing is wrong",
        f"{groups}: 1 rule and 1 recording rule, nothing is wrong",
        f"{wrong}:4:5: alert_rules[0].severty: unknown key 'severty'; did you mean 'severity'?",
    ]
    assert lines[3].startswith(f"{wrong}:6:32: alert_rules[1].condition: response_time is ")
    (first, _) = out(run("rules", "check", "--format", "ndjson", wrong, url=nowhere), 2)
    assert {"kind": "problem", "line": 4, "column": 5, "file": wrong}.items() <= json.loads(first).items()
    assert b"No such file" in run("rules", "check", str(tmp_path / "none.yaml"), url=nowhere).stderr


def test_unit_tests_of_rules_are_run(run, tmp_path):
    """Expectations that are met are counted; one that is not is told with its line and what came instead."""
    (tmp_path / "rules.yaml").write_text(GROUP)
    test = """\
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="web"}', values: '1 0 0 0 0'}
    alert_rule_test:
      - eval_time: %s
        alertname: Down
        exp_alerts:
          - exp_labels: {severity: critical, job: web}
"""
    met, failing = tmp_path / "met.yaml", tmp_path / "failing.yaml"
    met.write_text(test % "3m")
    failing.write_text(test % "0m")
    nowhere = "http://127.0.0.1:9"
    (tmp_path / "wrong.yaml").write_text("tets: []\n")
    wrong = tmp_path / "wrong.yaml"
    lines = out(run("rules", "test", str(met), str(failing), str(wrong), url=nowhere), 2)
    assert lines[0] == f"{met}: 1 expectation met"
    assert lines[1].startswith(f"{failing}:8: tests[0]: Down")
    assert lines[-1].startswith(f"{wrong}:1:1: tets: unknown key 'tets'")
    (line,) = out(run("rules", "test", "--format", "ndjson", str(failing), url=nowhere), 1)
    assert json.loads(line)["failure"] != ""


TESTED = {
    "evaluated": {"start_time": "2026-11-28T10:00:00.000000000Z", "end_time": "2026-11-29T10:00:00.000000000Z"},
    "complete": False, "ticks": 5760, "failure": None, "warnings": ["sampled"],
    "totals": {"keys": 5, "keys_fired": 1, "fires": 2, "pending_only": 3, "firing_ns": 120_000_000_000},
    "keys": [
        {"labels": {"service_name": "checkout"},
         "fired": [{"fired_time": "2026-11-29T09:00:00.000000000Z", "firing_ns": 60_000_000_000, "severity": "error",
                    "peak": 0.3}]}
    ],
    "suggestions": [{"text": "for 5m", "fires": 1, "missed_count": 1}],
}  # fmt: skip


def test_a_backtest_says_when_a_rule_would_have_fired(canned, run, tmp_path):
    """A rule by its uid, a condition, a file; what would have been quieter; a condition that can't be evaluated."""
    canned.answer("/api/v1/rules", RULES)
    canned.answer("/api/v1/rules/backtest", TESTED)
    result = run("rules", "backtest", "checkout-errors", "--last", "1d")
    text = "\n".join(out(result))
    for words in (
        "5,760 evaluations, then time ran out",
        "would have fired 2 times for 1 of 5 keys",
        "3 times not for long enough",
        "service_name=checkout",
        "for 5m: fires 1 time, and would miss 1",
    ):
        assert words in text
    assert b"sampled" in result.stderr
    (tmp_path / "rule.yaml").write_text(FILE)
    out(run("rules", "backtest", "error_rate > 7%", "--step", "5m"))
    out(run("rules", "backtest", str(tmp_path / "rule.yaml"), "--format", "csv"))
    bodies = [json.loads(each.body) for each in canned.received if each.path.endswith("backtest")]
    assert bodies == [
        {"uid": "checkout-errors", "last": "1d"},
        {"condition": "error_rate > 7%", "step": "5m"},
        {"yaml": FILE},
    ]
    canned.answers["/api/v1/rules/backtest"] = []
    canned.answer("/api/v1/rules/backtest", TESTED | {"failure": {"message": "no such measure", "column": 3}})
    failed = run("rules", "backtest", "x > 5")
    assert (failed.returncode, failed.stderr.decode().splitlines()) == (
        2,
        ["spanglass rules: no such measure", "  x > 5", "    ^"],
    )


def test_alerts_are_listed_and_shown(canned, run):
    """Open ones unless said, with all filters; one with evidence and history; none is said."""
    canned.answer("/api/monitoring/alerts/", LISTED)
    canned.answer("/api/monitoring/alerts/6f0c1e0a/", ALERT)
    lines = out(run("alerts", "--severity", "critical", "--label", "team=shop", "--label", "env=prod", "--last", "1d"))
    assert lines[1].split()[:3] == ["6f0c1e0a", "critical", "active"]
    assert canned.received[0].parameters == {
        "last": "1d", "status": "open", "severity": "critical", "labels": "team=shop,env=prod", "limit": "50",
    }  # fmt: skip
    shown = "\n".join(out(run("alerts", "show", "6f0c1e0a")))
    for words in (
        "critical, active, service checkout",
        "by the rule checkout-errors",
        "rule fired at 0.12",
        "  release 2.1 of checkout\n  POST /pay fails most\n  worst trace ab12: POST /pay, 1 s, no\n",
        "  issue CHECKOUT-7 KeyError",
    ):
        assert words in shown
    canned.answers["/api/monitoring/alerts/"] = []
    canned.answer("/api/monitoring/alerts/", {"alerts": [], "next_cursor": None})
    assert b"--status all lists those that are over" in run("alerts", "list").stderr


@pytest.mark.parametrize(
    ("action", "status"),
    [("ack", "acknowledged"), ("reopen", "active"), ("resolve", "resolved"), ("dismiss", "dismissed")],
)
def test_alerts_are_changed(canned, run, action, status):
    """Several at once, with who and why."""
    for alert in ("a1", "a2"):
        canned.answer(f"/api/monitoring/alerts/{alert}/", ALERT | {"id": alert, "status": status})
    lines = out(run("alerts", action, "a1", "a2", "--as", "ann", "--reason", "because"))
    assert [line.split()[0] for line in lines[1:]] == ["a1", "a2"]
    assert [(each.method, json.loads(each.body)) for each in canned.received] == [
        ("PUT", {"status": status, "reason": "because", "by": "ann"})
    ] * 2


def test_an_illegal_change_and_a_note(canned, run):
    """A conflict says what is possible; a note is sent with its writer."""
    error = {"code": "conflict", "message": "it is over", "field": "status", "hint": "get it again"}
    canned.answer("/api/monitoring/alerts/a1/", {"error": error}, 409)
    assert run("alerts", "ack", "a1").returncode == 1
    canned.answer("/api/monitoring/alerts/a1/notes/", ALERT)
    out(run("alerts", "note", "a1", "looked at it", "--as", "ann"))
    assert json.loads(canned.received[-1].body) == {"text": "looked at it", "by": "ann"}
