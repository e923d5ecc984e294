"""Results of health checks as telemetry: two metrics, and a log record when a check changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry._logs import SeverityNumber

from spanglass.api import metrics, scope
from spanglass.guard import guarded
from spanglass.values import text_of
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

    from spanglass.api.health_report import CheckReport

__all__ = ["DURATION_METRIC", "STATUS_METRIC", "export_change", "export_result"]

STATUS_METRIC = "spanglass.health.check.status"
DURATION_METRIC = "spanglass.health.check.duration"

_VALUES = {"healthy": 1.0, "degraded": 0.5, "unhealthy": 0.0}


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
