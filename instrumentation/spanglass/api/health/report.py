"""What health checks say: the result of one, how it is read from what a function gives back, and the report of all.

As telemetry results are two metrics, and a log record when a check changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from opentelemetry._logs import SeverityNumber

from spanglass.api import metrics, scope
from spanglass.guard import guarded
from spanglass.values import MAX_TEXT, attribute_value, text_of
from spanglass_core.attribute_names import (
    HEALTH_CHANGED_EVENT,
    HEALTH_CHECK_CRITICAL,
    HEALTH_CHECK_NAME,
    HEALTH_DETAIL,
    HEALTH_PREVIOUS_STATUS,
    HEALTH_STATUS,
)

if TYPE_CHECKING:
    from opentelemetry.util.types import AnyValue

__all__ = [
    "DURATION_METRIC",
    "STATUS_METRIC",
    "CheckReport",
    "HealthIssue",
    "HealthReport",
    "HealthResult",
    "HealthStatus",
    "export_change",
    "export_result",
    "failed",
    "not_checked",
    "overall",
    "understood",
]

STATUS_METRIC = "spanglass.health.check.status"
DURATION_METRIC = "spanglass.health.check.duration"

_VALUES = {"healthy": 1.0, "degraded": 0.5, "unhealthy": 0.0}

HealthStatus = Literal["healthy", "degraded", "unhealthy"]

_STATUSES: tuple[str, ...] = get_args(HealthStatus)
_MAX_DETAIL = 2_000  # characters: a line for a person
_RETURN = "return nothing or True if all is well, False or HealthResult('unhealthy', 'why') if not, or raise"


@dataclass(frozen=True, slots=True)
class HealthResult:
    """What one check found: a status, a line of text for people, and figures, such as ``{"replicas": 3}``."""

    status: HealthStatus = "healthy"
    detail: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthIssue:
    """Why the application is not healthy: one check and what it said."""

    check: str
    detail: str
    critical: bool

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The latest result of one check; ``error_type`` is the exception's, or "" where none was raised."""

    name: str
    critical: bool
    status: HealthStatus
    detail: str
    data: Mapping[str, object]
    error_type: str
    duration_s: float
    checked_at_unix_nano: int

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "name": self.name,
            "status": self.status,
            "critical": self.critical,
            "detail": self.detail,
            "data": {str(key): attribute_value(value, MAX_TEXT) for key, value in self.data.items()},
            "duration_s": self.duration_s,
        }


