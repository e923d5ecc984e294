"""What health as figures means, for ``SystemMonitor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.api.analysis.report import Analysis, Finding, Recommendation, Report
from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from spanglass.api.analysis.figures import Figures

__all__ = ["of_health"]

_PREFIX, _TIME = "check_", "_time"


def of_health(figures: Figures) -> Report:
    """The checks that are not healthy, as findings and with what to do; an application that is not is critical."""
    failed = [
        name.removeprefix(_PREFIX)
        for name, value in figures.items()
        if name.startswith(_PREFIX) and not name.endswith(_TIME) and value < 1
    ]
    severity = Severity.CRITICAL if figures.get("health_status", 1.0) == 0 else Severity.WARNING
    findings = tuple(
        Finding(
            metric=f"{_PREFIX}{name}",
            text=f"health check {name} is not healthy",
            severity=severity,
            value=figures[_PREFIX + name],
        )
        for name in failed
    )
    advice = tuple(
        Recommendation(
            title=each.text,
            action="Read what it says: spanglass.issues() has the reason, and the server its history.",
            severity=each.severity,
            evidence={each.metric: each.value},
        )
        for each in findings
    )
    return Report(monitor="health", metrics=figures, analysis=Analysis(findings), recommendations=advice)
