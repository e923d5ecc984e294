"""Rules with how they stand, as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.states import INITIAL, Health, Phase
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.alerting.watching.status import RuleStatus
from spanglass_server.api.alerting.shown import time_or_none
from spanglass_server.api.alerting.tuned import threshold_json
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.alerting.desk import Desk
    from spanglass_server.alerting.model import KeyState
    from spanglass_server.alerting.ports import Found, KeptThreshold, RuleChange
    from spanglass_server.alerting.watching.status import AlerterStatus, Evaluation
    from spanglass_server.api.alerting import rule_answers as answers

#: Where rules may be changed over the API; those of files are changed there.
EDITABLE = frozenset({"kept", "shipped"})
_NEVER = RuleStatus()


@dataclass(frozen=True, slots=True)
class Stand:
    """How all rules stand at one moment."""

    status: AlerterStatus
    tuned: dict[str, KeptThreshold]

    @classmethod
    def of(cls, desk: Desk) -> Stand:
        """Look at a desk."""
        return cls(desk.status(), {kept.rule_uid: kept for kept in desk.book.thresholds()})

    def row(self, found: Found) -> answers.RuleRow:
        """Write one rule."""
        rule, status = found.rule, self.status.rules.get(found.rule.uid, _NEVER)
        return {
            "origin": found.origin,
            "file": found.file,
            "line": found.line or None,
            "group": found.group,
            "version": found.version,
            "editable": found.origin in EDITABLE,
            "tuned": rule.uid in self.tuned,
            "uid": rule.uid,
            "name": rule.name,
            "condition": rule.condition,
            "severity": rule.severity.value,
            "enabled": rule.enabled,
            "labels": dict(rule.labels),
            "owner": rule.owner,
            "channels": list(rule.channels),
            "state": _state(status, is_enabled=rule.enabled),
            "health": status.health.value if status.last_ns else "unknown",
            "error": status.error,
            "value": status.value,
            "unit": status.unit,
            "level": status.severity.value if status.severity else None,
            "firing": status.firing,
            "pending": status.pending,
            "keys": status.keys,
            "last_evaluation_time": time_or_none(status.last_ns),
            "evaluation_ns": status.duration_ns,
        }

    def answer(self, found: Found, states: Iterable[KeyState]) -> answers.RuleAnswer:
        """Write one rule with everything."""
        status = self.status.rules.get(found.rule.uid, _NEVER)
        written: dict[str, Any] = RULES.to_json(found.written)
        return {
            **self.row(found),
            "rule": written,
            "threshold": threshold_json(found.rule, self.tuned.get(found.rule.uid)),
            "key_states": [key_json(known) for known in sorted(states, key=_urgency)],
            "evaluations": [evaluation_json(each) for each in reversed(status.evaluations)],
            "warnings": list(status.warnings),
        }


def alerter_json(status: AlerterStatus) -> answers.AlerterJson:
    """Write how the evaluation of all rules goes."""
    return {
        "last_tick_time": time_or_none(status.last_tick_ns),
        "lag_p50_ns": status.lag_p50_ns,
        "lag_p99_ns": status.lag_p99_ns,
        "ticks": status.ticks,
        "missed_ticks": status.missed_ticks,
        "failed_evaluations": status.failed_evaluations,
        "silent_since_time": time_or_none(status.silent_since_ns),
        "problems": list(status.problems),
    }


def key_json(known: KeyState) -> answers.KeyJson:
    """Write where one key stands."""
    state = known.state
    return {
        "labels": dict(known.key),
        "phase": state.phase.value,
        "health": state.health.value,
        "severity": state.severity.value if state.severity else None,
        "value": state.value,
        "error": state.error,
        "pending_time": time_or_none(state.pending_ns),
        "fired_time": time_or_none(state.fired_ns),
        "no_data_time": time_or_none(state.no_data_ns),
        "evaluated_time": time_or_none(state.evaluated_ns),
        "alert_id": known.alert_id or None,
    }


def evaluation_json(evaluation: Evaluation) -> answers.EvaluationJson:
    """Write one evaluation."""
    return {
        "time": format_time(evaluation.time_ns),
        "duration_ns": evaluation.duration_ns,
        "keys": evaluation.keys,
        "firing": evaluation.firing,
        "error": evaluation.error,
    }


def change_json(change: RuleChange) -> answers.RuleChangeJson:
    """Write what somebody changed of a rule."""
    return {
        "time": format_time(change.time_ns),
        "by": change.by,
        "kind": change.kind,
        "before": change.before,
        "after": change.after,
    }


def _state(status: RuleStatus, *, is_enabled: bool) -> answers.RuleState:
    """One word for a rule: the most urgent of what its keys say."""
    if not is_enabled:
        return "disabled"
    if not status.last_ns:
        return "unknown"
    if status.firing:
        return "firing"
    if status.health is Health.ERROR:
        return "error"
    if status.pending:
        return "pending"
    return "no_data" if status.health is Health.NO_DATA else "inactive"


_ORDER = (Phase.FIRING, Phase.KEEP_FIRING, Phase.PENDING, Phase.INACTIVE)


def _urgency(known: KeyState) -> tuple[int, int, Any]:
    severity = (known.state or INITIAL).severity
    return _ORDER.index(known.state.phase), -(severity.rank if severity else 0), known.key