@dataclass(frozen=True, slots=True)
class HealthReport:
    """All checks at one time, in the order in which they were registered; ``duration_s`` is of all together."""

    checks: tuple[CheckReport, ...]
    duration_s: float

    @property
    def status(self) -> HealthStatus:
        """Unhealthy if a critical check is; degraded if any check is not healthy."""
        return overall(self.checks)

    @property
    def healthy(self) -> bool:
        """True unless the status is unhealthy: degraded, an application still does its work."""
        return self.status != "unhealthy"

    @property
    def issues(self) -> list[HealthIssue]:
        """What each check said that is not healthy."""
        return [HealthIssue(each.name, each.detail, each.critical) for each in self.checks if each.status != "healthy"]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it, for an endpoint such as ``/healthz``."""
        checks = [each.as_dict() for each in self.checks]
        return {"status": self.status, "duration_s": self.duration_s, "checks": checks}


def overall(checks: tuple[CheckReport, ...]) -> HealthStatus:
    """Return the status of checks taken together; without checks all is well."""
    if any(each.critical and each.status == "unhealthy" for each in checks):
        return "unhealthy"
    return "degraded" if any(each.status != "healthy" for each in checks) else "healthy"


def understood(returned: object) -> HealthResult:
    """Read what a check's function returned; what means nothing is an issue that says what to return.

    Nothing and True are healthy, False is unhealthy; a text is the detail of a healthy result, or a status by itself; a
    mapping has ``status`` or ``healthy``, ``detail``, and figures; a pair is one of these first two and the detail.
    """
    if isinstance(returned, HealthResult):
        return returned if returned.status in _STATUSES else _meaningless(returned)
    if isinstance(returned, Mapping):
        return _of_mapping(dict(returned))
    if isinstance(returned, tuple) and len(returned) == 2:  # noqa: PLR2004 - status and detail
        status = _status(returned[0])
        return _meaningless(returned) if status is None else HealthResult(status, _line(returned[1]))
    status = _status(returned)
    if status is not None:
        return HealthResult(status, "the check returned False" if returned is False else "")
    return HealthResult("healthy", _line(returned)) if isinstance(returned, str) else _meaningless(returned)


def failed(error: BaseException) -> HealthResult:
    """Return the result of a check that raised."""
    return HealthResult("unhealthy", _line(f"{type(error).__qualname__}: {text_of(error)}"))


def not_checked(name: str, *, critical: bool) -> CheckReport:
    """Return the report of a check that was never run: who asks before that shall not be told that all is well."""
    return CheckReport(
        name=name,
        critical=critical,
        status="unhealthy",
        detail="not checked yet: await check_health(), or call check_health_now()",
        data={},
        error_type="",
        duration_s=0.0,
        checked_at_unix_nano=0,
    )


def _of_mapping(members: dict[str, Any]) -> HealthResult:
    returned = dict(members)
    status = _status(members.pop("status", members.pop("healthy", True)))
    detail = members.pop("detail", members.pop("message", ""))
    return _meaningless(returned) if status is None else HealthResult(status, _line(detail), members)


def _status(value: object) -> HealthStatus | None:
    if value is None or value is True:
        return "healthy"
    if value is False:
        return "unhealthy"
    return value if isinstance(value, str) and value in _STATUSES else None  # type: ignore[return-value]


def _meaningless(returned: object) -> HealthResult:
    shown = text_of(repr(returned), 100)
    return HealthResult("unhealthy", f"the check returned {shown}, which is no result: {_RETURN}")


def _line(value: object) -> str:
    return text_of(value, _MAX_DETAIL)


def export_result(report: CheckReport, *, measure: bool) -> None:
    """Set the check's status (1, 0.5 or 0), and measure its duration in seconds if this run was not measured yet."""
    attributes = _attributes(report)
    with guarded("export a health check"):
        status = metrics.gauge(STATUS_METRIC, "1", "1 healthy, 0.5 degraded, 0 unhealthy")
        status.send(_VALUES[report.status], attributes)
        if measure:
            metrics.histogram(DURATION_METRIC, "s", "How long a health check took").send(report.duration_s, attributes)


def export_change(report: CheckReport, previous: str | None) -> None:
    """Log that a check's status is another than before; the first one only if it is not healthy."""
    if report.status == (previous or "healthy"):
        return
    attributes = {**_attributes(report), HEALTH_STATUS: report.status}
    if report.detail:
        attributes[HEALTH_DETAIL] = report.detail
    if previous:
        attributes[HEALTH_PREVIOUS_STATUS] = previous
    if report.error_type:
        attributes["error.type"] = report.error_type
    severity, text = _severity(report)
    with guarded("log the change of a health check"):
        scope.logger().emit(
            timestamp=report.checked_at_unix_nano,
            severity_number=severity,
            severity_text=text,
            body=text_of(
                f"health check {report.name} is {report.status}{': ' if report.detail else ''}{report.detail}"
            ),
            attributes=attributes,
            event_name=HEALTH_CHANGED_EVENT,
        )


def _attributes(report: CheckReport) -> dict[str, AnyValue]:
    return {HEALTH_CHECK_NAME: text_of(report.name), HEALTH_CHECK_CRITICAL: report.critical}


def _severity(report: CheckReport) -> tuple[SeverityNumber, str]:
    if report.status == "healthy":
        return SeverityNumber.INFO, "INFO"
    if report.critical and report.status == "unhealthy":
        return SeverityNumber.ERROR, "ERROR"
    return SeverityNumber.WARN, "WARN"
