"""Tasks and queues of a range, put together from spans and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spanglass_server.query.answers import whole
from spanglass_server.query.metrics.question import MAX_STEPS
from spanglass_server.query.services.estimates import sampled_share
from spanglass_server.query.tasks.levels import active_tasks, queue_lengths
from spanglass_server.query.tasks.measured import measured_runs, measured_waits
from spanglass_server.query.tasks.runs import TaskSpans, Wanted
from spanglass_server.query.window import Buckets, bucket_seconds, covered_s_of, describe
from spanglass_server.signals import Signal
from spanglass_server.times import format_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from spanglass_server.query.tasks.answers import Queue, QueueList, Task, TaskList, TaskSource
    from spanglass_server.query.tasks.levels import Level
    from spanglass_server.query.tasks.runs import Runs, TaskKey, Wait
    from spanglass_server.store.ports import QuerySession, Window

#: What tells of tasks and queues.
_TOLD_BY = (Signal.SPANS, Signal.METRICS)


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

    def wanted(self, limit: int) -> Wanted:
        """What is asked of spans."""
        return Wanted(self.service, self.queue, limit)


def list_tasks(session: QuerySession, question: TaskQuestion, limit: int) -> TaskList:
    """Answer ``GET /api/v1/tasks``: what spans tell of runs counts before what metrics do."""
    window, steps = question.window, question.steps
    spans = TaskSpans.of(session, window, question.filter)
    measured = measured_runs(session, window, question.filter, steps)
    of_spans, total = spans.tasks(question.wanted(limit), measured)
    others = {key: each for key, each in _without_spans(measured, of_spans).items() if _is_wanted(question, key)}
    runs = {**others, **{key: each for key, each in of_spans.items() if _is_wanted(question, key)}}
    shown = sorted(runs, key=lambda key: (-runs[key].runs, key))[:limit]
    timed = {key: of_spans[key] for key in shown if key in of_spans}
    waits: dict[TaskKey, Wait] = {}
    if timed:
        spans.add_times(timed, steps)
        waits = spans.waits(timed)
    waits |= measured_waits(session, window, question.filter)
    active = active_tasks(session, window, question.filter, steps, shown) if shown else {}
    seconds = covered_s_of(session, window, _TOLD_BY)
    return {
        "window": describe(window),
        "step_s": steps.step_s,
        "tasks": [
            _task(session, question, key, seconds, _Told(runs[key], waits.get(key), active.get(key), key in of_spans))
            for key in shown
        ],
        "total": total + len(others),
    }


def _without_spans(measured: Mapping[TaskKey, Runs], of_spans: Collection[TaskKey]) -> dict[TaskKey, Runs]:
    """What metrics tell of other tasks; metrics without a task's name are of those that spans tell of, if any."""
    known = {(key.service, key.queue) for key in of_spans}
    others = {key: each for key, each in measured.items() if key.task or (key.service, key.queue) not in known}
    return {key: each for key, each in others.items() if key not in of_spans}


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


def _task(session: QuerySession, question: TaskQuestion, key: TaskKey, seconds: float, told: _Told) -> Task:
    runs, wait = told.runs, told.wait
    return {
        "task": key.task,
        "service": key.service,
        "slot": session.service_slot(key.service),
        "system": key.system or None,
        "queue": key.queue or None,
        "operation": runs.operation,
        "source": told.source,
        "runs": whole(runs.runs),
        "rate_per_s": runs.runs / seconds,
        "failed": whole(runs.failed),
        "failed_ratio": runs.failed / runs.runs if runs.runs else None,
        "p50_ns": runs.p50_ns,
        "p95_ns": runs.p95_ns,
        "wait_p50_ns": wait.p50_ns if wait else None,
        "wait_p95_ns": wait.p95_ns if wait else None,
        "running": None if told.active is None or told.active.now is None else whole(told.active.now),
        "last_time": None if runs.last_ns is None else format_time(runs.last_ns),
        "sampled_share": sampled_share(runs.stored, whole(runs.runs)),
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
    lengths = queue_lengths(session, window, question.filter, steps, question.queue)
    sides = {name: _Sides(set(level.systems)) for name, level in lengths.items()}
    measured = {key: each for key, each in measured_runs(session, window, question.filter, steps).items() if key.queue}
    of_spans = spans.tasks(question.wanted(0), measured)[0] if measured else {}
    for key, runs in _without_spans(measured, of_spans).items():
        side = sides.setdefault(key.queue, _Sides())
        side.systems.add(key.system)
        side.consumers.add(key.service)
        side.processed += runs.runs
        side.failed += runs.failed
    named = set(sides)
    queues_of_spans, total = spans.queues(question.wanted(limit), named)
    for name, told in queues_of_spans.items():
        side = sides.setdefault(name, _Sides())
        side.systems.update(told.systems)
        side.senders.update(told.senders)
        side.consumers.update(told.consumers)
        side.sent = told.sent
        side.processed += told.processed
        side.failed += told.failed
    wanted = {name: side for name, side in sides.items() if _is_of(question, name, side)}
    total += len(wanted.keys() & named)
    order = sorted(wanted, key=lambda name: _rank(name, wanted[name], lengths))
    seconds = covered_s_of(session, window, _TOLD_BY)
    return {
        "window": describe(window),
        "start": bucket_seconds(steps.first_ns),
        "step_s": steps.step_s,
        "queues": [_queue(question, name, wanted[name], seconds, lengths.get(name)) for name in order[:limit]],
        "total": total,
    }


def _rank(name: str, side: _Sides, lengths: Mapping[str, Level]) -> tuple[float, float, int, str]:
    """The longest first, then those from which the most is processed."""
    now = lengths[name].now if name in lengths else None
    return -(now or 0), -side.processed, -(side.sent or 0), name


def _is_of(question: TaskQuestion, name: str, side: _Sides) -> bool:
    of_service = question.service in {"", *side.senders, *side.consumers}
    return of_service and question.queue in ("", name)


def _queue(question: TaskQuestion, name: str, side: _Sides, seconds: float, level: Level | None) -> Queue:
    steps = [level.steps.get(place) for place in range(question.steps.count)] if level else []
    return {
        "queue": name,
        "systems": sorted(side.systems - {""}),
        "senders": sorted(side.senders),
        "consumers": sorted(side.consumers),
        "sent": side.sent,
        "sent_per_s": None if side.sent is None else side.sent / seconds,
        "processed": whole(side.processed),
        "processed_per_s": side.processed / seconds,
        "failed": whole(side.failed),
        "length": level.now if level else None,
        "longest": max((value for value in steps if value is not None), default=None),
        "lengths": steps,
    }
