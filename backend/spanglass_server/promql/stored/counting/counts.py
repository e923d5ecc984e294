"""Counting the records of one part by labels and steps of time. The counts never change, and are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.counting.families import BOUNDS, selection
from spanglass_server.promql.stored.counting.filters import condition
from spanglass_server.promql.stored.decoding.streams import encoded
from spanglass_server.promql.stored.naming.identity import Form
from spanglass_server.query.language.sql import Sql
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import quote_identifier
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.cache import SeriesCache
    from spanglass_server.promql.stored.counting.families import Counted, Selection
    from spanglass_server.store.ports import Part, QuerySession


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records each series has in each step: a cell for each that has any.

    Step n ends at n times its length since 1970, the end included. ``bucket`` is the place of the duration's bound.
    """

    labels: LabelSets
    series: NDArray[np.intp]
    step: NDArray[np.int64]
    bucket: NDArray[np.int64]
    value: NDArray[np.float64]

    def coarser(self, times: int) -> Counts:
        """The same in steps that are so many times as long; a series may have several cells in a step."""
        return self if times == 1 else replace(self, step=-(-self.step // times))

    @property
    def bytes(self) -> int:
        """About how much memory they take."""
        return 32 * len(self.step) + sum(80 * len(c.values) for c in self.labels.columns.values()) + 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted of every part: a metric's records for which all ``filters`` hold, in steps of ``step_ms``.

    ``named`` are labels that the expression names.
    """

    metric: Counted
    named: frozenset[str]
    filters: tuple[str, ...]
    step_ms: int


#: Counts in steps of this length are those of all short ones, that divide into it: a window of two minutes and one of
#: an hour read the same ones.
_FINE_MS = 5000
_SHORT_MS = 60_000


def counts_of(session: QuerySession, cache: SeriesCache, part: Part, asked: Asked) -> Counts:
    """The counts of one part."""
    step_ms = _FINE_MS if asked.step_ms <= _SHORT_MS else asked.step_ms
    chosen = selection(asked.metric.family, part.columns, asked.named)
    key = ("counts", part.key, asked.metric.name, chosen.labels, asked.filters, step_ms)
    counts = cache.kept(key, lambda: _read(session, part, asked, chosen, step_ms), lambda found: found.bytes)
    return counts.coarser(asked.step_ms // step_ms)


def _read(session: QuerySession, part: Part, asked: Asked, chosen: Selection, step_ms: int) -> Counts:
    counted = asked.metric
    where = condition(asked.filters, counted.family.signal, part.columns)
    if where.is_out:
        return NOTHING
    by_bucket, has_total = counted.form is Form.BUCKET, counted.form is Form.SUM
    labels = ", ".join(f"{sql} AS {quote_identifier(f'label.{name}')}" for name, sql in chosen.labels)
    found = run(
        session,
        statement(
            "promql/counts",
            labels=Sql(labels),
            time=Sql(counted.family.time),
            step_ns=step_ms * NS_PER_MS,
            bucket=Sql(_BUCKET if by_bucket else "0"),
            weight=Sql(chosen.weight),
            total=Sql(f"sum({chosen.weight} * duration_ns) / 1e9" if has_total else "0.0"),
            relation=Sql(session.part_relation(part, sorted({*chosen.columns, *where.columns}))),
            where=where.sql,
        ),
    )
    if not found.num_rows:
        return NOTHING
    sets = LabelSets(found.num_rows, {name: encoded(found[f"label.{name}"], str) for name, _ in chosen.labels})
    groups = sets.groups()
    return Counts(
        sets.take(groups.first),
        groups.of,
        found["step"].to_numpy(),
        found["bucket"].to_numpy(),
        found[counted.column].to_numpy(),
    )


NOTHING = Counts(LabelSets(0), np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

#: The place of the first bound that a duration is not above.
_BUCKET = " + ".join(f"(duration_ns > {round(bound * 1e9)})::INTEGER" for bound in BOUNDS)
