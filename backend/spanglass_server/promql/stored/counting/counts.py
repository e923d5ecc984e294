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
from spanglass_server.query.language.sql import TRUE, Sql, all_of
from spanglass_server.query.statements import bound_once, run, statement
from spanglass_server.signals import TIME_COLUMN, quote_identifier
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.counting.recurring import Asked
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession, Window


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


#: Of parts with more rows only what a window looks at is read, in slices of time; a quarter of one is not worth it.
_WHOLE_ROWS = 100_000
_WHOLE_SHARE = 4
_SLICE_NS = 900 * 10**9


def counts_of(session: QuerySession, cache: PartCache, part: Part, asked: Asked, window: Window) -> list[Counts]:
    """The counts of one part, of a window at least."""
    fine = asked.fine
    found = [_kept(session, cache, _Place(part, number), fine) for number in _slices(part, window)]
    return [counts.coarser(asked.step_ms // fine.step_ms) for counts in found]


@dataclass(frozen=True, slots=True)
class _Place:
    """A part, or a slice of one."""

    part: Part
    slice: int | None

    def key(self, asked: Asked) -> tuple[Hashable, ...]:
        return ("counts", self.part.key, self.slice, asked)

    @property
    def where(self) -> Sql:
        if self.slice is None:
            return TRUE
        time = TIME_COLUMN[self.part.signal]
        return Sql(f"{time} >= {self.slice * _SLICE_NS:d} AND {time} < {(self.slice + 1) * _SLICE_NS:d}")


def _slices(part: Part, window: Window) -> Sequence[int | None]:
    first, last = part.min_time_ns // _SLICE_NS, part.max_time_ns // _SLICE_NS
    begin, end = max(first, window.start_ns // _SLICE_NS), min(last, (window.end_ns - 1) // _SLICE_NS)
    if part.rows <= _WHOLE_ROWS or _WHOLE_SHARE * (end - begin + 1) >= last - first + 1:
        return [None]
    return range(begin, end + 1)


def _kept(session: QuerySession, cache: PartCache, place: _Place, asked: Asked) -> Counts:
    held = cache.get(place.key(asked))
    if held is None:
        likely = recurring(cache).together(asked, place.part.key)
        several = [each for each in likely if each == asked or not cache.has(place.key(each))]
        read = _read(session, place, several)
        for each, counts in read.items():
            cache.put(place.key(each), counts, counts.bytes)
        held = read[asked]
    kept: Counts = held
    return kept


def _read(session: QuerySession, place: _Place, several: Sequence[Asked]) -> dict[Asked, Counts]:
    """The counts of several questions of one group, read at once."""
    first, part = several[0], place.part
    family = first.metric.family
    chosen = selection(family, part.columns, first.named)
    where = {each: condition(each.filters, family.signal, part.columns) for each in several}
    inside = [each for each in several if not where[each].is_out]
    counts = dict.fromkeys(several, NOTHING)
    if not inside:
        return counts
    columns = {*chosen.columns}.union(*(where[each].columns for each in inside))
    labels = ", ".join(f"{sql} AS {quote_identifier(f'label.{name}')}" for name, sql in chosen.labels)
    sql = statement(
        "promql/counts",
        labels=Sql(labels),
        time=Sql(family.time),
        step_ns=Sql(str(first.step_ms * NS_PER_MS)),
        bucket=Sql(_BUCKET if first.metric.has_bounds else "0"),
        values=_values([(each, where[each].sql) for each in inside], chosen.weight),
        relation=Sql(session.part_relation(part, sorted(columns))),
        where=all_of([place.where, where[inside[0]].sql if len(inside) == 1 else TRUE]),
    )
    found = run(session, bound_once(sql))
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
