"""Tasks and queues of a range, put together from spans and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.query.metrics.question import MAX_STEPS
from spanglass_server.query.tasks.levels import active_tasks, queue_lengths
from spanglass_server.query.tasks.measured import measured_runs, measured_waits
from spanglass_server.query.tasks.runs import TaskSpans
from spanglass_server.query.traces.estimates import sampled_share
from spanglass_server.query.window import Buckets, bucket_seconds, describe
from spanglass_server.times import NS_PER_SECOND, format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.query.tasks.answers import Queue, QueueList, Task, TaskList, TaskSource
    from spanglass_server.query.tasks.levels import Level
    from spanglass_server.query.tasks.runs import Runs, TaskKey, Wait
    from spanglass_server.store.ports import QuerySession, Window


@dataclass(frozen=True, slots=True)
class TaskQuestion:
    """What is asked: tasks of spans and metrics that match, of a service or queue if one is named, over steps."""

    window: Window
    filter: str = ""
    service: str = ""
    queue: str = ""
    buckets: int = 30

    @property
    def steps(self) -> Buckets:
        """The steps of the range."""
        return Buckets.about(self.window, min(self.buckets, MAX_STEPS))

    @property
    def seconds(self) -> float:
        """The length of the range."""
        return (self.window.end_ns - self.window.start_ns) / NS_PER_SECOND


def list_tasks(session: QuerySession, question: TaskQuestion, limit: int) -> TaskList:
    """Answer ``GET /api/v1/tasks``: what spans tell of runs counts before what metrics do."""
    window, steps = question.window, question.steps
    spans = TaskSpans.of(session, window, question.filter)
    of_spans = spans.runs(steps)
    runs = _all_runs(session, question, of_spans)
    waits = spans.waits(sum(each.runs for each in of_spans.values())) if of_spans else {}
    runs = {key: each for key, each in runs.items() if _is_wanted(question, key)}
    waits |= measured_waits(session, window, question.filter)
    active = active_tasks(session, window, question.filter, steps)
    shown = sorted(runs, key=lambda key: (-runs[key].runs, key))
    return {
        "window": describe(window),
        "step_s": steps.step_s,
        "tasks": [
            _task(session, question, key, _Told(runs[key], waits.get(key), active.get(key), key in of_spans))
            for key in shown[:limit]
        ],
        "total": len(shown),
    }


def _all_runs(session: QuerySession, question: TaskQuestion, of_spans: Mapping[TaskKey, Runs]) -> dict[TaskKey, Runs]:
    """Add what metrics tell of other tasks; metrics without a task's name are of those that spans tell of, if any."""
    measured = measured_runs(session, question.window, question.filter, question.steps)
    known = {(key.service, key.queue) for key in of_spans}
    others = {key: each for key, each in measured.items() if key.task or (key.service, key.queue) not in known}
    return {**others, **of_spans}


def _is_wanted(question: TaskQuestion, key: TaskKey) -> bool:
    return question.service in ("", key.service) and question.queue in ("", key.queue)


@dataclass(frozen=True, slots=True)
class _Told:
    """All that is told of a task."""

    runs: Runs
    wait: Wait | None
    active: Level | None
    has_spans: bool

    @property
    def source(self) -> TaskSource:
        return "spans" if self.has_spans else "metrics"


def _task(session: QuerySession, question: TaskQuestion, key: TaskKey, told: _Told) -> Task:
    runs, wait = told.runs, told.wait
    return {
        "task": key.task,
        "service": key.service,
        "slot": session.service_slot(key.service),
        "system": key.system or None,
        "queue": key.queue or None,
        "operation": runs.operation,
        "source": told.source,
        "runs": round(runs.runs),
        "rate_per_s": runs.runs / question.seconds,
        "failed": round(runs.failed),
        "failed_ratio": runs.failed / runs.runs if runs.runs else None,
        "p50_ns": runs.p50_ns,
        "p95_ns": runs.p95_ns,
        "wait_p50_ns": wait.p50_ns if wait else None,
        "wait_p95_ns": wait.p95_ns if wait else None,
        "running": None if told.active is None or told.active.now is None else round(told.active.now),
        "last_time": None if runs.last_ns is None else format_time(runs.last_ns),
        "sampled_share": sampled_share(runs.stored, round(runs.runs)),
        "series": [
            {"t": bucket_seconds(start_ns), "runs": counts[0], "failed": counts[1]}
            for place, start_ns in enumerate(question.steps.starts_ns())
            for counts in [runs.steps.get(place, (0, 0))]
        ],
    }


@dataclass(slots=True)
class _Sides:
    """What goes into a queue and comes out of it."""

    systems: set[str] = field(default_factory=set)
    senders: set[str] = field(default_factory=set)
    consumers: set[str] = field(default_factory=set)
    sent: int | None = None
    processed: float = 0
    failed: float = 0


def list_queues(session: QuerySession, question: TaskQuestion, limit: int) -> QueueList:
    """Answer ``GET /api/v1/queues``: by name, whatever the system calls itself on either side."""
    window, steps = question.window, question.steps
    spans = TaskSpans.of(session, window, question.filter)
    sides: dict[str, _Sides] = {}
    for key, runs in _all_runs(session, question, spans.runs(steps)).items():
        if key.queue:
            side = sides.setdefault(key.queue, _Sides())
            side.systems.add(key.system)
            side.consumers.add(key.service)
            side.processed += runs.runs
            side.failed += runs.failed
    for sent in spans.sent():
        side = sides.setdefault(sent.queue, _Sides())
        side.systems.add(sent.system)
        side.senders.add(sent.service)
        side.sent = (side.sent or 0) + sent.sent
    lengths = queue_lengths(session, window, question.filter, steps)
    for name, level in lengths.items():
        sides.setdefault(name, _Sides()).systems.update(level.systems)
    wanted = {name: side for name, side in sides.items() if _is_of(question, name, side)}
    queues = [_queue(question, name, side, lengths) for name, side in wanted.items()]
    queues.sort(key=lambda each: (-(each["length"] or 0), -each["processed"], -(each["sent"] or 0), each["queue"]))
    return {
        "window": describe(window),
        "start": bucket_seconds(steps.first_ns),
        "step_s": steps.step_s,
        "queues": queues[:limit],
        "total": len(queues),
    }


def _is_of(question: TaskQuestion, name: str, side: _Sides) -> bool:
    of_service = question.service in {"", *side.senders, *side.consumers}
    return of_service and question.queue in ("", name)


def _queue(question: TaskQuestion, name: str, side: _Sides, lengths: Mapping[str, Level]) -> Queue:
    level = lengths.get(name)
    steps = [level.steps.get(place) for place in range(question.steps.count)] if level else []
    return {
        "queue": name,
        "systems": sorted(side.systems - {""}),
        "senders": sorted(side.senders),
        "consumers": sorted(side.consumers),
        "sent": side.sent,
        "sent_per_s": None if side.sent is None else side.sent / question.seconds,
        "processed": round(side.processed),
        "processed_per_s": side.processed / question.seconds,
        "failed": round(side.failed),
        "length": level.now if level else None,
        "longest": max((value for value in steps if value is not None), default=None),
        "lengths": steps,
    }
