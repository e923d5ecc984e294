"""Runs of tasks, and messages sent, told by spans of messaging, Celery and asyncio."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa

from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of
from spanglass_server.query.records import match_records
from spanglass_server.query.services.estimates import counting
from spanglass_server.query.statements import rows, statement
from spanglass_server.query.window import widen
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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


class QueueSpans(NamedTuple):
    """What spans tell of a queue: messages that were sent to it, None without a sender, and runs from it."""

    systems: list[str]
    senders: list[str]
    consumers: list[str]
    sent: int | None
    processed: int
    failed: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks and queues are asked for, "" for all: at most ``limit``."""

    service: str
    queue: str
    limit: int


@dataclass(frozen=True, slots=True)
class TaskSpans:
    """Spans of a range that match, ready to be asked for tasks."""

    session: QuerySession
    records: Records

    @classmethod
    def of(cls, session: QuerySession, window: Window, filter_text: str) -> TaskSpans:
        """Make a question ready; FilterError for a filter that can't be understood."""
        return cls(session, match_records(session, Signal.SPANS, window, filter_text))

    def tasks(self, wanted: Wanted, measured: Collection[TaskKey]) -> tuple[dict[TaskKey, Runs], int]:
        """Return the tasks with the most runs, of all runs without times, and how many tasks are wanted in all.

        Beside them are those of ``measured`` that have spans, and one task of each of their services and queues with
        any.
        """
        counts, counted = counting(self.records.known)
        of_service = Sql("service = ?", (wanted.service,)) if wanted.service else TRUE
        of_queue = Sql("queue = ?", (wanted.queue,)) if wanted.queue else TRUE
        found = self._ask(
            "tasks/ranked",
            ("status_code", *counted),
            **counts,
            measured=table_of(self.session, measured),
            wanted=all_of([of_service, of_queue]),
            count=wanted.limit,
        )
        runs = {
            _key(row): Runs(row["operation"], row["runs"], row["failed"], row["stored"], last_ns=row["last_ns"])
            for row in found
        }
        return runs, found[0]["total"] if found else 0

    def add_times(self, runs: Mapping[TaskKey, Runs], steps: Buckets) -> None:
        """Add to these tasks their runs by step, and how long these took."""
        counts, counted = counting(self.records.known)
        shown = table_of(self.session, runs)
        for row in self._ask("tasks/took", ("duration_ns",), shown=shown):
            one = runs[_key(row)]
            one.p50_ns, one.p95_ns = map(round, row["took_ns"])
        for row in self._ask(
            "tasks/steps",
            ("status_code", *counted),
            **counts,
            shown=shown,
            first_ns=Sql(str(steps.first_ns)),
            step_ns=Sql(str(steps.step_ns)),
        ):
            runs[_key(row)].steps[row["step"]] = (row["runs"], row["failed"])

    def waits(self, runs: Mapping[TaskKey, Runs]) -> dict[TaskKey, Wait]:
        """Return how long those of these tasks waited whose sender is known."""
        senders = self.session.relation(
            Signal.SPANS,
            widen(self.records.window, _WAIT_NS),
            ("trace_id", "span_id", "kind", "start_time_ns", "duration_ns"),
        )
        found = self._ask(
            "tasks/waits",
            ("trace_id", "parent_span_id", "link_trace_id", "link_span_id"),
            senders=Sql(senders),
            shown=table_of(self.session, runs),
            one_in=Sql(str(max(1, math.ceil(sum(each.runs for each in runs.values()) / _MOST_WAITS)))),
        )
        return {_key(row): Wait(*map(round, row["took_ns"])) for row in found}

    def queues(self, wanted: Wanted, named: Collection[str]) -> tuple[dict[str, QueueSpans], int]:
        """Return the named queues, the others with the most runs, and how many others are wanted in all."""
        counts, counted = counting(self.records.known)
        found = self._ask(
            "tasks/queues",
            ("status_code", *counted),
            **counts,
            named=Sql(self.session.table(pa.table({"queue": pa.array(list(named), pa.string())}))),
            service_asked=wanted.service,
            queue_asked=wanted.queue,
            count=wanted.limit,
        )
        queues = {row["queue"]: QueueSpans(*(row[name] for name in QueueSpans._fields)) for row in found}
        return queues, found[0]["others"] if found else 0

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


def table_of(session: QuerySession, tasks: Collection[TaskKey]) -> Sql:
    """The table of some tasks; binding them would take DuckDB's Python client 0.1 ms each."""
    parts = [[key[place] for key in tasks] for place in range(len(TaskKey._fields))]
    return Sql(session.table(pa.table([pa.array(part, pa.string()) for part in parts], list(TaskKey._fields))))


def _key(row: Mapping[str, Any]) -> TaskKey:
    return TaskKey(row["service"], row["system"], row["queue"], row["task"])
