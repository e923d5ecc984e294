"""Absence and presence of data, by key and step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.alerting.evaluation.quantities.expressions import milliseconds
from spanglass_server.alerting.evaluation.tables import Table, Truth
from spanglass_server.promql.series.labels import LabelSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.alerting.evaluation.pool import Pool
    from spanglass_server.alerting.evaluation.quantities.expressions import Source

#: How long there must be no data where a condition does not say: most senders send once a minute, some are late.
ABSENT_MS = 300_000


def absent(source: Source, over_ns: int, pool: Pool) -> Truth:
    """Where keys that had data have none: those of the hours before, and the only one there can be, data or not.

    The value that people see is 1 where data is absent, 0 where it is not. Where nobody sent anything when the time
    began in which data is missing, nothing is known: the server was down, or new.
    """
    over_ms = milliseconds(over_ns) if over_ns else ABSENT_MS
    looked = source.present(over_ms)
    recent, _ = pool.table(looked.recent, source.column)
    known, _ = pool.table(looked.known, source.column)
    parts = [recent.labels, known.labels]
    if source.fixed_key is not None:
        parts.append(LabelSets.of([source.fixed_key]))
    every = LabelSets.concat(parts)
    groups = every.groups()
    labels = every.take(groups.first)
    is_recent = _seen(recent, groups.of[: recent.size], labels.size)
    is_known = is_recent | _seen(known, groups.of[recent.size : recent.size + known.size], labels.size)
    if source.fixed_key is not None:
        is_known[groups.of[-1]] = True
    holds = is_known & ~is_recent & pool.watched(over_ms)
    values = np.where(is_recent, 0.0, np.where(holds, 1.0, np.nan))
    return Truth(Table(labels, values, source.value.labels), holds, is_recent)


def present(table: Table) -> Truth:
    """Where there is data, whatever its value."""
    holds = ~np.isnan(table.values)
    return Truth(table, holds, ~holds)


def _seen(table: Table, rows: NDArray[np.intp], size: int) -> NDArray[np.bool_]:
    seen = np.zeros((size, table.values.shape[1]), np.bool_)
    np.logical_or.at(seen, rows, ~np.isnan(table.values))
    return seen
