"""Rules and alerts as Prometheus' API writes them: one rule, one alert, and the words and numbers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_core.alerting.conditions.nodes import Present, Quantity
from spanglass_core.alerting.conditions.parse import parse_condition
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_core.alerting.states import Health, Phase
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.model import Alert, KeyState
    from spanglass_server.alerting.ports import RecordingStatus
    from spanglass_server.alerting.watching.status import RuleStatus

#: What Go writes for a time that never was.
NEVER = "0001-01-01T00:00:00Z"
#: Phases in which a key is an alert, and what Prometheus calls them.
ACTIVE = {Phase.PENDING: "pending", Phase.FIRING: "firing", Phase.KEEP_FIRING: "firing"}
_HEALTH = {Health.OK: "ok", Health.NO_DATA: "ok", Health.ERROR: "err"}
_STATES = ("inactive", "pending", "firing")


def alerting_rule(rule: Rule, status: RuleStatus, active: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Write an alert rule with its active alerts."""
    rank = max(
        (_STATES.index(alert["state"]) for alert in active), default=2 if status.firing else bool(status.pending)
    )
    return {
        "state": _STATES[rank],
        "name": rule.name,
        "query": _query(rule),
        "duration": rule.for_ns / NS_PER_SECOND,
        "keepFiringFor": rule.keep_firing_for_ns / NS_PER_SECOND,
        "labels": labels_of(rule),
        "annotations": _annotations(rule),
        "alerts": list(active),
        "health": _HEALTH[status.health] if status.last_ns else "unknown",
        **({"lastError": status.error} if status.error else {}),
        "evaluationTime": status.duration_ns / NS_PER_SECOND,
        "lastEvaluation": format_time(status.last_ns) if status.last_ns else NEVER,
        "type": "alerting",
    }


def recording_rule(each: RecordingStatus) -> dict[str, Any]:
    """Write a recording rule."""
    return {
        "name": each.record,
        "query": each.expr,
        "labels": dict(each.labels),
        "health": ("err" if each.error else "ok") if each.last_ns else "unknown",
        **({"lastError": each.error} if each.error else {}),
        "evaluationTime": each.duration_ns / NS_PER_SECOND,
        "lastEvaluation": format_time(each.last_ns) if each.last_ns else NEVER,
        "type": "recording",
    }


def active_alert(rule: Rule, known: KeyState, alert: Alert | None) -> dict[str, Any]:
    """Write an active key of a rule as an alert, with what is kept of it if it fires."""
    state = known.state
    severity = state.severity or rule.severity
    labels = alert.labels if alert is not None else rule.labels
    told = {
        "labels": {"severity": severity.value, **labels, **dict(known.key), "alertname": rule.name},
        "annotations": _annotations(rule) if alert is None else _annotations_of(alert),
        "state": ACTIVE[state.phase],
        "activeAt": format_time(state.pending_ns or state.fired_ns),
        "value": _number(state.value),
    }
    if state.phase is Phase.KEEP_FIRING:
        told["keepFiringSince"] = format_time(state.held_ns)
    return told


def labels_of(rule: Rule) -> dict[str, str]:
    """The labels that all alerts of a rule have."""
    return {"severity": rule.severity.value, **rule.labels}


def _annotations(rule: Rule) -> dict[str, str]:
    """What a rule says of its alerts, templates as they are written."""
    said = {"summary": rule.title, "description": rule.description, "runbook_url": rule.runbook, **rule.annotations}
    return {name: text for name, text in said.items() if text}


def _annotations_of(alert: Alert) -> dict[str, str]:
    said = {"summary": alert.title, "description": alert.description, "runbook_url": alert.runbook}
    return {name: text for name, text in said.items() if text}


def _query(rule: Rule) -> str:
    """The expression of a rule of Prometheus', else the condition as it is written."""
    try:
        condition = parse_condition(rule.condition)
    except ConditionError:
        return rule.condition
    match condition:
        case Present(of=Quantity(kind="promql", text=text)):
            return text
    return rule.condition


def _number(value: float | None) -> str:
    """As Go writes it with ``'e', -1``."""
    if value is None or np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_scientific(value, unique=True, trim="-", exp_digits=2)
