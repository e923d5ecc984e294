"""What the parts of health give each other, and the desk gives to API and pages: statuses, runs, components, uptime."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.forms.book import Found
    from spanglass_server.health.check import Check


class Status(StrEnum):
    """How something is. Unknown: nothing was heard of it yet, or for too long."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


#: As the metric ``spanglass.health.check.status`` has them; what is unknown has no value.
VALUES: Final = {Status.HEALTHY: 1.0, Status.DEGRADED: 0.5, Status.UNHEALTHY: 0.0}
#: From best to worst, so that the worst of several is a maximum. Unknown is worse than well, and no failure.
RANKS: Final = {Status.HEALTHY: 0, Status.UNKNOWN: 1, Status.DEGRADED: 2, Status.UNHEALTHY: 3}

#: What a component is.
Area = Literal["system", "component", "service", "database", "cache", "api", "dependency", "task"]
AREAS: Final[tuple[Area, ...]] = get_args(Area)

#: Who says so: a check that this server runs; a check of an application, by its telemetry; other telemetry (spans,
#: metrics and the alerts about them); the server of itself.
Source = Literal["check", "application", "telemetry", "server"]


def worst(statuses: tuple[Status, ...]) -> Status:
    """The worst of some; unknown where there is none."""
    return max(statuses, key=RANKS.__getitem__, default=Status.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a check, as it came out: ``status`` is not yet protected from flapping."""

    started_ns: int
    latency_ns: int
    status: Status
    detail: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """How a check stands. ``status`` has held since ``since_ns``; ``bad`` and ``good`` count runs in a row."""

    status: Status = Status.UNKNOWN
    since_ns: int = 0
    run: Run | None = None
    bad: int = 0
    good: int = 0
    flapping: bool = False
    changes_ns: tuple[int, ...] = ()  # when it changed lately
    detail: str = ""  # why the status is what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """A check of either sort with how it stands. ``found`` is its written form, None for one of an application."""

    uid: str
    name: str
    kind: str  # http, tcp, tls, dns, heartbeat, sql, redis, command, application
    area: Area
    component: str
    source: Source
    critical: bool
    enabled: bool
    status: Status
    since_ns: int
    last_ns: int  # 0: it never ran
    latency_ns: int | None
    detail: str
    flapping: bool = False
    interval_ns: int = 0  # 0: it is not known
    service: str = ""
    instances: int = 0  # of an application, that tell of it
    public: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)
    found: Found[Check] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number about a component; ``unit`` is as in measures: ``s``, ``/s``, ``ratio``, ``bytes`` or none."""

    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the whole, with how it is, since when, why, and who says so."""

    uid: str
    name: str
    area: Area
    status: Status
    since_ns: int = 0
    last_ns: int = 0  # when that was last seen to be so
    latency_ns: int | None = None
    reason: str = ""  # in words; "" while it is well
    sources: tuple[Source, ...] = ()
    checks: tuple[str, ...] = ()  # uids
    critical: bool = True
    service: str = ""
    host: str = ""
    public: bool = False
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the whole is not well: a component, and how many points of the score it costs."""

    component: str  # uid
    name: str
    status: Status
    text: str
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """The whole: its status, a number from 0 (nothing works) to 100 (all is well), and the reasons, worst first."""

    status: Status
    score: int
    reasons: tuple[Reason, ...]
    counts: Mapping[Status, int]
    since_ns: int
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A subject has another status than before. ``number`` rises with every change of any subject."""

    number: int = 0
    subject: str
    time_ns: int
    status: Status
    previous: Status
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the store knows of a subject: its status since when, and when that was last seen to be so."""

    subject: str
    status: Status
    since_ns: int
    seen_ns: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a heartbeat's URL: that a job has begun, has ended well (``ok``), or has failed."""

    time_ns: int
    kind: Literal["start", "ok", "fail"]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which something was unhealthy; ``end_ns`` is 0 while it is."""

    start_ns: int
    end_ns: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """How much of a range something was not unhealthy. Times in which its status is not known do not count.

    ``share`` is from 0 to 1, None where nothing is known of the whole range.
    """

    start_ns: int
    end_ns: int
    share: float | None
    known_ns: int
    down_ns: int
    degraded_ns: int
    outages: tuple[Outage, ...] = ()


def check_subject(uid: str) -> str:
    """What changes of a check are kept under."""
    return f"check/{uid}"


def component_subject(uid: str) -> str:
    """What changes of a component are kept under."""
    return f"component/{uid}"


#: What changes of the whole are kept under.
OVERALL: Final = "overall"
