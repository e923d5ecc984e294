"""Whether anything came in at all: while nothing does, no rule can tell anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.anomalies.announcing import SURPRISE
from spanglass_server.findings.announcing import COST, COUNT
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.signals import SENT, TIME_COLUMN, Signal, quote_text
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_MS, NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.series.vectors import Steps
    from spanglass_server.store.ports import Part, QuerySession

#: A tick without any record of any signal so long before it says nothing. Exporters of metrics send once a minute.
QUIET_NS = 90 * NS_PER_SECOND
#: SQL: metrics that are made of what came in, also of old ones.
_OWN = f"({quote_text(COUNT)}, {quote_text(COST)}, {quote_text(SURPRISE)})"


def live(session: QuerySession, steps: Steps) -> NDArray[np.bool_]:
    """Of each step, whether a record of any signal has a time within ``QUIET_NS`` (or one step) before it.

    What the server itself makes of records that came in is none of them: it says nothing about who sends now.
    """
    step_ns = max(steps.step_ms, 1) * NS_PER_MS
    start_ns = steps.start_ms * NS_PER_MS
    buckets = max(-(-QUIET_NS // step_ns), 1)
    window = Window(start_ns - buckets * step_ns + 1, start_ns + (steps.size - 1) * step_ns + 1)
    missing = set(range(1 - buckets, steps.size))  # places of buckets: each ends at a step
    for signal in SENT:
        time = TIME_COLUMN[signal]
        if not missing:
            break
        parts = session.parts(signal, window)
        if not parts:
            continue
        is_metric = signal is Signal.METRICS
        if not is_metric and _are_told(parts, steps, buckets * step_ns):
            return np.ones(steps.size, dtype=bool)
        place = f"(({time} - {window.start_ns}) // {step_ns})::BIGINT"
        rows = session.relation(signal, window, [time, "metric_name"] if is_metric else [time])
        rows += f" WHERE coalesce(metric_name, '') NOT IN {_OWN}" if is_metric else ""
        if steps.size == 1:  # any record will do, and the first that is found is enough
            if session.rows(f"SELECT 1 FROM {rows} LIMIT 1"):  # noqa: S608 - our own names
                return np.ones(1, dtype=bool)
            continue
        found = session.rows(f"SELECT DISTINCT {place} AS place FROM {rows}")  # noqa: S608 - numbers and own names
        missing -= {row["place"] + 1 - buckets for row in found}
    filled = np.array([place not in missing for place in range(1 - buckets, steps.size)], dtype=np.int64)
    sums = np.concatenate([[0], np.cumsum(filled)])
    counts: NDArray[np.int64] = sums[buckets:] - sums[:-buckets]
    return counts > 0


def _are_told(parts: Sequence[Part], steps: Steps, long_ns: int) -> bool:
    """Whether of each step the first or last record of a part lies so long before it, which needs no statement."""
    ends = step_times(steps)[:, None] * NS_PER_MS
    times = np.array([time_ns for part in parts for time_ns in (part.min_time_ns, part.max_time_ns)], dtype=np.int64)
    return bool(((times > ends - long_ns) & (times <= ends)).any(axis=1).all())
