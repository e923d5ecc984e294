"""Alert rules as applications write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from spanglass.api.config import seconds
from spanglass.clock import NS_PER_S
from spanglass.errors import AlertError, MonitorError
from spanglass_core.alerting.compare import Comparer, comparer
from spanglass_core.alerting.conditions.numbers import exact
from spanglass_core.alerting.conditions.problems import ConditionError, did_you_mean
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AlertRule", "checked"]

_NO_DATA = ("keep", "ok", "alert")
_LEVELS = ("warning", "error", "critical", "recovery")


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule. ``condition`` is written as docs/app/monitoring.md says: ``error_rate > 0.05``, ``disk_usage > 90%``.

    ``warning``, ``error``, ``critical`` are further thresholds of the same figure, ``recovery`` is where a firing alert
    may resolve; numbers in base units or texts such as ``"500ms"``. ``for_`` is how long the condition must hold,
    ``keep_firing_for`` how long the alert stays after it did: seconds, or texts such as ``"5m"``. ``alert_type``
    chooses the handlers, ``channels`` are names that ``AlertManager.add_channel`` knows.
    """

    name: str
    condition: str
    severity: str = "warning"
    channels: Sequence[str] = ()
    warning: float | str | None = None
    error: float | str | None = None
    critical: float | str | None = None
    recovery: float | str | None = None
    for_: float | str = 0
    keep_firing_for: float | str = 0
    no_data: str = "keep"
    alert_type: str = "threshold"
    labels: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    runbook: str = ""
    owner: str = ""
    enabled: bool = True

    @classmethod
    def of(cls, written: AlertRule | Mapping[str, Any]) -> AlertRule:
        """Read a rule of a configuration, whose key for ``for_`` is ``for``; ``AlertError`` names the key."""
        if isinstance(written, AlertRule):
            return written
        if not isinstance(written, Mapping):
            raise AlertError(f"{written!r} is no rule: a rule has name and condition")
        given = {"for_" if key == "for" else key: value for key, value in written.items()}
        named = f"rule {given.get('name', '?')!r}"
        known = [each.name for each in fields(cls)]
        for key in given:
            if key not in known:
                hint = did_you_mean(str(key), known) or f"there are {', '.join(known)}"
                raise AlertError(f"{named}: {key} is no key of a rule; {hint}")
        missing = [key for key in ("name", "condition") if not given.get(key)]
        if missing:
            raise AlertError(f"{named}: {missing[0]} is missing")
        return cls(**given)


def checked(rule: AlertRule, channels: Sequence[str] = ()) -> Comparer:
    """Prepare a rule; ``AlertError`` with what is wrong and where. ``channels``: those there are, if that is known."""
    named = f"rule {rule.name!r}"
    if not isinstance(rule.name, str) or not rule.name.strip():
        raise AlertError(f"a rule needs a name, and {rule.name!r} is none")
    _check_words(named, rule, channels)
    try:
        prepared = comparer(_rule(named, rule))
    except ConditionError as error:
        raise AlertError(f"{named}: condition {rule.condition!r}: {error}", error.column) from None
    except ValueError as error:
        raise AlertError(f"{named}: {error}") from None
    return prepared


def _check_words(named: str, rule: AlertRule, channels: Sequence[str]) -> None:
    if not isinstance(rule.condition, str):
        raise AlertError(f"{named}: condition is {rule.condition!r}, and must be a text such as 'error_rate > 0.05'")
    severities = [each.value for each in Severity]
    if rule.severity not in severities:
        hint = did_you_mean(str(rule.severity), severities) or f"there are {', '.join(severities)}"
        raise AlertError(f"{named}: {rule.severity!r} is no severity; {hint}")
    if rule.no_data not in _NO_DATA:
        raise AlertError(f"{named}: no_data is {rule.no_data!r}, and must be one of {', '.join(_NO_DATA)}")
    if isinstance(rule.channels, str):
        raise AlertError(f"{named}: channels is {rule.channels!r}, and must be a list of names")
    for channel in rule.channels:
        if channels and channel not in channels:
            hint = did_you_mean(str(channel), channels) or f"there are {', '.join(channels)}"
            raise AlertError(f"{named}: {channel!r} is no channel; {hint}")


def _rule(named: str, rule: AlertRule) -> Rule:
    try:
        durations = {
            "for_ns": round(seconds("for", rule.for_) * NS_PER_S),
            "keep_firing_for_ns": round(seconds("keep_firing_for", rule.keep_firing_for) * NS_PER_S),
        }
    except MonitorError as error:
        raise AlertError(f"{named}: {error}") from None
    return Rule(
        uid=rule.name,
        name=rule.name,
        condition=rule.condition,
        severity=Severity(rule.severity),
        no_data=rule.no_data,  # type: ignore[arg-type] # checked before
        labels=dict(rule.labels),
        description=rule.description,
        channels=tuple(rule.channels),
        runbook=rule.runbook,
        owner=rule.owner,
        enabled=rule.enabled,
        **{name: _bound(named, name, getattr(rule, name)) for name in _LEVELS},  # type: ignore[arg-type]
        **durations,  # type: ignore[arg-type] # names of Rule's fields
    )


def _bound(named: str, name: str, bound: Any) -> float | None:
    if isinstance(bound, str):
        try:
            return float(exact(bound.strip(), 1)[0])
        except ConditionError as error:
            raise AlertError(f"{named}: {name}: {error.message}; {error.hint}") from None
    if bound is None:
        return None
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not abs(bound) < float("inf"):
        raise AlertError(f"{named}: {name} is {bound!r}, and must be a number, or a text such as '90%'")
    return float(bound)
