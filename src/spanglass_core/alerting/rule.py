"""An alert rule, however it was written: YAML, a page, the API, an application's code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from spanglass_core.alerting.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What a rule without data means. keep: the alert stays as it is for a while, then it is resolved; ok: the condition
#: does not hold; alert: no data is an alert of its own.
NoData = Literal["keep", "ok", "alert"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Durations are in nanoseconds; 0 stands for the server's default where it says so.

    ``condition`` is the text that docs/alert-rules.md describes. Where it holds as written the alert has ``severity``;
    ``warning``, ``error`` and ``critical`` are further thresholds of the same value, in the condition's unit, each of
    which replaces the number that the condition compares with. ``recovery`` is the value at which a firing alert may
    resolve; without it, five percent on the good side of the lowest threshold (``hysteresis``).
    """

    uid: str
    name: str
    condition: str
    severity: Severity = Severity.WARNING
    warning: float | None = None
    error: float | None = None
    critical: float | None = None
    recovery: float | None = None
    for_ns: int = 0
    keep_firing_for_ns: int = 0
    interval_ns: int = 0  # 0: alerting.interval
    delay_ns: int = 0  # how long is waited for late data; 0: alerting.delay
    window_ns: int = 0  # of rates and counts that name none; 0: alerting.window
    min_samples: int = 0  # requests, records or points in the window below which the condition does not hold
    no_data: NoData = "keep"
    by: tuple[str, ...] = ()  # labels that make a key each; none: the measure's own, service or host
    labels: Mapping[str, str] = field(default_factory=dict)
    title: str = ""  # templates; none: made from the condition
    description: str = ""
    channels: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()  # channels that are called once for each alert, when it fires, past all routes
    runbook: str = ""
    owner: str = ""
    enabled: bool = True
    hysteresis: float = 0.05
    annotations: Mapping[str, str] = field(default_factory=dict)  # of Prometheus' rules
