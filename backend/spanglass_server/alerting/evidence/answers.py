"""The shape of evidence, as alerts keep it: JSON, each part left out where there is nothing to say or it failed."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from spanglass_server.query.answers import HexId, JsonSchema, Nanoseconds, Time, TimeRange, UnixSeconds
from spanglass_server.query.comparing.groups import StandingOut
from spanglass_server.query.comparing.operations import Compared, Figures
from spanglass_server.query.one_trace.failures import Failure
from spanglass_server.query.traces.time_spent import TimeSpent

#: What kind of thing is wrong, which decides what is looked for.
Topic = Literal["errors", "latency", "traffic", "records", "logs", "issue", "silence", "process", "host", "other"]
SeverityWord = Literal["info", "warning", "error", "critical"]
FilterText = Annotated[str, JsonSchema({"description": "in the filter language"})]


class AboutShown(TypedDict):
    """What the alert is about. ``filter`` finds the records that were looked at, ``bad`` those of them that are bad.

    The condition has held since ``since_time``; ``window`` is when bad records were looked for, ``before`` as long a
    time in front of it, which they are compared with.
    """

    topic: Topic
    signal: Literal["spans", "logs"]
    service: str
    host: str
    filter: FilterText
    bad: FilterText
    since_time: Time
    window: TimeRange
    before: TimeRange


class ThresholdShown(TypedDict):
    """A number that the condition compares with, and the level that it stands for."""

    severity: SeverityWord
    value: float


class ValueShown(TypedDict):
    """The value when it fired, and its course until then; ``bounds`` where what it is compared with changes."""

    value: float | None
    unit: str
    thresholds: list[ThresholdShown]
    times_s: list[UnixSeconds]
    values: list[float | None]
    bounds: list[float | None] | None


class FiguresShown(TypedDict):
    """Requests of the service since it is bad and as long before, and its operations that changed most.

    ``failed_share`` is of all requests since it is bad; operations are compared with all of the time before.
    """

    now: Figures
    before: Figures
    failed_share: float
    operations: list[Compared]


class AttributesShown(TypedDict):
    """What sets the bad records apart from the others, of one operation if most of the bad ones are, else of all."""

    operation: str
    bad: int
    others: int
    attributes: list[StandingOut]


class Example(TypedDict):
    """A trace with a bad span: the worst, a typical one, the newest. ``reason`` is one line.

    ``failure`` is where and why the trace failed, ``time_spent`` what held its time; null where that is not clear.
    """

    role: Literal["worst", "typical", "newest"]
    trace_id: HexId
    span_id: HexId
    time: Time
    service: str
    operation: str
    duration_ns: Nanoseconds
    reason: str
    failure: Failure | None
    time_spent: TimeSpent | None


class IssueShown(TypedDict):
    """An issue of the error tracker behind it. ``share`` is of the bad traces that were looked at, null without any."""

    issue: str
    title: str
    service: str
    state: str
    culprit: str
    message: str
    events: int
    share: float | None
    first_seen_time: Time
    is_new: bool


class Change(TypedDict):
    """Something that changed just before: ``seconds_before`` the condition held, negative for after it.

    ``gone``: an instance of which nothing more came; ``silent``: a service of which nothing came any more.
    """

    kind: Literal["release", "revision", "restart", "instance", "host", "operation", "gone", "silent"]
    service: str
    value: str
    time: Time
    seconds_before: float
    text: str


class SimilarAlert(TypedDict):
    """An earlier alert and how it ended. ``same``: of the same rule and key; else of the same service and quantity."""

    alert: str
    title: str
    same: bool
    severity: SeverityWord
    status: Literal["active", "acknowledged", "resolved", "dismissed"]
    created_time: Time
    resolved_time: Time | None
    duration_ns: Nanoseconds | None
    resolved_by: str
    reason: str


class LogShown(TypedDict):
    """A log record of severity error or worse, newest first."""

    log: str
    time: Time
    severity: str
    service: str
    body: str
    trace_id: HexId | None


class ProcessShown(TypedDict):
    """A process that uses much: ``cpu`` in processors, ``memory`` in bytes."""

    host: str
    pid: int
    service: str
    command: str
    cpu: float | None
    memory: float | None
    uptime_s: float | None


class LeftOut(TypedDict):
    """A part that could not be found out, and why."""

    part: str
    reason: str


class Evidence(TypedDict):
    """All of it. ``cause`` is a sentence where the rest is clear, else ""; ``clues`` are its parts, each on its own."""

    version: Literal[1]
    gathered_time: Time
    cause: str
    clues: list[str]
    about: AboutShown
    value: NotRequired[ValueShown]
    figures: NotRequired[FiguresShown]
    attributes: NotRequired[AttributesShown]
    examples: NotRequired[list[Example]]
    issues: NotRequired[list[IssueShown]]
    changes: NotRequired[list[Change]]
    similar: NotRequired[list[SimilarAlert]]
    logs: NotRequired[list[LogShown]]
    processes: NotRequired[list[ProcessShown]]
    left_out: list[LeftOut]
