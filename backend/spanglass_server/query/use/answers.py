"""Types of the answers about users and use."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from spanglass_server.query.answers import (
    HexId,
    JsonSchema,
    Nanoseconds,
    SampledShare,
    Slot,
    Time,
    TimeRange,
    UnixSeconds,
)

CourseKind = Literal["request", "event", "error"]
UserShare = Annotated[
    float | None, JsonSchema({"description": "share of the users that was looked at, figures are scaled up; null: all"})
]


class UseFigures(TypedDict):
    """What was seen of somebody: ``errors`` are requests that failed."""

    requests: int
    errors: int
    events: int


class UsePoint(TypedDict):
    """Users that were seen in a step, and sessions that began in it."""

    t: UnixSeconds
    users: int
    sessions: int


class UseSummary(UseFigures):
    """The answer of ``GET /api/v1/users/summary``; ``anonymous`` are sessions of which nobody knows the user."""

    window: TimeRange
    users: int
    anonymous: int
    sessions: int
    session_p50_ns: Nanoseconds | None
    session_p95_ns: Nanoseconds | None
    step_s: float
    points: list[UsePoint]
    users_share: UserShare


class ActiveUsers(TypedDict):
    """The answer of ``GET /api/v1/users/active``: users of the last 1, 7 and 30 days up to the end of the range.

    ``since`` is from when on users are known within those thirty days.
    """

    day: int
    week: int
    month: int
    since: Time | None
    users_share: UserShare


class SeenUser(UseFigures):
    """A user of a range."""

    user: str
    sessions: int
    records: int
    first_time: Time
    last_time: Time


class UserList(TypedDict):
    """The answer of ``GET /api/v1/users``."""

    users: list[SeenUser]
    total: int
    users_share: UserShare


class SeenSession(UseFigures):
    """A session of a range; without ``session``, half an hour of silence before and after makes it one."""

    session: str | None
    user: str | None
    records: int
    start_time: Time
    last_time: Time
    duration_ns: Nanoseconds


class SessionList(TypedDict):
    """The answer of ``GET /api/v1/sessions``."""

    sessions: list[SeenSession]
    total: int
    users_share: UserShare


class UseOverview(TypedDict):
    """The answer of ``GET /api/v1/users/overview``: what a page shows together, from one look at the records."""

    summary: UseSummary
    users: UserList
    sessions: SessionList


class Feature(TypedDict):
    """An event by its name: how often it happened, and by how many."""

    name: str
    events: int
    users: int
    sessions: int
    last_time: Time


class FeatureList(TypedDict):
    """The answer of ``GET /api/v1/users/features``."""

    features: list[Feature]


class UsedPath(TypedDict):
    """What requests asked for; ``route`` is told where the operation's name lacks it."""

    service: str
    slot: Slot
    operation: str
    route: str | None
    requests: int
    errors: int
    users: int
    sessions: int
    p95_ns: Nanoseconds | None
    sampled_share: SampledShare


class PathList(TypedDict):
    """The answer of ``GET /api/v1/users/paths``."""

    paths: list[UsedPath]


class CourseStep(TypedDict):
    """Something that a user did or met: a request with all its ``spans``, an event, or an error that a log tells.

    ``failed`` of a request: one of its spans did. ``text`` is the body of a log record, its beginning.
    """

    kind: CourseKind
    time: Time
    name: str
    text: str | None
    service: str
    slot: Slot
    trace_id: HexId | None
    span_id: HexId | None
    duration_ns: Nanoseconds | None
    spans: int
    failed: bool
    user: str | None
    session: str | None


class Course(TypedDict):
    """The answer of ``GET /api/v1/users/course``: newest first; ``more`` are there before those."""

    window: TimeRange
    steps: list[CourseStep]
    more: bool
