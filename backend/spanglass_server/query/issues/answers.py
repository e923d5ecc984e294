"""Types of the answers about issues."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from spanglass_server.query.answers import Attributes, HexId, JsonSchema, NextCursor, Slot, Time, TimeRange
from spanglass_server.query.rows.answers import Log, Span

StateWord = Literal["new", "ongoing", "regressed", "resolved", "ignored"]
EventWord = Literal["new_issue", "regression", "escalation", "unignored"]
Key = Annotated[str, JsonSchema({"pattern": "^[0-9a-f]{16}$", "description": "of a fingerprint, in hex"})]
Trend = Annotated[
    float,
    JsonSchema({"description": "events of the second half of the range less those of the first, by the root of all"}),
]


class Counted(TypedDict):
    """Figures of an issue in the range."""

    events: int
    users: int
    last_seen_time: Annotated[Time | None, JsonSchema({"description": "in the range; null without occurrences there"})]
    last_release: str | None
    environments: list[str]
    series: list[int]
    trend: Trend


class Titled(TypedDict):
    """What an issue is called, and what became of it."""

    id: str
    title: str
    type: str
    message: str
    culprit: str
    service: str
    slot: Slot
    state: StateWord
    substate: Annotated[str, JsonSchema({"description": "in_release 1.4.0, until_events 100; empty for the others"})]
    assignee: str | None
    is_overflow: bool


class ListedIssue(Titled, Counted):
    """An issue in a list."""

    first_seen_time: Time
    first_release: str | None


class StateCounts(TypedDict):
    """How many issues with matching occurrences are in each state, whatever state was asked for."""

    new: int
    ongoing: int
    regressed: int
    resolved: int
    ignored: int


class Steps(TypedDict):
    """What the series are counted by."""

    series_start_time: Time
    series_step_seconds: float


class IssueList(Steps):
    """The answer of ``GET /api/v1/issues``."""

    window: TimeRange
    issues: list[ListedIssue]
    next_cursor: NextCursor
    counts: StateCounts


class Input(TypedDict):
    """A line of why occurrences are one issue."""

    kind: Literal["custom", "rule", "service", "type", "frame", "message"]
    value: str


class KeyOfIssue(TypedDict):
    """One fingerprint of an issue; ``issue`` is the one that had it before a merge."""

    key: Key
    issue: str
    version: int | None
    inputs: list[Input]
    events: int


class Fingerprint(TypedDict):
    """Why occurrences are grouped."""

    version: int
    keys: list[KeyOfIssue]


Activity = TypedDict(
    "Activity",
    {
        "time": Time,
        "who": str,
        "what": Literal["created", "state", "assignee", "comment", "merged", "unmerged", "carried"],
        "from": str,
        "to": str,
        "detail": str,
        "issue": str,
    },
)
"""A change of an issue, made on ``issue``."""


class Comment(TypedDict):
    """What somebody wrote about an issue."""

    id: int
    time: Time
    who: str
    text: str
    issue: str


class Merged(TypedDict):
    """An issue that was merged into this one; ``merge`` undoes it."""

    merge: int
    issue: str
    into: str
    time: Time
    who: str
    by_regrouping: bool


class ChangedIssues(TypedDict):
    """Issues after a change."""

    issues: list[Titled]


class MergedIssues(TypedDict):
    """The answer of ``POST /api/v1/issues/merge``; those that were one already are not among ``merges``."""

    issue: Titled
    merges: list[Merged]


class ReleaseOfIssue(TypedDict):
    """Occurrences of an issue in the range, of one release."""

    release: str | None
    events: int
    first_seen_time: Time
    last_seen_time: Time


class ReleaseMark(TypedDict):
    """When a release of the service was seen first, in the range."""

    release: str
    time: Time


class Resolution(TypedDict):
    """How an issue was resolved."""

    how: Literal["now", "in_release", "in_next_release"]
    release: str | None
    time: Time


class Ignore(TypedDict):
    """How an issue is ignored; ``limit`` is a time, or how many more."""

    until: Literal["for_ever", "until_time", "until_events", "until_users", "until_escalates"]
    since_time: Time
    limit: int | str | None


class Similar(TypedDict):
    """An issue that looks alike, and what both have."""

    id: str
    title: str
    state: StateWord
    service: str
    shared: list[Literal["type", "culprit", "message", "frames"]]
    likeness: Annotated[float, JsonSchema({"minimum": 0, "maximum": 1})]


class IssuePage(Titled, Counted, Steps):
    """The answer of ``GET /api/v1/issues/{issue}``; the figures are of the range, first and last seen of all time."""

    window: TimeRange
    first_seen_time: Time
    first_release: str | None
    latest_time: Annotated[Time, JsonSchema({"description": "when it was seen last, in the range or not"})]
    fingerprint: Fingerprint
    activity: list[Activity]
    comments: list[Comment]
    merged: list[Merged]
    releases: list[ReleaseOfIssue]
    release_marks: list[ReleaseMark]
    resolution: Resolution | None
    ignore: Ignore | None
    similar: list[Similar]


class Occurrence(TypedDict):
    """One exception that happened."""

    id: Annotated[str, JsonSchema({"description": "opaque; the same in every answer"})]
    time: Time
    issue: str
    service: str
    slot: Slot
    release: str | None
    environment: str | None
    user: str | None
    trace_id: HexId | None
    span_id: HexId | None
    source: Literal["span", "log"]
    type: str
    message: str
    culprit: str
    handled: bool | None


class OccurrenceList(TypedDict):
    """The answer of ``GET /api/v1/issues/{issue}/occurrences``."""

    issue: str
    occurrences: list[Occurrence]
    next_cursor: NextCursor


class ExceptionSent(TypedDict):
    """An exception as its record tells it; ``attributes`` are all of the event, or those of the log record about it."""

    type: str
    message: str
    stacktrace: str
    attributes: Attributes


class OccurrencePage(Occurrence):
    """The answer of ``GET /api/v1/issues/{issue}/occurrences/{occurrence}``.

    ``exception`` is null when its record is not stored any more. ``previous`` is the one before in time.
    """

    exception: ExceptionSent | None
    attributes: Attributes
    resource: Attributes
    span: Span | None
    log: Log | None
    previous: str | None
    next: str | None
    logs_before: list[Log]
    spans_before: list[Span]


class AttributeValue(TypedDict):
    """A value, how many occurrences have it, and how much of all traffic of the service."""

    value: Any
    share: float
    baseline_share: float
    count: int
    baseline_count: int
    difference: float


class AttributeShares(TypedDict):
    """A key with the values that stand out; ``difference`` is that of the one that does most."""

    key: str
    values: list[AttributeValue]
    difference: Annotated[float, JsonSchema({"minimum": 0, "maximum": 1})]


class AttributeList(TypedDict):
    """The answer of ``GET /api/v1/issues/{issue}/attributes``: counted are spans, or log records if none told it."""

    issue: str
    signal: Literal["spans", "logs"]
    counted: int
    baseline: int
    attributes: list[AttributeShares]


class IssueOfRecord(TypedDict):
    """An exception of a span or log record, and the issue that it belongs to."""

    occurrence: str
    issue: str
    title: str
    state: StateWord
    type: str
    message: str
    trace_id: HexId | None
    span_id: HexId | None
    source: Literal["span", "log"]
    event_index: int | None
    log: Annotated[str | None, JsonSchema({"description": "the log record's id"})]


class IssuesOfRecords(TypedDict):
    """The answer of ``GET /api/v1/issue-occurrences``."""

    occurrences: list[IssueOfRecord]


class IssueEvent(TypedDict):
    """What rules wait for."""

    id: int
    kind: EventWord
    time: Time
    issue: str
    service: str
    release: str | None
    environment: str | None
    detail: str


class IssueEventList(TypedDict):
    """The answer of ``GET /api/v1/issue-events``; ``last_id`` is the ``after`` of the next question."""

    events: list[IssueEvent]
    last_id: int


class ServiceRelease(TypedDict):
    """A release of a service, beside the one before; shares are null without requests in the range."""

    service: str
    slot: Slot
    release: str
    environments: list[str]
    first_seen_time: Time
    last_seen_time: Time
    new_issues: int
    regressed_issues: int
    resolved_issues: int
    requests: int
    failed_requests: int
    crash_free_share: float | None
    before: str | None
    crash_free_share_before: float | None


class ReleaseList(TypedDict):
    """The answer of ``GET /api/v1/releases``; requests are counted in the range, all else at all times."""

    window: TimeRange
    releases: list[ServiceRelease]


class GroupingRule(TypedDict):
    """A rule of grouping that stands."""

    id: int
    rule: Attributes
    time: Time
    who: str


class RuleList(TypedDict):
    """The answer of ``GET /api/v1/grouping/rules``."""

    rules: list[GroupingRule]


class MovedTo(TypedDict):
    """Where occurrences would go: to an issue that is there, or to a new one of this key."""

    issue: str | None
    key: Key | None
    title: str
    events: int


class MovingIssue(TypedDict):
    """An issue whose occurrences would be in several groups; those that stay are among ``to``."""

    issue: str
    title: str
    events: int
    to: list[MovedTo]


class MovedFrom(TypedDict):
    """An issue that would give occurrences to a group."""

    issue: str
    title: str
    events: int


Joined = TypedDict("Joined", {"into": MovedTo, "from": list[MovedFrom]})
"""A group that would have occurrences of several issues."""


class GroupingPreview(TypedDict):
    """The answer of ``POST /api/v1/grouping/preview``.

    ``compared`` occurrences were grouped without the rule and with it; ``not_stored`` are those whose records are
    deleted; ``is_sample`` when there are more in the range.
    """

    compared: int
    not_stored: int
    is_sample: bool
    moved: int
    splits: list[MovingIssue]
    merges: list[Joined]


class RegroupProgress(TypedDict):
    """How far regrouping is; ``error`` says why the last one ended early."""

    is_running: bool
    done: int
    total: int
    moved: int
    error: str | None
