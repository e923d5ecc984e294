"""Counting the records of one part by labels and steps of time. The counts never change, and are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.promql.stored.counting.cells import NOTHING, Cells, Counts
from spanglass_server.promql.stored.counting.families import BOUNDS, selection
from spanglass_server.promql.stored.counting.filters import condition
from spanglass_server.promql.stored.counting.recurring import recurring
from spanglass_server.promql.stored.naming.identity import Form
from spanglass_server.query.language.compiling.sql import TRUE, Sql, all_of
from spanglass_server.query.statements import bound_once, run, statement
from spanglass_server.signals import TIME_COLUMN, quote_identifier
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from spanglass_server.promql.stored.counting.recurring import Asked
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession, Window


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
        likely = recurring(cache).together(asked, place.part)
        several = [each for each in likely if each == asked or not cache.has(place.key(each))]
        read = _read(session, place, several)
        for each, counts in read.items():
            cache.put(place.key(each), counts, counts.bytes)
        held = read[asked]
    kept: Counts = held
    return kept


def _read(session: QuerySession, place: _Place, several: Sequence[Asked]) -> dict[Asked, Counts]:
    """The counts of several questions with the same steps, read at once."""
    first, part = several[0], place.part
    family = first.metric.family
    chosen = selection(family, part.columns, frozenset().union(*(each.named for each in several)))
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
        bucket=Sql(_BUCKET if any(each.metric.has_bounds for each in inside) else "0"),
        values=_values([(each, where[each].sql) for each in inside], chosen.weight),
        relation=Sql(session.part_relation(part, sorted(columns))),
        where=all_of([place.where, where[inside[0]].sql if len(inside) == 1 else TRUE]),
    )
    found = run(session, bound_once(sql))
    if not found.num_rows:
        return counts
    cells = Cells.of(found, [name for name, _ in chosen.labels])
    return counts | {each: cells.counts(each, found[f"value{place}"]) for place, each in enumerate(inside)}


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


#: The place of the first bound that a duration is not above.
_BUCKET = " + ".join(f"(duration_ns > {round(bound * 1e9)})::INTEGER" for bound in BOUNDS)
