"""Our rules and alerts in the words of Prometheus' API."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_rules import made_rule

from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Health, Phase, State
from spanglass_server.alerting.desk import NewAlert
from spanglass_server.alerting.model import Entry, KeyState
from spanglass_server.alerting.ports import RecordingStatus, Tick
from spanglass_server.alerting.watching.status import AlerterStatus, RuleStatus
from spanglass_server.promql.in_memory import SeriesInMemory
from spanglass_server.promql.notation import read_series

SECOND = 10**9
PROMETHEUS = """\
groups:
  - name: web
    rules:
      - alert: Down
        expr: up{job="web"} == 0
        for: 5m
        labels: {severity: critical, team: web}
        annotations: {summary: "{{ $labels.instance }} is down"}
"""


@pytest.fixture
def told(serve_prometheus, desk):
    """Serve the API over three rules, one of which fires for one key and is pending for another."""
    (desk.book.directory / "files" / "web.yaml").write_text(PROMETHEUS)
    desk.book.add(made_rule("checkout-errors", labels={"team": "shop"}, title="Errors", keep_firing_for_ns=60 * SECOND))
    desk.book.add(made_rule("quiet", severity=Severity.INFO))
    firing, cart = ((("service_name", name),) for name in ("shop", "cart"))
    opened = desk.create(NewAlert(title="Errors of shop", labels={"team": "shop"}, runbook="https://r"), "rule")
    desk.store.delete(opened.id)
    alert = replace(opened, rule_uid="checkout-errors", rule_name="checkout-errors", key=firing, source="rule")
    state = State(Phase.KEEP_FIRING, Health.OK, Severity.CRITICAL, SECOND, 2 * SECOND, 3 * SECOND, value=0.12)
    desk.store.commit(
        Tick(
            5 * SECOND,
            ("checkout-errors",),
            (
                KeyState("checkout-errors", firing, state, alert.id),
                KeyState("checkout-errors", cart, State(Phase.PENDING, pending_ns=4 * SECOND, value=1.0)),
                KeyState("quiet", (), State(Phase.INACTIVE, Health.ERROR, error="no such metric")),
            ),
            opened=((alert, (Entry(2 * SECOND, "fired", "rule"),)),),
        )
    )
    status = {
        "checkout-errors": RuleStatus(last_ns=5 * SECOND, duration_ns=SECOND // 2, firing=1, pending=1),
        "quiet": RuleStatus(last_ns=5 * SECOND, health=Health.ERROR, error="no such metric"),
    }
    desk.status = lambda: AlerterStatus(rules=status)
    client = serve_prometheus(SeriesInMemory(read_series([], 60_000)), desk=desk)

    def ask(path, status=200, **parameters):
        answer = client.get(path, params=parameters)
        assert answer.status_code == status, answer.text
        return answer.json().get("data") or answer.json()["error"]

    return ask


def test_rules_and_alerts_are_told_as_prometheus_tells_its_own(told):
    """Groups of files with their rules; states, health, labels, annotations and values in its forms."""
    alerts = sorted(told("/alerts")["alerts"], key=lambda alert: alert["state"])
    assert alerts == [
        {
            "labels": {"severity": "critical", "team": "shop", "service_name": "shop", "alertname": "checkout-errors"},
            "annotations": {"summary": "Errors of shop", "runbook_url": "https://r"},
            "state": "firing",
            "activeAt": "1970-01-01T00:00:01.000000000Z",
            "value": "1.2e-01",
            "keepFiringSince": "1970-01-01T00:00:03.000000000Z",
        },
        {
            "labels": {"severity": "warning", "team": "shop", "service_name": "cart", "alertname": "checkout-errors"},
            "annotations": {"summary": "Errors"},
            "state": "pending",
            "activeAt": "1970-01-01T00:00:04.000000000Z",
            "value": "1e+00",
        },
    ]

    groups = told("/rules")["groups"]
    by_name = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert {name: (rule["state"], rule["health"], rule["type"]) for name, rule in by_name.items()} == {
        "Down": ("inactive", "unknown", "alerting"),
        "checkout-errors": ("firing", "ok", "alerting"),
        "quiet": ("inactive", "err", "alerting"),
    }
    assert by_name["quiet"]["lastError"] == "no such metric"
    down = by_name["Down"]
    assert (down["query"], down["duration"], down["labels"]) == (
        'up{job="web"} == 0',
        300,
        {"severity": "critical", "team": "web"},
    )
    assert down["annotations"]["summary"] == "{{ $labels.instance }} is down"
    assert down["lastEvaluation"] == "0001-01-01T00:00:00Z"
    errors = by_name["checkout-errors"]
    assert (errors["query"], errors["keepFiringFor"], errors["evaluationTime"]) == ("error_rate > 0.05", 60, 0.5)
    assert sorted(errors["alerts"], key=lambda alert: alert["state"]) == alerts
    web = next(group for group in groups if group["name"] == "web")
    assert (web["file"].endswith("files/web.yaml"), web["interval"]) == (True, 15)


def test_what_others_raise_is_in_no_rules_way(told, desk, monkeypatch):
    """However many alerts are raised by hand, those of rules have the texts that were made when they fired."""
    monkeypatch.setattr("spanglass_server.api.prometheus.rules._MOST_ALERTS", 1)
    desk.create(NewAlert(title="by hand"), "ann")
    assert "Errors of shop" in [alert["annotations"]["summary"] for alert in told("/alerts")["alerts"]]


def test_recording_rules_are_told_in_their_groups(told, desk):
    """Before the alerts of their group, or in one of their own, with how their latest evaluation went."""
    file = next(group["file"] for group in told("/rules")["groups"] if group["name"] == "web")
    shared = {"file": file, "interval_ns": 30 * SECOND, "expr": "sum(up)"}
    desk.recordings = lambda: [
        RecordingStatus(group="web", limit=5, record="up:sum", labels={"team": "web"}, **shared),
        RecordingStatus(
            group="own",
            limit=0,
            record="up:all",
            labels={},
            last_ns=5 * SECOND,
            **{"duration_ns": SECOND // 4, "error": "too many", **shared},
        ),
    ]
    groups = {group["name"]: group for group in told("/rules")["groups"]}
    assert [(rule["name"], rule["type"], rule["health"]) for rule in groups["web"]["rules"]] == [
        ("up:sum", "recording", "unknown"),
        ("Down", "alerting", "unknown"),
    ]
    assert groups["web"]["limit"] == 5
    assert groups["own"] == {
        "name": "own",
        "file": file,
        "interval": 30,
        "limit": 0,
        "evaluationTime": 0.25,
        "lastEvaluation": "1970-01-01T00:00:05.000000000Z",
        "rules": [
            {
                "name": "up:all",
                "query": "sum(up)",
                "labels": {},
                "health": "err",
                "lastError": "too many",
                "evaluationTime": 0.25,
                "lastEvaluation": "1970-01-01T00:00:05.000000000Z",
                "type": "recording",
            }
        ],
    }
    for asked in ({"type": "record"}, {"rule_name[]": ["up:sum", "up:all"]}, {"rule_group[]": ["own", "web"]}):
        names = {rule["name"] for group in told("/rules", **asked)["groups"] for rule in group["rules"]}
        assert names - {"Down"} == {"up:sum", "up:all"}
    chosen = told("/rules", type="record", **{"match[]": '{team="web"}'})["groups"]
    assert [rule["name"] for group in chosen for rule in group["rules"]] == ["up:sum"]
    alerts = told("/rules", type="alert")["groups"]
    assert {rule["type"] for group in alerts for rule in group["rules"]} == {"alerting"}


def test_rules_are_chosen_as_in_prometheus(told):
    """By type, name, group, file and labels; without alerts; group by group."""

    def names(**parameters):
        return sorted(rule["name"] for group in told("/rules", **parameters)["groups"] for rule in group["rules"])

    assert names(type="alert") == ["Down", "checkout-errors", "quiet"]
    assert names(type="record") == []
    assert names(**{"rule_name[]": ["Down", "quiet"]}) == ["Down", "quiet"]
    assert names(**{"rule_group[]": "web"}) == ["Down"]
    assert names(**{"match[]": ['{team=~"shop|web"}', '{severity="nothing"}']}) == ["Down", "checkout-errors"]
    assert names(**{"match[]": '{team!="shop", severity="info"}'}) == ["quiet"]
    file = told("/rules", **{"rule_name[]": "quiet"})["groups"][0]["file"]
    assert names(**{"file[]": file}) == ["quiet"]
    without = told("/rules", exclude_alerts="true", **{"rule_name[]": "checkout-errors"})["groups"][0]["rules"][0]
    assert (without["alerts"], without["state"]) == ([], "firing")

    found, token = [], ""
    while token is not None:
        page = told("/rules", group_limit="1", group_next_token=token)
        assert len(page["groups"]) == 1
        found += [rule["name"] for rule in page["groups"][0]["rules"]]
        token = page.get("groupNextToken")
    assert sorted(found) == ["Down", "checkout-errors", "quiet"]
    gone = {"group_next_token": "gone"}
    assert "group_limit" in told("/rules", 400, **gone)
    assert "group_next_token" in told("/rules", 400, group_limit="1", **gone)
    assert "type" in told("/rules", 400, type="both")
    assert "match[]" in told("/rules", 400, **{"match[]": "{"})
