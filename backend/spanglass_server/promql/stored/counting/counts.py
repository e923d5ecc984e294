"""Counting the records of one part by labels and steps of time. The counts never change, and are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.counting.families import BOUNDS, selection
from spanglass_server.promql.stored.counting.filters import condition
from spanglass_server.promql.stored.counting.recurring import recurring
from spanglass_server.promql.stored.decoding.streams import encoded
from spanglass_server.promql.stored.naming.identity import Form
from spanglass_server.query.language.sql import TRUE, Sql
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import quote_identifier
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.cache import SeriesCache
    from spanglass_server.promql.stored.counting.recurring import Asked
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


#: Counts in steps of this length are those of all short ones, that divide into it: a window of two minutes and one of
#: an hour read the same ones.
_FINE_MS = 5000
_SHORT_MS = 60_000


def counts_of(session: QuerySession, cache: SeriesCache, part: Part, asked: Asked) -> Counts:
    """The counts of one part."""
    step_ms = _FINE_MS if asked.step_ms <= _SHORT_MS else asked.step_ms
    fine = replace(asked, step_ms=step_ms)
    held = cache.get(_key(part, fine))
    if held is None:
        several = [
            each
            for each in recurring(cache).together(fine, part.key)
            if each == fine or not cache.has(_key(part, each))
        ]
        found = _read(session, part, several)
        for each, counts in found.items():
            cache.put(_key(part, each), counts, counts.bytes)
        held = found[fine]
    kept: Counts = held
    return kept.coarser(asked.step_ms // step_ms)


def note(cache: SeriesCache, asked: Asked) -> None:
    """A question begins, which may come again."""
    recurring(cache).note(replace(asked, step_ms=_FINE_MS if asked.step_ms <= _SHORT_MS else asked.step_ms))


def _key(part: Part, asked: Asked) -> tuple[Hashable, ...]:
    return ("counts", part.key, asked)


def _read(session: QuerySession, part: Part, several: Sequence[Asked]) -> dict[Asked, Counts]:
    """The counts of several questions of one group, read at once."""
    first = several[0]
    family = first.metric.family
    chosen = selection(family, part.columns, first.named)
    where = {each: condition(each.filters, family.signal, part.columns) for each in several}
    inside = [each for each in several if not where[each].is_out]
    counts = dict.fromkeys(several, NOTHING)
    if not inside:
        return counts
    columns = {*chosen.columns}.union(*(where[each].columns for each in inside))
    labels = ", ".join(f"{sql} AS {quote_identifier(f'label.{name}')}" for name, sql in chosen.labels)
    found = run(
        session,
        statement(
            "promql/counts",
            labels=Sql(labels),
            time=Sql(family.time),
            step_ns=Sql(str(first.step_ms * NS_PER_MS)),
            bucket=Sql(_BUCKET if first.metric.has_bounds else "0"),
            values=_values([(each, where[each].sql) for each in inside], chosen.weight),
            relation=Sql(session.part_relation(part, sorted(columns))),
            where=where[inside[0]].sql if len(inside) == 1 else TRUE,
        ),
    )
    if not found.num_rows:
        return counts
    sets = LabelSets(found.num_rows, {name: encoded(found[f"label.{name}"], str) for name, _ in chosen.labels})
    groups = sets.groups()
    sets = sets.take(groups.first)
    cells = groups.of, found["step"].to_numpy(), found["bucket"].to_numpy()
    return counts | {each: _of_one(sets, cells, found[f"value{place}"]) for place, each in enumerate(inside)}


def _values(several: Sequence[tuple[Asked, Sql]], weight: str) -> Sql:
    """A column for each question: how many records, or how long all together."""
    texts: list[str] = []
    parameters: list[Any] = []
    for place, (asked, where) in enumerate(several):
        value = f"{weight} * duration_ns / 1e9" if asked.metric.form is Form.SUM else weight
        only = "" if where is TRUE or len(several) == 1 else f" FILTER (WHERE {where.text})"
        parameters += where.parameters if only else ()
        texts.append(f"sum({value}){only}::DOUBLE AS value{place}")
    return Sql(", ".join(texts), tuple(parameters))


def _of_one(
    sets: LabelSets, cells: tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]], value: pa.ChunkedArray
) -> Counts:
    """The cells in which one question has records."""
    series, step, bucket = cells
    if value.null_count:
        rows = np.flatnonzero(value.is_valid().to_numpy())
        if not len(rows):
            return NOTHING
        series, step, bucket, value = series[rows], step[rows], bucket[rows], value.drop_null()
        used, series = np.unique(series, return_inverse=True)
        sets = sets.take(used)
    return Counts(sets, series, step, bucket, value.to_numpy())


NOTHING = Counts(LabelSets(0), np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

#: The place of the first bound that a duration is not above.
_BUCKET = " + ".join(f"(duration_ns > {round(bound * 1e9)})::INTEGER" for bound in BOUNDS)
