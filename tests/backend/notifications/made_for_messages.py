"""A made-up notification about failing requests, with all parts of evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_server.alerting.model import Alert
from spanglass_server.notifications.model import Channel, Notification, Reason

MINUTE_NS = 60 * 10**9
NOW_NS = 1_763_724_840 * 10**9  # 21 November 2025, 11:34 UTC
BASE_URL = "https://spanglass.example"
HOSTILE = "<!channel> </title><script>alert(1)</script>\r\nBcc: x@example.com \u202e&\x00"


def evidence(**changed: Any) -> dict[str, Any]:
    """All parts of the evidence of an alert about errors."""
    window = {"start_time": "2025-11-21T11:20:00Z", "end_time": "2025-11-21T11:30:00Z"}
    trace = {
        "role": "worst", "trace_id": "4f1c2b77d06e4b9c8a53f0e1b2c6a90e", "span_id": "00000000000000a1",
        "time": "2025-11-21T11:29:00Z", "service": "checkout", "operation": "POST /orders",
        "duration_ns": 1_940_000_000, "reason": "no rate for 'NOK'", "failure": None, "time_spent": None,
    }  # fmt: skip
    return {
        "version": 1, "gathered_time": "2025-11-21T11:30:05Z",
        "cause": "391 of 4760 requests of checkout fail since release 2.14.0.", "clues": ["release 2.14.0"],
        "about": {"topic": "errors", "signal": "spans", "service": "checkout", "host": "",
                  "filter": 'service.name = "checkout"', "bad": "status = error",
                  "since_time": "2025-11-21T11:28:00Z", "window": window, "before": window},
        "value": {"value": 0.082, "unit": "ratio", "thresholds": [{"severity": "critical", "value": 0.05}],
                  "times_s": [NOW_NS / 1e9 - 1200 + i * 60 for i in range(21)],
                  "values": [0.004 if i < 17 else 0.084 for i in range(21)], "bounds": None},
        "attributes": {"bad": 391, "others": 4369, "attributes": [
            {"key": "shop.currency", "value": "NOK", "share": 0.98, "other_share": 0.04, "lift": 24.5, "count": 383,
             "other_count": 175, "difference": 0.9}]},
        "examples": [trace],
        "issues": [{"issue": "CHECKOUT-12", "title": "CurrencyNotPriced", "service": "checkout", "state": "new",
                    "culprit": "shop.pricing in convert", "message": "no rate for 'NOK'", "events": 391, "share": 1.0,
                    "first_seen_time": "2025-11-21T11:26:00Z", "is_new": True}],
        "changes": [{"kind": "release", "service": "checkout", "value": "2.14.0", "time": "2025-11-21T11:26:00Z",
                     "seconds_before": 120.0, "text": "checkout 2.14.0 took over from 2.13.2"}],
        "similar": [{"alert": "a-0", "title": "High error rate: checkout", "same": True, "severity": "critical",
                     "status": "resolved", "created_time": "2025-11-20T02:14:00Z",
                     "resolved_time": "2025-11-20T02:24:00Z", "duration_ns": 10 * MINUTE_NS, "resolved_by": "Kim",
                     "reason": "rolled back"}],
        "logs": [{"log": "1", "time": "2025-11-21T11:29:00Z", "severity": "error", "service": "checkout",
                  "body": "order lost", "trace_id": None}],
        "left_out": [],
    } | changed  # fmt: skip


def alert(number: int = 1, **changed: Any) -> Alert:
    """An alert that fires, with evidence."""
    made = Alert(
        id=f"a-{number}", rule_uid="high-error-rate", rule_name="High error rate", fingerprint=f"f-{number}",
        key=(("service_name", "checkout"),), title="High error rate: checkout",
        description="error_rate > 5% for 5m: 8.2 %", severity=Severity.CRITICAL, status=Status.ACTIVE, source="rule",
        labels={"service_name": "checkout", "team": "shop"}, value=0.082, unit="ratio",
        created_ns=NOW_NS - 4 * MINUTE_NS, updated_ns=NOW_NS, firing=True, runbook="https://wiki.example/checkout",
        owner="Ines", evidence=evidence(),
    )  # fmt: skip
    return replace(made, **changed)


def resolved(number: int = 1, **changed: Any) -> Alert:
    """An alert that is over after three minutes."""
    over = {"status": Status.RESOLVED, "firing": False, "resolved_ns": NOW_NS - MINUTE_NS, "resolved_by": "rule"}
    return alert(number, **(over | changed))


def notification(*alerts: Alert, reason: Reason = Reason.FIRING, **changed: Any) -> Notification:
    """A notification about alerts, as the outbox has it."""
    made = Notification(
        id="n-1", channel="ops", reason=reason, thread="t-1", created_ns=NOW_NS, alerts=alerts,
        group_labels={"service": "checkout"}, why='the route team="shop"',
    )  # fmt: skip
    return replace(made, **changed)


def channel(kind: str = "email", **templates: str) -> Channel:
    """A channel of a kind, with templates of its own."""
    return Channel(name="ops", kind=kind, options=None, **templates)  # type: ignore[arg-type]
