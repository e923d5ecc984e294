"""What the calls return: frozen dataclasses, with times as ``datetime`` in UTC, to the microsecond.

Members that a newer server adds are left out, and everything it said is in ``raw``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _T = TypeVar("_T")

Severity = Literal["info", "warning", "error", "critical"]
Status = Literal["active", "acknowledged", "resolved", "dismissed"]
Json = dict[str, Any]

_MICROSECONDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricValue:
    """One measurement; ``details`` are its attributes."""

    id: str
    metric_type: str
    name: str
    value: float | None
    unit: str
    timestamp: datetime
    service: str | None = None
    host: str | None = None
    source: str | None = None
    details: Json = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Json) -> MetricValue:
        """Read an object of the API."""
        return cls(**known(cls, raw, {"timestamp": time_of}))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPage:
    """Measurements, the newest first; ``next_cursor`` is that of the next page, None on the last."""

    metrics: tuple[MetricValue, ...]
    next_cursor: str | None = None

    @classmethod
    def of(cls, raw: Json) -> MetricPage:
        """Read the API's answer."""
        return cls(metrics=tuple(map(MetricValue.of, raw["metrics"])), next_cursor=raw.get("next_cursor"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert.

    ``firing`` says whether its condition holds now, ``possible`` which statuses it may become, ``part_of`` which alert
    stands for its problem, None for that one itself. ``history``, ``notes`` and ``evidence`` are there where one alert
    was asked for.
    """

    id: str
    alert_type: str
    title: str
    severity: Severity
    status: Status
    created_at: datetime
    updated_at: datetime
    description: str = ""
    source: str = ""
    rule: str = ""
    rule_name: str = ""
    service: str | None = None
    host: str | None = None
    firing: bool = False
    value: float | None = None
    unit: str = ""
    count: int = 1
    priority: int = 0
    owner: str = ""
    runbook: str = ""
    part_of: str | None = None
    possible: tuple[Status, ...] = ()
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    details: Json = field(default_factory=dict)
    history: tuple[Json, ...] = ()
    notes: tuple[Json, ...] = ()
    evidence: Json = field(default_factory=dict)
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @property
    def labels(self) -> dict[str, str]:
        """All labels, those that tell its key apart among them."""
        return {**self.details.get("labels", {}), **self.details.get("key", {})}

    @classmethod
    def of(cls, raw: Json) -> Alert:
        """Read an object of the API."""
        times = dict.fromkeys(("created_at", "updated_at", "acknowledged_at", "resolved_at"), time_of)
        lists = dict.fromkeys(("possible", "history", "notes"), tuple)
        return cls(**known(cls, raw, {**times, **lists}), raw=raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many alerts there are by status, and by severity."""

    status: dict[str, int]
    severity: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList:
    """Alerts, the newest first; ``total`` counts those of all pages."""

    alerts: tuple[Alert, ...]
    total: int
    counts: Counts
    next_cursor: str | None = None

    @classmethod
    def of(cls, raw: Json) -> AlertList:
        """Read the API's answer."""
        counts = Counts(status=raw["counts"]["status"], severity=raw["counts"]["severity"])
        alerts = tuple(map(Alert.of, raw["alerts"]))
        return cls(alerts=alerts, total=raw["total"], counts=counts, next_cursor=raw.get("next_cursor"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The thresholds of one rule, in the unit of its condition; ``duration`` is its ``for``, in seconds.

    ``updated_by`` and ``updated_at`` are None for a rule that stands as it was written.
    """

    id: str
    rule: str
    metric_type: str
    warning_threshold: float | None = None
    error_threshold: float | None = None
    critical_threshold: float | None = None
    recovery_threshold: float | None = None
    unit: str = ""
    duration: float = 0
    enabled: bool = True
    updated_by: str | None = None
    updated_at: datetime | None = None

    @classmethod
    def of(cls, raw: Json) -> Threshold:
        """Read an object of the API."""
        return cls(**known(cls, raw, {"updated_at": time_of}))


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """The state of the server. ``health`` is None while nothing is wrong, else what is, in words.

    ``alerting`` tells of the evaluation of rules: lag, missed ticks, alerts that fire.
    """

    version: str
    ready: bool
    health: str | None
    uptime_s: float
    alerting: Json = field(default_factory=dict)
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> SystemStatus:
        """Read the API's answer."""
        return cls(**known(cls, raw, {}), raw=raw)


def time_of(text: str | None) -> datetime | None:
    """Read RFC 3339 with any number of decimals."""
    if text is None:
        return None
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:_MICROSECONDS].ljust(_MICROSECONDS, '0')}").replace(tzinfo=UTC)


def known(kind: type[_T], raw: Json, reading: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """The members of an object that a class has, read; one that is missing without a default raises ``KeyError``."""
    names: Mapping[str, Any] = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return {name: reading.get(name, _as_is)(raw[name]) for name in names if name in raw and name != "raw"}


def _as_is(value: Any) -> Any:
    return value
