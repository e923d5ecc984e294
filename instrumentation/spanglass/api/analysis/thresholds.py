"""Thresholds of figures: warning, error, critical and recovery of each, changed while the application runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spanglass.api.analysis.report import Finding, worst_first
from spanglass.errors import PerformanceError
from spanglass.process.forking import in_child_while_alive
from spanglass_core.alerting.conditions.nodes import Number
from spanglass_core.alerting.conditions.numbers import read_number, write_number
from spanglass_core.alerting.conditions.problems import ConditionError
from spanglass_core.alerting.levels import levels_of
from spanglass_core.alerting.rule import Rule
from spanglass_core.alerting.severity import SEVERITIES, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.alerting.conditions.nodes import Unit
    from spanglass_core.alerting.levels import Levels

__all__ = ["Bound", "Threshold", "ThresholdManager"]

Bound = float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The thresholds of one figure, in its base unit; ``worse`` says on which side of them it is bad."""

    metric: str
    warning: float | None = None
    error: float | None = None
    critical: float | None = None
    recovery: float | None = None
    worse: Literal["above", "below"] = "above"
    unit: Unit = ""
    enabled: bool = True


class ThresholdManager:
    """Keeps thresholds by the name of their figure, and says which are crossed. Any thread may call."""

    def __init__(self, thresholds: Mapping[str, Mapping[str, Bound]] | None = None) -> None:
        self.renew()
        self._kept: dict[str, tuple[Threshold, Levels | None]] = {}
        self._levels: dict[str, Severity] = {}
        for metric, bounds in (thresholds or {}).items():
            self.set_threshold(metric, **bounds)  # type: ignore[arg-type] # checked there
        in_child_while_alive(self)

    def renew(self) -> None:
        """Have a lock of one's own."""
        self._lock = threading.Lock()

    def set_threshold(
        self,
        metric: str,
        *,
        warning: Bound = None,
        error: Bound = None,
        critical: Bound = None,
        recovery: Bound = None,
        worse: Literal["above", "below"] = "above",
        enabled: bool = True,
    ) -> Threshold:
        """Set the thresholds of a figure, in place of those it had: numbers in base units, or ``"500ms"``, ``"90%"``.

        ``recovery`` is where a level that was crossed ends, five percent before the lowest threshold unless given.
        Raises ``PerformanceError`` naming the figure.
        """
        if worse not in {"above", "below"}:
            raise PerformanceError(f"threshold of {metric!r}: worse is {worse!r}, and must be 'above' or 'below'")
        given = {"warning": warning, "error": error, "critical": critical, "recovery": recovery}
        read = {name: _number(metric, name, bound) for name, bound in given.items() if bound is not None}
        units = {number.unit for number in read.values() if number.unit}
        if len(units) > 1:
            raise PerformanceError(f"threshold of {metric!r}: {', '.join(sorted(units))} can't be compared")
        threshold = Threshold(
            metric=metric,
            worse=worse,
            unit=next(iter(units), ""),
            enabled=enabled,
            **{name: number.value for name, number in read.items()},
        )
        levels = _levels(threshold)
        with self._lock:
            self._kept[metric] = (threshold, levels)
            self._levels.pop(metric, None)
        return threshold

    def remove_threshold(self, metric: str) -> None:
        """Forget the thresholds of a figure; nothing happens if it has none."""
        with self._lock:
            self._kept.pop(metric, None)
            self._levels.pop(metric, None)

    def thresholds(self) -> dict[str, Threshold]:
        """All thresholds by the name of their figure."""
        with self._lock:
            return {metric: threshold for metric, (threshold, _) in self._kept.items()}

    def check(self, figures: Mapping[str, float]) -> tuple[Finding, ...]:
        """The thresholds that are crossed, the worst first. One that was crossed is until the figure has recovered."""
        found = []
        with self._lock:
            for metric, (threshold, levels) in self._kept.items():
                value = figures.get(metric)
                if not threshold.enabled or levels is None or value is None or value != value:  # noqa: PLR0124 - NaN
                    continue
                severity = _crossed(levels, value, self._levels.get(metric))
                if severity is None:
                    self._levels.pop(metric, None)
                else:
                    self._levels[metric] = severity
                    found.append(_finding(threshold, levels, severity, value))
        return worst_first(found)


def _number(metric: str, name: str, bound: float | str) -> Number:
    if isinstance(bound, str):
        try:
            return read_number(bound.strip(), 1)
        except ConditionError as error:
            raise PerformanceError(f"threshold of {metric!r}: {name} {error.message}; {error.hint}") from None
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not abs(bound) < float("inf"):
        raise PerformanceError(
            f"threshold of {metric!r}: {name} is {bound!r}, and must be a number or a text like '90%'"
        )
    return Number(float(bound))


def _levels(threshold: Threshold) -> Levels | None:
    named = [(level, getattr(threshold, level.value)) for level in SEVERITIES[1:]]
    given = [(level, number) for level, number in named if number is not None]
    if not given:
        return None
    lowest, number = given[0]
    rule = Rule(
        uid=threshold.metric,
        name=threshold.metric,
        condition="",
        severity=lowest,
        recovery=threshold.recovery,
        **{level.value: bound for level, bound in given},
    )
    try:
        return levels_of(rule, ">" if threshold.worse == "above" else "<", number, unit=threshold.unit)
    except ValueError as error:
        raise PerformanceError(f"threshold of {threshold.metric!r}: {error}") from None


def _crossed(levels: Levels, value: float, before: Severity | None) -> Severity | None:
    """The worst level that is crossed, or that was and that the value has not recovered from."""
    sign = 1 if levels.operator == ">" else -1
    crossed = [rank for rank, bound in levels.thresholds.items() if sign * value > sign * bound]
    kept = [
        rank
        for rank, bound in levels.recoveries.items()
        if before is not None and rank <= before.rank and sign * value > sign * bound
    ]
    rank = max(crossed + kept, default=0)
    return SEVERITIES[rank - 1] if rank else None


def _finding(threshold: Threshold, levels: Levels, severity: Severity, value: float) -> Finding:
    bound = levels.thresholds[severity.rank]
    shown, limit = (write_number(Number(_rounded(each), threshold.unit)) for each in (value, bound))
    text = f"{threshold.metric} is {shown}, {threshold.worse} the {severity} threshold of {limit}"
    return Finding(metric=threshold.metric, text=text, severity=severity, value=value, threshold=bound)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
