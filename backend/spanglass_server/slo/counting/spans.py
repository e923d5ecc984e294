"""Counting spans of objectives, part by part. What a part holds never changes, so its counts are kept in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spanglass_server.promql.stored.counting.filters import condition
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.services.estimates import PROBABILITY, WEIGHT
from spanglass_server.query.statements import bound_once, run, statement
from spanglass_server.signals import Signal
from spanglass_server.slo.counting.minutes import NOTHING, Minutes, Sparse
from spanglass_server.slo.model import MINUTE_NS
from spanglass_server.store.ports import Window

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from spanglass_server.slo.model import Objective
    from spanglass_server.store.ports import Part, QuerySession

#: Objectives that one statement counts; planning takes longer with each.
_MOST_TOGETHER: Final = 50
#: Of parts with more rows only what a window looks at is read, in slices of time; a quarter of one is not worth it.
_WHOLE_ROWS: Final = 100_000
_WHOLE_SHARE: Final = 4
_SLICE: Final = 15  # minutes
_BYTES: Final = 500


def count_spans(
    session: QuerySession, objectives: Sequence[Objective], first: int, last: int, *, keeps: bool = True
) -> dict[str, Minutes]:
    """The minutes from ``first`` to before ``last`` of objectives over spans, by their keys.

    ``keeps`` what is counted of each part, for the next time; not where what is old is counted once.
    """
    by_key = {each.key: each for each in objectives if each.spans}
    found = {key: Minutes.none(first, last) for key in by_key}
    if not by_key or first >= last:
        return found
    for part in session.parts(Signal.SPANS, Window(first * MINUTE_NS, last * MINUTE_NS)):
        for number in _slices(part, first, last):
            for key, counts in _counted(session, by_key, part, number, keeps=keeps).items():
                found[key].add_sparse(counts)
    return found


def _slices(part: Part, first: int, last: int) -> Sequence[int | None]:
    """The slices of a part that hold minutes of a window; None is all of it."""
    low, high = (time_ns // MINUTE_NS // _SLICE for time_ns in (part.min_time_ns, part.max_time_ns))
    begin, end = max(low, first // _SLICE), min(high, (last - 1) // _SLICE)
    if part.rows <= _WHOLE_ROWS or _WHOLE_SHARE * (end - begin + 1) >= high - low + 1:
        return [None]
    return range(begin, end + 1)


def _counted(
    session: QuerySession, by_key: Mapping[str, Objective], part: Part, number: int | None, *, keeps: bool
) -> dict[str, Sparse]:
    def place(key: str) -> tuple[Hashable, ...]:
        return ("slo", part.key, number, key)

    held = {key: session.kept.get(place(key)) for key in by_key}
    missing = [by_key[key] for key, counts in held.items() if counts is None]
    for start in range(0, len(missing), _MOST_TOGETHER):
        several = missing[start : start + _MOST_TOGETHER]
        for key, counts in _read(session, several, part, number).items():
            held[key] = counts
            if keeps:
                session.kept.put(place(key), counts, _BYTES + 24 * len(counts.minute))
    return held


def _read(session: QuerySession, several: Sequence[Objective], part: Part, number: int | None) -> dict[str, Sparse]:
    """The counts of objectives in a part, in one statement."""
    conditions = {each.key: condition((each.spans,), Signal.SPANS, part.columns) for each in several}
    inside = [each for each in several if not conditions[each.key].is_out]
    found = dict.fromkeys((each.key for each in several), NOTHING)
    if not inside:
        return found
    good = {each.key: condition((each.good_filter,), Signal.SPANS, part.columns) for each in inside}
    columns = {"start_time_ns"}.union(
        *(conditions[each.key].columns | good[each.key].columns for each in inside),
        (PROBABILITY,) if PROBABILITY in part.columns else (),
    )
    weight = WEIGHT if PROBABILITY in part.columns else "1.0"
    sql = statement(
        "slo/minutes",
        values=_values([(conditions[each.key].sql, good[each.key].sql) for each in inside], weight),
        relation=Sql(session.part_relation(part, sorted(columns))),
        where=_where([conditions[each.key].sql for each in inside], number),
    )
    table = run(session, bound_once(sql))
    return found | dict(zip((each.key for each in inside), _sparse(table, len(inside)), strict=True))


def _values(conditions: Sequence[tuple[Sql, Sql]], weight: str) -> Sql:
    texts: list[str] = []
    parameters: list[Any] = []
    for place, (counts, good) in enumerate(conditions):
        texts.append(f"sum({weight}) FILTER (WHERE {counts.text})::DOUBLE AS total{place}")
        texts.append(f"sum({weight}) FILTER (WHERE ({counts.text}) AND ({good.text}))::DOUBLE AS good{place}")
        parameters += (*counts.parameters, *counts.parameters, *good.parameters)
    return Sql(", ".join(texts), tuple(parameters))


def _where(conditions: Sequence[Sql], number: int | None) -> Sql:
    """Spans of the slice, that count for any objective."""
    text = " OR ".join(f"({each.text})" for each in conditions)
    parameters = tuple(value for each in conditions for value in each.parameters)
    if number is None:
        return Sql(text, parameters)
    low, high = (edge * _SLICE * MINUTE_NS for edge in (number, number + 1))
    return Sql(f"start_time_ns >= {low:d} AND start_time_ns < {high:d} AND ({text})", parameters)


def _sparse(table: pa.Table, objectives: int) -> Iterator[Sparse]:
    """The answer of a statement, which has a row for each minute with any span."""
    number = table["minute"].to_numpy()
    for place in range(objectives):
        total, good = (table[f"{name}{place}"].fill_null(0.0).to_numpy() for name in ("total", "good"))
        used = np.flatnonzero(total)
        yield Sparse(number[used], total[used], np.maximum(total - good, 0.0)[used])
