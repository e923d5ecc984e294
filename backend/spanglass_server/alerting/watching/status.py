"""What is known of the alerter and of each rule now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from spanglass_core.alerting.states import Health

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_core.alerting.severity import Severity


class Evaluation(NamedTuple):
    """One evaluation of a rule: the tick, how long it took, keys with data, keys that fire, and why it failed."""

    time_ns: int
    duration_ns: int
    keys: int
    firing: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStatus:
    """How a rule stands after its last tick; ``severity`` and ``value`` are those of its worst key."""

    last_ns: int = 0
    duration_ns: int = 0  # its share of the evaluation of all rules that were due at once
    health: Health = Health.OK
    error: str = ""
    warnings: tuple[str, ...] = ()
    firing: int = 0
    pending: int = 0
    severity: Severity | None = None
    value: float | None = None
    unit: str = ""
    keys: int = 0  # with data
    evaluations: tuple[Evaluation, ...] = ()  # the newest last, at most 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Ticks of rules that were never evaluated, as they were missed for longer than ``alerting.catch_up``."""

    start_ns: int  # of the first tick that was missed
    end_ns: int  # of the last
    noticed_ns: int
    rules: int
    ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlerterStatus:
    """The alerter as a whole. Lags are of the last ticks: from when a tick was due until it was committed."""

    last_tick_ns: int = 0
    lag_p50_ns: int = 0
    lag_p99_ns: int = 0
    ticks: int = 0  # committed since the start
    missed_ticks: int = 0  # of all rules, since the start
    failed_evaluations: int = 0  # of all rules, since the start
    silent_since_ns: int = 0  # the time of the last record, while nothing comes in; else 0
    gaps: tuple[Gap, ...] = ()  # the newest last
    problems: tuple[str, ...] = ()
    rules: Mapping[str, RuleStatus] = field(default_factory=dict)
