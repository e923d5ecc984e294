"""Types of the API's answers about health."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from spanglass_server.health.model import Area, Source
from spanglass_server.query.answers import Nanoseconds, NextCursor, Time

StatusName = Literal["healthy", "degraded", "unhealthy", "unknown"]


class FigureJson(TypedDict):
    """A number about a component; ``unit`` is ``s``, ``/s``, ``ratio``, ``bytes`` or empty."""

    value: float
    unit: str


class ComponentJson(TypedDict):
    """A part of the whole: how it is, since when, why, and who says so."""

    uid: str
    name: str
    area: Area
    status: StatusName
    since_time: Time | None
    last_time: Time | None
    latency_ns: Nanoseconds | None
    reason: str
    sources: list[Source]
    checks: list[str]
    critical: bool
    service: str | None
    host: str | None
    public: bool
    figures: dict[str, FigureJson]


class ReasonJson(TypedDict):
    """A component that is not well, and how many points of the score it costs."""

    component: str
    name: str
    status: StatusName
    text: str
    points: float


class StatusJson(TypedDict):
    """The answer of ``GET /api/monitoring/status/``: the whole. ``score`` is from 0 to 100."""

    status: StatusName
    score: int
    since_time: Time
    time: Time
    reasons: list[ReasonJson]
    counts: dict[str, int]


class HealthJson(StatusJson):
    """The whole with its components. ``version`` rises with every change of what is told."""

    components: list[ComponentJson]
    enabled: bool
    status_page: bool
    version: int


class CheckJson(TypedDict):
    """A check with how it stands; ``kind`` is ``application`` for one that an application runs itself."""

    uid: str
    name: str
    kind: str
    area: Area
    component: str
    source: Source
    critical: bool
    enabled: bool
    status: StatusName
    since_time: Time | None
    last_time: Time | None
    latency_ns: Nanoseconds | None
    detail: str
    flapping: bool
    interval_ns: Nanoseconds | None
    service: str | None
    instances: int
    public: bool
    target: str
    figures: dict[str, float]


class CheckList(TypedDict):
    """The answer of ``GET /api/v1/checks``; ``enabled`` is whether the server runs its checks."""

    checks: list[CheckJson]
    problems: list[str]
    enabled: bool


class RunJson(TypedDict):
    """One run of a check; ``status`` is not yet protected from flapping."""

    time: Time
    latency_ns: Nanoseconds
    status: StatusName
    detail: str
    figures: dict[str, float]


class CallJson(TypedDict):
    """A call of a heartbeat."""

    time: Time
    kind: Literal["start", "ok", "fail"]
    text: str


class CheckPage(CheckJson):
    """One check with everything; what is about its written form is null for one of an application."""

    check: dict[str, Any] | None
    yaml: str | None
    version: str | None
    origin: Literal["settings", "kept"] | None
    file: str | None
    line: int | None
    editable: bool
    description: str
    owner: str
    runbook: str
    next_time: Time | None
    heartbeat_path: str | None
    runs: list[RunJson]
    calls: list[CallJson]


class KeptCheck(TypedDict):
    """A check as it is kept now."""

    uid: str
    version: str
    check: dict[str, Any]


class DeletedCheck(TypedDict):
    """The answer of a deletion."""

    uid: str


class CheckVersion(TypedDict):
    """What a check was before."""

    version: str
    replaced_time: Time
    check: dict[str, Any]


class CheckVersions(TypedDict):
    """The answer of ``GET /api/v1/checks/{uid}/versions``, newest first."""

    versions: list[CheckVersion]


class CheckedChecks(TypedDict):
    """The answer of ``POST /api/v1/checks/check``: the checks that are right, and what is wrong."""

    checks: list[dict[str, Any]]
    problems: list[dict[str, Any]]


class ChangeJson(TypedDict):
    """A change of a status; ``subject`` is ``check/UID``, ``component/UID`` or ``overall``."""

    subject: str
    time: Time
    status: StatusName
    previous: StatusName
    detail: str


class ChangeList(TypedDict):
    """Changes of statuses, newest first."""

    changes: list[ChangeJson]
    next_cursor: NextCursor


class OutageJson(TypedDict):
    """A time in which something was unhealthy; ``end_time`` is null while it is."""

    start_time: Time
    end_time: Time | None
    detail: str


class StepJson(TypedDict):
    """The uptime of one step of a range, such as a day."""

    start_time: Time
    uptime: float | None
    known_ns: Nanoseconds
    down_ns: Nanoseconds
    degraded_ns: Nanoseconds


class UptimeJson(TypedDict):
    """How much of a range something was not unhealthy, as a share of the time of which that is known; null for none.

    ``days`` are the steps that were asked for.
    """

    start_time: Time
    end_time: Time
    share: float | None
    known_ns: Nanoseconds
    down_ns: Nanoseconds
    degraded_ns: Nanoseconds
    outages: list[OutageJson]
    days: list[StepJson]
