"""Alerts, states and ticks for tests."""

from __future__ import annotations

from spanglass_core.alerting.fingerprints import alert_id
from spanglass_core.alerting.fingerprints import fingerprint as fingerprint_of_key
from spanglass_core.alerting.lifecycle import Status
from spanglass_core.alerting.severity import Severity
from spanglass_core.alerting.states import Phase, State
from spanglass_server.alerting.model import Alert, Entry, KeyState
from spanglass_server.alerting.ports import Tick


def made(service="shop", fired_ns=100, rule="errors", **changes):
    """Return an alert of a rule and service that fired then."""
    key = (("service_name", service),)
    fingerprint = fingerprint_of_key(rule, key)
    fields = {
        "id": alert_id(fingerprint, fired_ns),
        "rule_uid": rule,
        "rule_name": f"{rule} of services",
        "fingerprint": fingerprint,
        "key": key,
        "title": f"Errors in {service}",
        "description": "0.2 is above 0.05",
        "severity": Severity.WARNING,
        "status": Status.ACTIVE,
        "source": "rule",
        "labels": {"service_name": service, "team": "web"},
        "value": 0.2,
        "unit": "ratio",
        "created_ns": fired_ns,
        "updated_ns": fired_ns,
        "firing": True,
    }
    return Alert(**{**fields, **changes})


def fired(alert):
    """Return the tick that opened an alert."""
    state = State(phase=Phase.FIRING, severity=alert.severity, fired_ns=alert.created_ns, value=alert.value)
    return Tick(
        alert.created_ns,
        (alert.rule_uid,),
        states=(KeyState(alert.rule_uid, alert.key, state, alert.id),),
        opened=((alert, (Entry(alert.created_ns, "fired", "rule", "", alert.severity, alert.value),)),),
        digests={alert.rule_uid: "v1"},
    )
