"""What the parts of alerting give each other: readings of rules, alerts, their history, notes and evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from spanglass_core.alerting.lifecycle import Status
    from spanglass_core.alerting.severity import Severity
    from spanglass_core.alerting.states import State

#: The labels that tell the keys of one rule apart, sorted by name: ``(("service_name", "shop"),)``.
Key = tuple[tuple[str, str], ...]

#: settings: ``monitoring.alert_rules`` of the settings file; files: the directory ``alerting.dir``, Prometheus' files
#: among them; kept: made in pages or over the API; slos: made of objectives; shipped: come with the product.
Origin = Literal["settings", "files", "kept", "slos", "shipped"]

#: So begins the warning about a metric of which there is nothing in the range that was looked at.
NOT_STORED = "nothing is stored of a metric"


@dataclass(frozen=True, slots=True)
class Readings:
    """What a rule evaluates to: keys by steps. ``times_ns`` are the steps, in nanoseconds, ascending.

    ``values`` (float64) are NaN where there is no data. ``levels`` (int8) are ranks of severities, 0 where the
    condition does not hold. ``recovered`` (bool): on the good side of the recovery threshold. ``thresholds`` are the
    numbers compared with, by rank, for charts; ``bounds`` the same where they differ by key and step (baselines).
    ``holding`` (int8) are ranks of the highest level that the value has not recovered from, at least ``levels``: each
    level has hysteresis of its own, so that a firing alert is not raised and lowered back and forth. None: not known.
    ``is_counted``: what is read is counted, so that without a key there was nothing to count, and no data is missing.
    """

    times_ns: NDArray[np.int64]
    keys: tuple[Key, ...]
    values: NDArray[np.float64]
    levels: NDArray[np.int8]
    recovered: NDArray[np.bool_]
    unit: str = ""
    thresholds: Mapping[int, float] = field(default_factory=dict)
    bounds: NDArray[np.float64] | None = None
    warnings: tuple[str, ...] = ()
    holding: NDArray[np.int8] | None = None
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a rule could not be evaluated; the text says what to do."""

    message: str
    column: int = 0  # in the condition, from 1; 0: nowhere in particular


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert, with what people did to it. ``rule_uid`` is "" for one that was made by hand or by an application.

    ``fingerprint`` is the same for every alert of one rule and key; at most one alert with it is open at a time, and
    ``count`` says how often it fired while it was.
    """

    id: str  # a UUID
    rule_uid: str
    rule_name: str
    fingerprint: str
    key: Key
    title: str
    description: str
    severity: Severity
    status: Status
    source: str  # rule, api, application, server
    labels: Mapping[str, str]
    value: float | None
    unit: str
    created_ns: int
    updated_ns: int
    firing: bool  # whether its condition holds now
    acknowledged_ns: int = 0
    acknowledged_by: str = ""
    resolved_ns: int = 0  # when it was over, resolved or dismissed
    resolved_by: str = ""
    count: int = 1
    priority: int = 0  # 0 to 100, larger is more urgent
    runbook: str = ""
    owner: str = ""
    channels: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    part_of: str = ""  # the id of the alert that stands for the whole problem; "": this one does


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an alert's history: what changed, when, by whom, and why."""

    time_ns: int
    kind: str  # a Kind of states.py, or acknowledged, reopened, resolved, dismissed, note, edited, evidence
    by: str  # a person, an application, or "rule"
    text: str = ""
    severity: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry where it stands in the order in which changes were committed; ``cursor`` rises and is never reused."""

    cursor: int
    alert_id: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class KeyState:
    """The state of one key of a rule, with the alert that it has open, if any."""

    rule_uid: str
    key: Key
    state: State
    alert_id: str = ""
