"""How long queues are, and how many tasks are under way, as applications, brokers and Collectors measure it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from spanglass_core.attribute_names import TASK_NAME
from spanglass_server.query.language import FilterError
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.metrics.points import series_hash
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.tasks.runs import TaskKey, table_of
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

ACTIVE: Final = "spanglass.task.active"
#: Lengths of queues; of a queue that several of them tell of, the first counts.
LENGTHS: Final = ("spanglass.queue.length", "rabbitmq.message.current", "kafka.consumer_group.lag",
                  "spanglass.queue.size")  # fmt: skip
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "system": ("messaging.system",),
    "queue": ("messaging.destination.name", "rabbitmq.queue.name", "topic"),
    "task": (TASK_NAME,),
    "state": ("state",),
}
#: What all who measure it see alike: each worker of a broker's queue tells of the whole of it.
SHARED: Final = ("spanglass.queue.length",)
#: RabbitMQ counts messages by state; those of another state are with a consumer already.
_WAITING: Final = ("", "ready")
_TASK: Final = ", ".join(TaskKey._fields)
#: Most values that are answered: those of the largest levels.
_MOST: Final = 500_000
#: An older value is no longer how it is.
FRESH_NS: Final = 300 * NS_PER_SECOND


class Level(NamedTuple):
    """A level: where it comes from, the newest value if it is fresh, and the last one of each step, by its place."""

    systems: frozenset[str]
    now: float | None
    steps: Mapping[int, float]


def queue_lengths(
    session: QuerySession, window: Window, filter_text: str, steps: Buckets, queue: str = ""
) -> dict[str, Level]:
    """Return how many messages wait, by the queue's name; of very many queues those of the longest."""
    waiting = Sql(f"state IN {_WAITING} AND queue {'=' if queue else '<>'} ?", (queue,))
    found = _read(session, window, filter_text, LENGTHS, steps, key="queue", wanted=waiting)
    return {row["queue"]: _level(row) for row in found}


def active_tasks(
    session: QuerySession, window: Window, filter_text: str, steps: Buckets, tasks: Collection[TaskKey]
) -> dict[TaskKey, Level]:
    """Return how many runs of some tasks are under way."""
    wanted = statement("tasks/among", key=Sql(_TASK), tasks=table_of(session, tasks))
    found = _read(session, window, filter_text, (ACTIVE,), steps, key=_TASK, wanted=wanted)
    return {TaskKey(*(row[name] for name in TaskKey._fields)): _level(row) for row in found}


def _read(
    session: QuerySession,
    window: Window,
    filter_text: str,
    names: Sequence[str],
    steps: Buckets,
    *,
    key: str,
    wanted: Sql,
) -> list[dict[str, Any]]:
    """Read levels by key; none where the filter can't be of metrics, ``kind = consumer and child(...)``."""
    try:
        records = match_records(session, Signal.METRICS, window, filter_text)
    except FilterError:
        return []
    columns = {"metric_name", "value_double", "value_int", "flags", SERVICE}
    told = {}
    for name, keys in _KEYS.items():
        found = [records.expression(each, "filter") for each in keys]
        texts = ", ".join(f"nullif(CAST({sql.text} AS VARCHAR), '')" for sql, _ in found)
        told[name] = Sql(f"coalesce({texts}, '')")
        columns.update(*(read for _, read in found))
    series, of_series = series_hash(session, records.window)
    asked = statement(
        "tasks/levels",
        **told,
        service=SERVICE_NAME,
        series=series,
        relation=records.relation(session, sorted({*columns, *of_series})),
        metrics=one_of(names),
        names=list(names),
        shared=one_of(SHARED),
        start_ns=records.window.start_ns,
        end_ns=records.window.end_ns,
        first_ns=Sql(str(steps.first_ns)),
        step_ns=Sql(str(steps.step_ns)),
        steps=Sql(str(steps.count)),
        longest=Sql(str(max(1, FRESH_NS // steps.step_ns))),
        fresh_ns=Sql(str(window.end_ns - FRESH_NS)),
        where=records.predicate,
        wanted=wanted,
        key=Sql(key),
        count=max(1, _MOST // steps.count),
    )
    return rows(session, asked)


def _level(row: Mapping[str, Any]) -> Level:
    steps = dict(zip(row["places"] or (), row["place_values"] or (), strict=True))
    return Level(frozenset(filter(None, row["systems"])), row["now"], steps)
