"""Reports of monitors: figures, what was found in them, and what to do about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass.api.analysis.figures import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that stands out. ``severity`` is info where it is only good to know."""

    metric: str
    text: str
    severity: Severity = Severity.INFO
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """Something to do. ``evidence`` holds the numbers and names that speak for it."""

    title: str
    action: str
    severity: Severity = Severity.INFO
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found, the worst first; ``details`` are results by name, such as trends."""

    findings: tuple[Finding, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity | None:
        """The worst there is, None if nothing was found."""
        return max((each.severity for each in self.findings), key=lambda each: each.rank, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one monitor says; ``errors`` are texts of what could not be measured or analysed."""

    monitor: str
    metrics: Figures
    analysis: Analysis = field(default_factory=Analysis)
    recommendations: tuple[Recommendation, ...] = ()
    errors: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it; what is not known is None."""
        return {
            "monitor": self.monitor,
            "time_unix_nano": self.metrics.time_ns,
            "metrics": {name: _json(value) for name, value in self.metrics.items()},
            "units": dict(self.metrics.units),
            "analysis": {
                "findings": [_json(each) for each in self.analysis.findings],
                "details": _json(self.analysis.details),
            },
            "recommendations": [_json(each) for each in self.recommendations],
            "errors": list(self.errors),
        }


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Findings in the order in which they are shown."""
    return tuple(sorted(findings, key=lambda each: -each.severity.rank))


def _json(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "__dataclass_fields__"):
        return {name: _json(getattr(value, name)) for name in value.__dataclass_fields__}
    if hasattr(value, "items"):
        return {str(name): _json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    return value
