"""The calls, before anybody waits for them: method, path, parameters, body, and how the answer is read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from spanglass.client.answers import Alert, AlertList, MetricPage, SystemStatus, Threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass.client.answers import Json, Severity, Status

_T = TypeVar("_T")

_MONITORING = "/api/monitoring"
_ALERTS = f"{_MONITORING}/alerts/"
#: What of a ``Threshold`` may be changed.
CHANGEABLE = (
    *("warning_threshold", "error_threshold", "critical_threshold", "recovery_threshold"),
    *("duration", "enabled"),
)


@dataclass(frozen=True, slots=True)
class Call(Generic[_T]):
    """One call. ``wanted`` is the status that it gives an alert: one that has it already is no conflict.

    An attempt whose answer was lost may have changed it. ``by`` is who makes a change, where no body says so.
    What may be done ``once`` only has one attempt.
    """

    method: str
    path: str
    read: Callable[[Json], _T]
    params: Mapping[str, Any]
    body: Json | None = None
    wanted: str = ""
    by: str = ""
    once: bool = False


def get_metrics(metric_type: str, params: Mapping[str, Any]) -> Call[MetricPage]:
    """Measurements of one type, or of all."""
    path = f"{_MONITORING}/metrics/" + (f"{quote(metric_type, safe='')}/" if metric_type else "")
    return Call("GET", path, MetricPage.of, plain(params))


def get_alerts(filters: Mapping[str, Any]) -> Call[AlertList]:
    """Alerts that match."""
    return Call("GET", _ALERTS, AlertList.of, plain(filters))


def get_alert(alert_id: str) -> Call[Alert]:
    """One alert with its history."""
    return Call("GET", _alert(alert_id), Alert.of, {})


def create_alert(title: str, severity: Severity, by: str, fields: Mapping[str, Any]) -> Call[Alert]:
    """A new alert, or one more of the open one like it."""
    body = {"title": title, "severity": severity, **fields, **({"by": by} if by else {})}
    return Call("POST", _ALERTS, Alert.of, {}, given(body))


def change_alert(alert_id: str, status: Status, by: str, reason: str) -> Call[Alert]:
    """Another status."""
    body = {"status": status, "by": by or None, "reason": reason or None}
    return Call("PUT", _alert(alert_id), Alert.of, {}, given(body), wanted=status)


def update_thresholds(thresholds: Mapping[str, Threshold | Mapping[str, Any]], by: str) -> Call[tuple[Threshold, ...]]:
    """Other thresholds of some rules, by uid."""
    changes = {rule: _threshold(threshold) for rule, threshold in thresholds.items()}
    body = {"thresholds": changes, **({"by": by} if by else {})}
    return Call("PUT", f"{_MONITORING}/thresholds/", _thresholds, {}, body)


def get_thresholds() -> Call[tuple[Threshold, ...]]:
    """The thresholds of all rules."""
    return Call("GET", f"{_MONITORING}/thresholds/", _thresholds, {})


def get_system_status() -> Call[SystemStatus]:
    """The state of the server."""
    return Call("GET", "/api/v1/status", SystemStatus.of, {})


def _alert(alert_id: str) -> str:
    return f"{_ALERTS}{quote(alert_id, safe='')}/"


def _thresholds(raw: Json) -> tuple[Threshold, ...]:
    return tuple(map(Threshold.of, raw["thresholds"]))


def _threshold(threshold: Threshold | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(threshold, Threshold):
        return {name: value for name, value in asdict(threshold).items() if name in CHANGEABLE}
    return dict(threshold)


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as texts: lists and labels with commas between, what is None left out."""
    return {name: _text(value) for name, value in params.items() if value is not None}


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return ",".join(f"{name}={text}" for name, text in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else value


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a body, what is None left out."""
    return {name: value for name, value in fields.items() if value is not None}
