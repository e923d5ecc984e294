"""Readings of hosts and processes: the latest values of their metrics, and how these went over a range.

Several senders may tell of one host: each service on it, and a Collector. They are never added up; of each metric the
sender with the newest values counts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanglass_server.query.hosts import names
from spanglass_server.query.language.compiling.service_sql import SERVICE_NAME
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.metrics.points import attribute_columns, series_hash
from spanglass_server.query.statements import one_of, rows, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal, quote_identifier
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from spanglass_server.query.window import Buckets
    from spanglass_server.store.ports import Part, QuerySession, Window

Row = dict[str, Any]
#: What is true now is read from so much of a range at most, its newest part.
NOW_NS = 6 * 3_600 * NS_PER_SECOND
#: A sender whose newest value is so much older than another's of the same host tells of the past.
BEHIND_NS = 300 * NS_PER_SECOND
_NOBODY = Sql("NULL")
_NAME = "metric_name"
#: About what the name of a metric takes where it is kept.
_NAME_BYTES = 150


@dataclass(slots=True)
class Readings:
    """The latest readings of one host or process: rows by metric, with ``state``, ``part``, ``value``, ``per_s``."""

    by_metric: dict[str, list[Row]] = field(default_factory=dict)

    def value(self, metric: str, *states: str) -> float | None:
        """Add up a metric's values, of some states or all; None without any."""
        return _sum(row["value"] for row in self.rows(metric, *states))

    def per_s(self, metric: str, *states: str) -> float | None:
        """Add up how fast a metric rises a second."""
        return _sum(row["per_s"] for row in self.rows(metric, *states))

    def rows(self, metric: str, *states: str) -> list[Row]:
        """Return a metric's rows."""
        return [row for row in self.by_metric.get(metric, ()) if not states or row["state"] in states]

    @property
    def last_ns(self) -> int:
        """When the newest of them was measured."""
        return max((row["last_ns"] for found in self.by_metric.values() for row in found), default=0)


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def latest(
    session: QuerySession, window: Window, metrics: Mapping[str, Sequence[str]], only: Sql = TRUE, about: Sql = _NOBODY
) -> list[Row]:
    """Return the latest rows of metrics in the newest part of a range: a row a host, sender, metric, state and part."""
    read = points(session, _newest(window), metrics, only, about)
    return rows(session, statement("hosts/latest", points=read))


def may_have_any(session: QuerySession, window: Window, metrics: Mapping[str, Sequence[str]]) -> bool:
    """Whether there are metrics in the newest part of a range: where none is sent, nothing needs to be read to say so.

    Names of parts are kept: to look through the points of 10,000 series, of which none is a host's, took 50 ms.
    """
    wanted = _all_names(metrics)
    parts = session.parts(Signal.METRICS, _newest(window))
    return any(not _names_in(session, part).isdisjoint(wanted) for part in parts)


def _names_in(session: QuerySession, part: Part) -> frozenset[str]:
    """The names of a part's metrics."""

    def read() -> frozenset[str]:
        column = session.part_table(part, [_NAME])[_NAME]
        return frozenset(column.unify_dictionaries().unique().to_pylist())

    return session.kept.kept(("names of metrics", part.key), read, lambda found: _NAME_BYTES * (len(found) + 1))


def _newest(window: Window) -> Window:
    return clamp(max(window.start_ns, window.end_ns - NOW_NS), window.end_ns)


def _all_names(metrics: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of metrics, those of today and others."""
    return [name for new, old in metrics.items() for name in (new, *old)]


def course(session: QuerySession, steps: Buckets, read: Sql, senders: Iterable[int]) -> list[Row]:
    """Return the rows of some senders over steps; ``read`` are the points of their range."""
    return rows(
        session,
        statement(
            "hosts/course",
            points=read,
            senders=one_of(sorted(senders) or [0]),
            first_ns=steps.first_ns,
            step_ns=steps.step_ns,
            step_s=float(steps.step_s),
        ),
    )


def points(
    session: QuerySession, window: Window, metrics: Mapping[str, Sequence[str]], only: Sql = TRUE, about: Sql = _NOBODY
) -> Sql:
    """Select the points of metrics, each under the name that it is read by; ``only`` narrows them."""
    series, columns = series_hash(session, window)
    resource = attribute_columns(session, window, ["resource"])
    needed = {*names.COLUMNS, *names.PROCESS_COLUMNS, *columns, *resource}
    return statement(
        "hosts/points",
        relation=Sql(session.relation(Signal.METRICS, window, sorted(needed))),
        host=_first(names.HOST_KEYS),
        service=SERVICE_NAME,
        pid=Sql(quote_identifier(names.PID)),
        resource=Sql(", ".join(map(quote_identifier, resource)) or "0"),
        series=series,
        metric=_renamed(metrics),
        state=_first(names.STATE_KEYS),
        part=_first(names.PART_KEYS),
        type=_first(names.TYPE_KEYS),
        pseudo=one_of(names.PSEUDO_FILE_SYSTEMS),
        names=one_of(_all_names(metrics)),
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        only=only,
        about=Sql(f"{about.text} AS about", about.parameters),
    )


def is_host(host: str) -> Sql:
    """Write that a point is of a host."""
    return Sql(f"coalesce({_first(names.HOST_KEYS).text}, '') = ?", (host,))


def is_process(host: str, pid: int) -> Sql:
    """Write that a point is of a process."""
    of_host = is_host(host)
    return Sql(f"{of_host.text} AND {quote_identifier(names.PID)} = ?", (*of_host.parameters, pid))


def _first(columns: Iterable[str]) -> Sql:
    """Take the first of some columns that is there, as text."""
    return Sql("coalesce(" + ", ".join(f"{quote_identifier(name)}::VARCHAR" for name in columns) + ")")


def _renamed(metrics: Mapping[str, Sequence[str]]) -> Sql:
    old = [(name, new) for new, others in metrics.items() for name in others]
    if not old:
        return Sql("metric_name")
    cases = " ".join("WHEN ? THEN ?" for _ in old)
    return Sql(f"CASE metric_name {cases} ELSE metric_name END", tuple(text for pair in old for text in pair))


def by_key(found: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, Readings]:
    """Put rows together to the readings of each host or process: of each metric those of one sender."""
    groups: dict[Any, dict[str, dict[int, list[Row]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in found:
        groups[key(row)][row["metric"]][row["sender"]].append(row)
    return {
        name: Readings({metric: _chosen(senders) for metric, senders in metrics.items()})
        for name, metrics in groups.items()
    }


def _chosen(senders: Mapping[int, list[Row]]) -> list[Row]:
    """Return the rows of the sender with most to tell among those that are not behind; without those that ended."""
    newest_ns = max(row["last_ns"] for found in senders.values() for row in found)
    live = {
        sender: [row for row in found if row["last_ns"] >= newest_ns - BEHIND_NS] for sender, found in senders.items()
    }
    return max(live.values(), key=lambda found: (len(found), max((row["last_ns"] for row in found), default=0)))
