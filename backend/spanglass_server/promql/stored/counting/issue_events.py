"""Events of issues as a series: a counter of new issues, regressions and escalations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.counting.cells import NOTHING, Counts
from spanglass_server.promql.stored.decoding.streams import encoded
from spanglass_server.query.issues.event_log import event_condition
from spanglass_server.query.language.compiling.sql import all_of
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    import pyarrow as pa

    from spanglass_server.promql.stored.counting.recurring import Asked
    from spanglass_server.query.issues.event_log import EventLog
    from spanglass_server.store.ports import QuerySession, Window


def event_counts(session: QuerySession, log: EventLog, asked: Asked, window: Window) -> Counts:
    """The events of a window that the filters mean."""
    events = events_within(log, window)
    if asked.filters and events.num_rows:
        events = _filtered(session, events, asked.filters)
    if not events.num_rows:
        return NOTHING
    family = asked.metric.family
    columns = {**family.labels, **{name: name for name in asked.named - {*family.labels} if name in _NAMED}}
    sets = LabelSets(events.num_rows, {name: encoded(events[column], str) for name, column in columns.items()})
    groups = sets.groups()
    size = events.num_rows
    step_ns = asked.step_ms * NS_PER_MS
    step = (events["time_ns"].to_numpy() + step_ns - 1) // step_ns
    return Counts(sets.take(groups.first), groups.of, step, np.zeros(size, np.int64), np.ones(size))


#: Columns that are labels only where an expression names them.
_NAMED = frozenset({"release", "environment", "culprit", "title", "message"})


def events_within(log: EventLog, window: Window) -> pa.Table:
    """The events of a window."""
    events = log.rows()
    time_ns = events["time_ns"].to_numpy()
    return events.take(np.flatnonzero((time_ns >= window.start_ns) & (time_ns < window.end_ns)))


def _filtered(session: QuerySession, events: pa.Table, filters: tuple[str, ...]) -> pa.Table:
    name = session.table(events.append_column("place", [np.arange(events.num_rows)]))
    where = all_of([event_condition(text) for text in filters])
    found = session.execute(f"SELECT place FROM {name} WHERE {where.text}", list(where.parameters))  # noqa: S608
    return events.take(found["place"])
