"""Types of the answers about background tasks and queues."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from spanglass_server.query.answers import JsonSchema, Nanoseconds, SampledShare, Slot, Time, TimeRange, UnixSeconds

TaskSource = Annotated[
    Literal["spans", "metrics"], JsonSchema({"description": "what tells of the runs: spans, where there are any"})
]


class TaskPoint(TypedDict):
    """Runs of a step that starts at ``t``, and those that failed; of metrics their share of what points count."""

    t: UnixSeconds
    runs: float
    failed: float


class Task(TypedDict):
    """A task of a service: its runs, and how long they took and waited; null is what nobody tells.

    ``operation`` is the name of its spans. ``running`` are those under way at the end of the range.
    """

    task: str
    service: str
    slot: Slot
    system: str | None
    queue: str | None
    operation: str | None
    source: TaskSource
    runs: int
    rate_per_s: float
    failed: int
    failed_ratio: float | None
    p50_ns: Nanoseconds | None
    p95_ns: Nanoseconds | None
    wait_p50_ns: Nanoseconds | None
    wait_p95_ns: Nanoseconds | None
    running: int | None
    last_time: Time | None
    sampled_share: SampledShare
    series: list[TaskPoint]


class TaskList(TypedDict):
    """The answer of ``GET /api/v1/tasks``, those with the most runs first; ``total`` are there in all."""

    window: TimeRange
    step_s: float
    tasks: list[Task]
    total: int


class Queue(TypedDict):
    """A queue: what was sent to it, what was processed from it, and how many messages wait.

    ``length`` is the newest one, null where nobody has measured it in the last five minutes of the range; ``lengths``
    are the last ones of each step. ``processed`` are runs of tasks from it.
    """

    queue: str
    systems: list[str]
    senders: list[str]
    consumers: list[str]
    sent: int | None
    sent_per_s: float | None
    processed: int
    processed_per_s: float
    failed: int
    length: float | None
    longest: float | None
    lengths: list[float | None]


class QueueList(TypedDict):
    """The answer of ``GET /api/v1/queues``, the longest first."""

    window: TimeRange
    start: UnixSeconds
    step_s: float
    queues: list[Queue]
    total: int
