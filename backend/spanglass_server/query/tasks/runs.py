"""Runs of tasks, and messages sent, told by spans of messaging, Celery and asyncio."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from spanglass_server.query.language.service_sql import SERVICE_NAME
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.traces.estimates import counting
from spanglass_server.query.window import widen
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.query.records import Records
    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

#: What tells the queue, the first that a span has; Celery's instrumentation has the second.
QUEUE_KEYS: Final = ("messaging.destination.name", "messaging.destination")
_SYSTEM: Final = "messaging.system"
_CELERY: Final = "celery.task_name"
_ASYNCIO: Final = "opentelemetry.instrumentation.asyncio"
#: Spans of consumers are runs, and those of asyncio's instrumentation.
_IS_RUN = Sql(f"coalesce(kind = 5 OR scope_name = '{_ASYNCIO}', false)")
#: Of more runs than that, every so many-th is asked how long it has waited; it may have been sent so long before.
_MOST_WAITS, _WAIT_NS = 200_000, 3_600 * NS_PER_SECOND


class TaskKey(NamedTuple):
    """What tells a task from others; "" for what nobody says."""

    service: str
    system: str
    queue: str
    task: str


@dataclass(slots=True)
class Runs:
    """The runs of a task: ``steps`` are runs and failures of a step, by its place.

    Those of metrics are no whole numbers: what a point counts is spread over the time that it is of.
    """

    operation: str | None = None
    runs: float = 0
    failed: float = 0
    stored: int | None = None
    p50_ns: int | None = None
    p95_ns: int | None = None
    last_ns: int | None = None
    steps: dict[int, tuple[float, float]] = field(default_factory=dict)


class Wait(NamedTuple):
    """How long tasks waited."""

    p50_ns: int
    p95_ns: int


class Sent(NamedTuple):
    """Messages that a service sent to a queue."""

    service: str
    system: str
    queue: str
    sent: int


@dataclass(frozen=True, slots=True)
class TaskSpans:
    """Spans of a range that match, ready to be asked for tasks."""

    session: QuerySession
    records: Records

    @classmethod
    def of(cls, session: QuerySession, window: Window, filter_text: str) -> TaskSpans:
        """Make a question ready; FilterError for a filter that can't be understood."""
        return cls(session, match_records(session, Signal.SPANS, window, filter_text))

    def runs(self, steps: Buckets) -> dict[TaskKey, Runs]:
        """Return the runs of all tasks, in all and by step."""
        counts, counted = counting(self.records.known)
        found = self._ask(
            "tasks/runs",
            ("status_code", "duration_ns", *counted),
            **counts,
            first_ns=Sql(str(steps.first_ns)),
            step_ns=Sql(str(steps.step_ns)),
        )
        runs: dict[TaskKey, Runs] = {}
        for row in found:
            one = runs.setdefault(_key(row), Runs())
            if row["step"] is None:
                one.operation, one.runs, one.failed = row["operation"], row["runs"], row["failed"]
                one.stored, one.last_ns = row["stored"], row["last_ns"]
                one.p50_ns, one.p95_ns = map(round, row["took_ns"])
            else:
                one.steps[row["step"]] = (row["runs"], row["failed"])
        return runs

    def waits(self, runs: float) -> dict[TaskKey, Wait]:
        """Return how long tasks waited whose sender is known; ``runs`` are there about."""
        senders = self.session.relation(
            Signal.SPANS,
            widen(self.records.window, _WAIT_NS),
            ("trace_id", "span_id", "kind", "start_time_ns", "duration_ns"),
        )
        found = self._ask(
            "tasks/waits",
            ("trace_id", "parent_span_id", "link_trace_id", "link_span_id"),
            senders=Sql(senders),
            one_in=Sql(str(max(1, math.ceil(runs / _MOST_WAITS)))),
        )
        return {_key(row): Wait(*map(round, row["took_ns"])) for row in found}

    def sent(self) -> list[Sent]:
        """Return what was sent to queues, by whom."""
        counts, counted = counting(self.records.known)
        found = self._ask("tasks/sent", ("status_code", *counted), **counts)
        return [Sent(row["service"], row["system"], row["queue"], row["sent"]) for row in found if row["queue"]]

    def _ask(self, name: str, columns: tuple[str, ...], **parts: Any) -> list[dict[str, Any]]:
        told, read = _told(self.records)
        fixed = ("name", "kind", "scope_name", "start_time_ns", SERVICE)
        relation = self.records.relation(self.session, (*fixed, *columns, *read))
        where = self.records.predicate
        return rows(
            self.session,
            statement(name, **told, service=SERVICE_NAME, is_run=_IS_RUN, relation=relation, where=where, **parts),
        )


def _told(records: Records) -> tuple[dict[str, Sql], frozenset[str]]:
    """The SQL of a span's system, queue and task, never null, and the stored columns that they read."""
    celery, of_celery = _first(records, (_CELERY,))
    system, of_system = _first(records, (_SYSTEM,))
    queue, of_queue = _first(records, QUEUE_KEYS)
    run = f"CASE WHEN {celery} IS NOT NULL THEN 'celery' WHEN scope_name = '{_ASYNCIO}' THEN 'asyncio' ELSE '' END"
    told = {
        "system": Sql(f"coalesce({system}, {run})"),
        "queue": Sql(f"coalesce({queue}, '')"),
        "task": Sql(f"coalesce({celery}, name, '')"),
    }
    return told, of_celery | of_system | of_queue


def _first(records: Records, keys: tuple[str, ...]) -> tuple[str, frozenset[str]]:
    """The first of some keys that a span has, as text; keys of ours, which bind no parameters."""
    found = [records.expression(key, "filter") for key in keys]
    texts = ", ".join(f"nullif(CAST({sql.text} AS VARCHAR), '')" for sql, _ in found)
    return f"coalesce({texts}, NULL)", frozenset[str]().union(*(read for _, read in found))


def _key(row: Mapping[str, Any]) -> TaskKey:
    return TaskKey(row["service"], row["system"], row["queue"], row["task"])
