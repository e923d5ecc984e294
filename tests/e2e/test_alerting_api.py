"""Alerting from outside, with a server that evaluates: the Python client, live thresholds, Prometheus' API."""

from __future__ import annotations

import json
import time

import pytest

from spanglass.client import ConflictError, MonitoringClient, NotFoundError, Retrying

RULE = {"name": "Full queue", "condition": "max(queue.depth) by (queue) > 3", "severity": "warning"}
JSON = {"Content-Type": "application/json"}


def until(condition, what):
    """Wait for what the server does by itself, and return it; fail after 30 s."""
    for _ in range(600):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: it did not happen within 30 s")


def ask(server, method, path, body=None):
    """Ask the API; return the status and the answer."""
    raw = None if body is None else json.dumps(body).encode()
    answer = server.request(method, path, raw, JSON if body is not None else {})
    return answer.status, answer.json()


def post_depth(server, depth):
    """Send how full a queue is."""
    point = {"asInt": str(depth), "timeUnixNano": str(time.time_ns()), "attributes": [text("queue", "mail")]}
    metric = {"name": "queue.depth", "gauge": {"dataPoints": [point]}}
    resource = {"attributes": [text("service.name", "shop")]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    assert ask(server, "POST", "/v1/metrics", body)[0] == 200


def text(key, value):
    """Write an attribute as OTLP/JSON has it."""
    return {"key": key, "value": {"stringValue": value}}


def test_an_alert_from_rule_to_resolution(new_server):
    """A rule that is kept fires; its threshold, once raised, resolves it at the next tick; all over typed calls."""
    server = new_server(**{"alerting.interval": "1s", "alerting.delay": "0s", "alerting.shipped": "false"})
    server.start()
    post_depth(server, 5)
    with MonitoringClient(server.url, by="ann", retrying=Retrying(first_s=0.01)) as client:
        status = client.get_system_status()
        assert (status.ready, status.alerting["enabled"], status.alerting["rules"]) == (True, True, 0)
        assert client.get_metrics("request").metrics is not None

        code, kept = ask(server, "POST", "/api/v1/rules", {"rule": RULE, "by": "ann"})
        assert (code, kept["uid"]) == (201, "full-queue")
        tried = {"uid": "full-queue"}
        until(lambda: ask(server, "POST", "/api/v1/rules/preview", tried)[1]["crossing"], "the preview")
        alert = until(lambda: client.get_alerts({"rule": "full-queue", "status": "active"}).alerts, "firing")[0]
        assert (alert.severity, alert.firing, alert.alert_type) == ("warning", True, "full-queue")
        assert client.acknowledge_alert(alert.id, reason="looking").acknowledged_by == "ann"

        (group,) = ask(server, "GET", "/prometheus/api/v1/rules?rule_name[]=Full%20queue")[1]["data"]["groups"]
        (rule,) = group["rules"]
        assert (rule["name"], rule["state"], len(rule["alerts"])) == ("Full queue", "firing", 1)
        assert ask(server, "GET", "/prometheus/api/v1/alerts")[1]["data"]["alerts"] == rule["alerts"]

        (threshold,) = client.update_thresholds({"full-queue": {"warning_threshold": 100}})
        assert (threshold.warning_threshold, threshold.updated_by) == (100, "ann")
        over = until(lambda: client.get_alerts({"rule": "full-queue", "status": "resolved"}).alerts, "resolution")[0]
        assert (over.id, over.firing) == (alert.id, False)
        history = [entry["kind"] for entry in client.get_alert(alert.id).history if entry["by"] in ("ann", "rule")]
        assert [kind for kind in history if kind != "evidence"] == ["fired", "acknowledged", "resolved"]
        with pytest.raises(ConflictError, match="resolved"):
            client.acknowledge_alert(alert.id)
        with pytest.raises(NotFoundError):
            client.get_alert("none")
        sql = {"sql": "SELECT status, resolved_by FROM monitoring_alerts WHERE rule = 'full-queue'"}
        assert ask(server, "POST", "/api/v1/sql", sql)[1]["rows"] == [["resolved", "rule"]]
