"""Spans and points of background tasks, made by hand in the window of ``metric_tables``."""

from __future__ import annotations

from metric_tables import DELTA, SECOND, T0, gauge, histogram, point

NUMBERS = iter(range(1, 1_000_000))
PRODUCER, CONSUMER = 4, 5


def span(kind, service, time_s, *, ms=10, failed=False, parent=None, **more):
    """Make a span at seconds after the window's start; ``more`` are columns."""
    number = next(NUMBERS)
    return {
        "trace_id": parent["trace_id"] if parent else number.to_bytes(16),
        "span_id": number.to_bytes(8),
        "parent_span_id": parent["span_id"] if parent else None,
        "link_trace_id": [],
        "link_span_id": [],
        "resource.service.name:str": service,
        "name": "x",
        "kind": kind,
        "start_time_ns": T0 * SECOND + round(time_s * SECOND),
        "duration_ns": ms * 1_000_000,
        "status_code": 2 if failed else 0,
        **more,
    }


def celery(time_s, wait_s, *, ms=100, failed=False, task="shop.mail"):
    """Make both spans of a task of Celery: sent by ``web``, run by ``worker`` so much later."""
    where = {"span.messaging.destination:str": "mails", "span.celery.task_name:str": task}
    sent = span(PRODUCER, "web", time_s, name=f"apply_async/{task}", **where)
    start_s = time_s + 0.01 + wait_s
    return [sent, span(CONSUMER, "worker", start_s, ms=ms, failed=failed, parent=sent, name=f"run/{task}", **where)]


def at(system, queue, task=None, **more):
    """Make the columns of a point of a queue or task."""
    columns = {"point.messaging.system:str": system, "point.messaging.destination.name:str": queue}
    return {**columns, **({"point.spanglass.task.name:str": task} if task else {}), **more}


RQ = {"resource.service.name:str": "rq-worker"}


def rq():
    """Make the metrics of a job of RQ, which has no spans: eight runs, two of them failed, and what waits."""
    took = {"metric_name": "messaging.process.duration", "metric_unit": "s", "temporality": DELTA, "bounds": (1.0, 2.0)}
    waited = {**took, "metric_name": "spanglass.task.wait_time"}
    job = at("rq", "low", "jobs.report", **RQ)
    return [
        histogram(90, [6, 0, 0], 3.0, start_s=30, **took, **job, **{"point.spanglass.task.outcome:str": "success"}),
        histogram(90, [0, 2, 0], 3.0, start_s=30, **took, **job, **{"point.spanglass.task.outcome:str": "failure"}),
        histogram(90, [0, 8, 0], 9.0, start_s=30, **waited, **job),
        *(gauge(t, value, metric_name="spanglass.queue.length", **at("rq", "low", **RQ)) for t, value in LENGTHS),
        point("sum", 590, value_int=3, is_monotonic=False, temporality=2, metric_name="spanglass.task.active", **job),
    ]


#: What waits in RQ's queue, at seconds.
LENGTHS = ((30, 4.0), (90, 9.0), (330, 2.0), (590, 5.0))
