"""A rule from its first letter to the end of its alerts: a real server, real spans, a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest

pytestmark = pytest.mark.browser

_PATIENCE_S = 90.0  # only a failure waits so long
SETTINGS = ("alerting.interval=1s", "alerting.delay=0s", "alerting.shipped=false")


@contextmanager
def running(folder, settings):
    """Start a server with its data in a folder, and give its address."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("SPANGLASS_")}
    words = [sys.executable, "-m", "spanglass.cli.main", "serve", "--data", "data", "--port", "0", "--grpc-port", "0"]
    for setting in settings:
        words += ["--set", setting]
    with subprocess.Popen(words, cwd=folder, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr.readline, "")
            url = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
            with httpx.Client(base_url=url, trust_env=False, timeout=120) as client:
                yield SimpleNamespace(url=url, client=client)
        finally:
            process.terminate()
            process.wait(180)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a server that evaluates every second, and give its address."""
    with running(tmp_path_factory.mktemp("alerting"), SETTINGS) as found:
        yield found


def send(client, service, failing):
    """Send two minutes of requests, every second one of which failed or none."""
    now = time.time()
    spans = [
        {"traceId": os.urandom(16).hex(), "spanId": os.urandom(8).hex(), "name": "POST /orders", "kind": 2,
         "startTimeUnixNano": str(int((now - age) * 1e9)), "endTimeUnixNano": str(int((now - age + 0.2) * 1e9)),
         "status": {"code": 2} if failing and age % 2 else {}}
        for age in range(1, 121)
    ]  # fmt: skip
    attributes = [{"key": "service.name", "value": {"stringValue": service}}]
    body = {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}]}
    client.post("/v1/traces", json=body).raise_for_status()


def until(client, path, holds):
    """Ask the API until something holds; what it answered then."""
    end = time.monotonic() + _PATIENCE_S
    while not holds(answer := client.get(path).raise_for_status().json()):
        assert time.monotonic() < end, answer
        time.sleep(0.2)
    return answer


def test_a_rule_is_written_tried_saved_and_its_alerts_are_dealt_with(server, open_page):
    """Preview and backtest say what is so; the rule fires for both services; acknowledge, resolve, dismiss are kept."""
    for service, failing in (("checkout", True), ("cart", True), ("mailer", False)):
        send(server.client, service, failing)
    until(server.client, "/api/v1/services", lambda answer: len(answer["services"]) == 3)
    page = open_page(server, "/rules/new", allow=("Failed to load resource",))
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")
    page.locator("[name=name]").fill("Orders fail")
    condition = page.locator("[name=condition]")
    condition.press_sequentially("error_ra")
    page.locator("[role=option]", has_text="error_rate").first.wait_for()
    page.keyboard.press("Tab")
    assert condition.input_value() == "error_rate"
    page.keyboard.type(" > 5 persent")
    page.wait_for_selector("#bad.err")
    assert page.locator(".t-bad").count() == 1
    condition.fill("error_rate > 5%")
    page.wait_for_selector("#now-says >> text=2 of 3 keys hold now")
    page.wait_for_selector("#figures >> text=Would have fired")
    page.locator("#save").press("Enter")
    page.wait_for_url("**/rules/orders-fail")
    found = until(server.client, "/api/monitoring/alerts/", lambda answer: answer["total"] == 2)
    assert {alert["service"] for alert in found["alerts"]} == {"checkout", "cart"}

    page.goto(server.url + "/alerts")
    page.wait_for_selector("html[data-ready]")
    assert page.locator(".nav .count").inner_text().endswith("2")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_selector(".alerts tr[data-status=acknowledged]")
    page.keyboard.press("r")
    page.locator("#why input").press_sequentially("rolled back")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.alerts tbody tr').length === 1")
    page.keyboard.press("d")
    page.locator("#why input").press("Enter")
    page.wait_for_function("() => !document.querySelector('.alerts')")
    page.locator(".tabs a", has_text="History").click()
    page.wait_for_selector(".tabs [aria-current] >> text=History")
    rows = page.locator(".alerts tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.status)")
    assert sorted(rows) == ["dismissed", "resolved"]
    page.locator(".alerts tr[data-status=resolved] td > a").click()
    page.wait_for_selector("html[data-alert]")
    history = page.locator("#history").inner_text()
    assert "Kim acknowledged" in history
    assert "Kim resolved: rolled back" in history


def test_an_incident_from_alert_to_postmortem(server, open_page):
    """A bad alert opens an incident, another joins; it is seen to, recovers with its alerts, and is written up."""
    client, path = server.client, "/api/monitoring/alerts/"
    raised = {"severity": "critical", "labels": {"service_name": "pay"}, "by": "cron"}
    ids = [
        client.post(path, json={"title": "Payments fail", "runbook": "- Look\n- Switch over", **raised}).json()["id"],
        client.post(path, json={"title": "Queue of pay is full", **raised}).json()["id"],
    ]
    listed = "/api/monitoring/incidents/?status=live&service=pay"
    found = until(client, listed, lambda answer: [each["alert_count"] for each in answer["incidents"]] == [2])
    incident = found["incidents"][0]["id"]
    page = open_page(server, f"/alerts/{ids[1]}", allow=("Failed to load resource",))
    page.evaluate("localStorage.setItem('spanglass.name', 'Kim')")
    page.locator("#incident a").click()
    page.wait_for_selector("html[data-incident]")
    page.keyboard.press("a")
    page.wait_for_selector("#said >> text=Acknowledged")
    assert {client.get(f"{path}{each}/").json()["acknowledged_by"] for each in ids} == {"Kim"}
    page.locator("[data-step='2']").click()
    page.wait_for_selector("[data-step='2'][aria-checked=true]")
    for each in ids:
        client.put(f"{path}{each}/", json={"status": "resolved", "by": "cron"}).raise_for_status()
    until(client, f"/api/monitoring/incidents/{incident}/", lambda answer: answer["status"] == "recovered")
    page.reload()
    page.wait_for_selector("html[data-incident]")
    assert page.locator("[data-status=recovered]").count() == 1
    page.keyboard.press("r")
    page.locator("#why textarea").fill("switched to the second provider")
    page.locator("#why .main").click()
    page.wait_for_selector("#said >> text=Resolved")
    page.keyboard.press("p")
    page.wait_for_selector("#postmortem")
    text = page.locator("[name=text]").input_value()
    for said in ("# INC-", "switched to the second provider", "- [x] Switch over (Kim,", "Queue of pay is full"):
        assert said in text
