"""The thresholds of rules as ``monitoring_thresholds`` has them, and changes of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spanglass_core.units import UnitError, parse_duration_ns
from spanglass_server.alerting.in_force import in_force
from spanglass_server.alerting.rules.book import tuned
from spanglass_server.alerting.rules.form.spec import RULES
from spanglass_server.api.alerting.shown import time_or_none
from spanglass_server.api.errors import ApiError
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.alerting.rule import Rule
    from spanglass_server.alerting.ports import KeptThreshold, Threshold
    from spanglass_server.api.alerting import rule_answers as answers

#: Fields of the API that are thresholds, and the fields of a rule that they are.
LEVELS = {
    "warning_threshold": "warning",
    "error_threshold": "error",
    "critical_threshold": "critical",
    "recovery_threshold": "recovery",
}
_MOST_NS = 366 * 86_400 * NS_PER_SECOND


def threshold_json(rule: Rule, kept: KeptThreshold | None) -> answers.ThresholdJson:
    """Write the thresholds of a rule as they are in force."""
    row = in_force(rule, kept)
    return {
        "id": row.rule_uid,
        "rule": row.rule_uid,
        "rule_name": row.rule_name,
        "metric_type": row.metric_type,
        "warning_threshold": row.warning,
        "error_threshold": row.error,
        "critical_threshold": row.critical,
        "recovery_threshold": row.recovery,
        "unit": row.unit,
        "duration": row.for_ns / NS_PER_SECOND,
        "enabled": row.enabled,
        "updated_by": row.updated_by or None,
        "updated_at": time_or_none(row.updated_ns),
    }


def changed(written: Rule, before: Threshold, fields: Mapping[str, Any], where: str) -> Threshold:
    """The thresholds after a change, in which null goes back to what the rule says; ApiError naming the field.

    ``written`` is the rule without what is tuned of it. ``where`` is put before the names of fields.
    """
    changes: dict[str, Any] = {
        own: _number(fields[name], f"{where}{name}") for name, own in LEVELS.items() if name in fields
    }
    if "duration" in fields:
        changes["for_ns"] = _duration_ns(fields["duration"], f"{where}duration")
    if "enabled" in fields:
        changes["enabled"] = _flag(fields["enabled"], f"{where}enabled")
    after = replace(before, **changes)
    _check(tuned(written, after), fields, where)
    return after


def _check(rule: Rule, fields: Mapping[str, Any], where: str) -> None:
    """Refuse a rule that could not be written so: thresholds in the wrong order, or of no comparison."""
    problems = RULES.read_json(RULES.to_json(rule), stands=True).problems
    if not problems:
        return
    first = problems[0]
    name = next((name for name, own in LEVELS.items() if own == first.path and name in fields), next(iter(fields), ""))
    raise ApiError("bad_request", first.message, field=f"{where}{name}", hint=first.hint or None)


def _number(value: Any, field: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        hint = "send a number in base units (seconds, bytes, shares of 1), or null for the rule's own"
        raise ApiError("bad_request", f"{value!r} is no number", field=field, hint=hint)
    return float(value)


def _duration_ns(value: Any, field: str) -> int | None:
    if value is None:
        return None
    hint = "send seconds as a number, or a text such as 5m; null for the rule's own"
    try:
        if isinstance(value, str):
            found = parse_duration_ns(value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            found = round(value * NS_PER_SECOND)
        else:
            raise ApiError("bad_request", f"{value!r} is no duration", field=field, hint=hint)
    except UnitError as error:
        raise ApiError("bad_request", str(error), field=field, hint=hint) from error
    if not 0 <= found <= _MOST_NS:
        raise ApiError("bad_request", "a duration is at least 0, and at most a year", field=field, hint=hint)
    return found


def _flag(value: Any, field: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        hint = "send true, false or null"
        raise ApiError("bad_request", f"{value!r} is neither true nor false", field=field, hint=hint)
    return value
