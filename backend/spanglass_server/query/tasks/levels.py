"""How long queues are, and how many tasks are under way, as applications, brokers and Collectors measure it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from spanglass_core.attribute_names import TASK_NAME
from spanglass_server.query.language import FilterError
from spanglass_server.query.language.service_sql import SERVICE_NAME
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.metrics.points import series_hash
from spanglass_server.query.records import match_records
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.tasks.runs import TaskKey
from spanglass_server.service_names import SERVICE
from spanglass_server.signals import Signal
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import QuerySession, Window

    Row = Mapping[str, Any]
    Key = TypeVar("Key")

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
#: RabbitMQ counts messages by state; those of another state are with a consumer already.
_WAITING: Final = ("", "ready")
#: Most values that are read: no page has room for more series and steps.
_MOST: Final = 200_000
#: An older value is no longer how it is.
FRESH_NS: Final = 300 * NS_PER_SECOND


class Level(NamedTuple):
    """A level: where it comes from, the newest value if it is fresh, and the last one of each step, by its place."""

    systems: frozenset[str]
    services: frozenset[str]
    now: float | None
    steps: Mapping[int, float]


def queue_lengths(session: QuerySession, window: Window, filter_text: str, steps: Buckets) -> dict[str, Level]:
    """Return how many messages wait, by the queue's name."""
    told = _read(session, window, filter_text, LENGTHS, steps)
    found = [row for row in told if row["state"] in _WAITING and row["queue"]]
    levels: dict[str, Level] = {}
    for metric in LENGTHS:
        of_metric = _levels((row for row in found if row["metric"] == metric), lambda row: row["queue"], window, steps)
        levels = {**of_metric, **levels}
    return levels


def active_tasks(session: QuerySession, window: Window, filter_text: str, steps: Buckets) -> dict[TaskKey, Level]:
    """Return how many runs of each task are under way."""
    found = _read(session, window, filter_text, (ACTIVE,), steps)
    return _levels(found, lambda row: TaskKey(*(row[name] for name in TaskKey._fields)), window, steps)


def _read(
    session: QuerySession, window: Window, filter_text: str, names: Sequence[str], steps: Buckets
) -> list[dict[str, Any]]:
    """Read points of levels; none where the filter can't be of metrics, ``kind = consumer and child(...)``."""
    try:
        records = match_records(session, Signal.METRICS, window, filter_text)
    except FilterError:
        return []
    columns = {"metric_name", "value_double", "value_int", "flags", SERVICE}
    told = {}
    for name, keys in _KEYS.items():
        found = [records.expression(key, "filter") for key in keys]
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
        names=one_of(names),
        start_ns=records.window.start_ns,
        end_ns=records.window.end_ns,
        first_ns=Sql(str(steps.first_ns)),
        step_ns=Sql(str(steps.step_ns)),
        where=records.predicate,
        count=_MOST,
    )
    return rows(session, asked)


def _levels(found: Iterable[Row], key_of: Callable[[Row], Key], window: Window, steps: Buckets) -> dict[Key, Level]:
    """Put series together by key, and add them up."""
    series: dict[Key, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in found:
        series[key_of(row)][row["series"]].append(row)
    fresh_ns = window.end_ns - FRESH_NS
    return {key: _added(of_series.values(), fresh_ns, steps) for key, of_series in series.items()}


def _added(of_series: Iterable[Sequence[Row]], fresh_ns: int, steps: Buckets) -> Level:
    """Add series up; each stands for as long as its values are fresh, since senders measure at different times."""
    sums: dict[int, float] = defaultdict(float)
    now: float | None = None
    systems, services = set(), set()
    for points in of_series:
        for place, value in _held(points, steps):
            sums[place] += value
        newest = points[-1]
        if newest["last_ns"] >= fresh_ns:
            now = (now or 0.0) + newest["value"]
        systems.add(newest["system"])
        services.add(newest["service"])
    return Level(frozenset(systems - {""}), frozenset(services), now, sums)


def _held(points: Sequence[Row], steps: Buckets) -> Iterator[tuple[int, float]]:
    """The values of a series, in the order of their steps, each with the steps for which it still stands."""
    longest = max(1, FRESH_NS // steps.step_ns)
    ends = [*(row["step"] for row in points[1:]), steps.count]
    for row, end in zip(points, ends, strict=True):
        for place in range(row["step"], min(end, row["step"] + longest)):
            yield place, row["value"]
