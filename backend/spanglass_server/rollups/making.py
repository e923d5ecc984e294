"""The points of one window, read in slices, thinned."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import one_of, rows, run, statement
from spanglass_server.rollups.merging import merged
from spanglass_server.rollups.thinning import last_markers, marked, numbers, thinned
from spanglass_server.rollups.windows import WINDOW_NS, window_of
from spanglass_server.signals import FIXED_COLUMNS, ROLLUPS, AttributeColumn, Signal, quote_identifier
from spanglass_server.store.ports import ALL_TIME, Window
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from spanglass_server.store.ports import QuerySession

#: Points of one slice: 250,000 with some 60 columns are 80 MB.
SLICE_ROWS = 250_000
_PART_NS = 3600 * 10**9
_DELTA = 1
_DESCRIPTIVE = frozenset({"metric_description", "metric_metadata", "scope_dropped_attributes_count"})
_OWN = frozenset({"sample_count", "sample_sum"})
_IDENTITY = tuple(
    name
    for name, kind in FIXED_COLUMNS[ROLLUPS[0]].items()
    if name.startswith(("metric_", "scope_", "resource_", "overflow_")) or name in {"temporality", "is_monotonic"}
    if name not in _DESCRIPTIVE and kind != "BIGINT"
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Some metrics, over all of a window or a part of it."""

    window: Window
    names: tuple[str, ...]


def inside(window: Window) -> Window:
    """The half-open range that storage knows for a window: t is in whole milliseconds."""
    return Window(window.start_ns + NS_PER_MS, window.end_ns + NS_PER_MS)


def counts_by_window(session: QuerySession) -> Counter[int]:
    """How many points there are in each window, by its start; what lies in one window is not read."""
    counts: Counter[int] = Counter()
    for part in session.parts(Signal.METRICS, ALL_TIME):
        first = window_of(part.min_time_ns)
        if part.is_inside(inside(first)):
            counts[first.start_ns] += part.rows
            continue
        relation = Sql(session.part_relation(part, ("time_ns",)))
        sizes = {"window_ns": Sql(str(WINDOW_NS)), "ms_ns": Sql(str(NS_PER_MS))}
        for row in rows(session, statement("rollups/windows", relation=relation, **sizes)):
            counts[row["start_ns"]] += row["n"]
    return counts


def slices(session: QuerySession, window: Window, most: int = SLICE_ROWS) -> tuple[int, list[Slice]]:
    """How many points a window has, and the window in parts of few enough: by metric, if need be by the hour too."""
    relation = session.relation(Signal.METRICS, inside(window), ["metric_name", "time_ns"])
    found: list[Slice] = []
    names: list[str] = []
    size = total = 0
    for row in rows(session, statement("rollups/sizes", relation=Sql(relation))):
        total += row["n"]
        if row["n"] > most:
            found += (Slice(part, (row["name"],)) for part in _hours(window))
            continue
        if size + row["n"] > most:
            found.append(Slice(window, tuple(names)))
            names, size = [], 0
        names.append(row["name"])
        size += row["n"]
    return total, [*found, Slice(window, tuple(names))] if names else found


def _hours(window: Window) -> Iterator[Window]:
    for start_ns in range(window.start_ns, window.end_ns, _PART_NS):
        yield Window(start_ns, start_ns + _PART_NS)


def rolled(
    session: QuerySession, window: Window, parts: Sequence[Slice], steps_ns: Sequence[int]
) -> Iterator[list[pa.Table]]:
    """The rollups of a window at some steps, a table each for each part that has points, which are read once."""
    attributes = sorted(
        name
        for name in session.columns(Signal.METRICS, inside(window))
        if (column := AttributeColumn.parse(name)) is None or not column.is_list
    )
    for part in parts:
        points = _points(session, part, attributes)
        if points.num_rows:
            yield [thin(points, step_ns).drop_columns(["series", "layout"]) for step_ns in steps_ns]


def thin(points: pa.Table, step_ns: int) -> pa.Table:
    """Thin points of any kind, sorted by ``series`` and ``time_ns``."""
    is_marker = marked(points)
    is_delta = numbers(points, "temporality", np.int64) == _DELTA
    parts = [last_markers(points, step_ns)]
    for chosen, made in ((is_delta & ~is_marker, merged), (~is_delta & ~is_marker, thinned)):
        if chosen.any():
            parts.append(made(points.filter(pa.array(chosen)), step_ns))
    return pa.concat_tables(parts)


def _points(session: QuerySession, part: Slice, attributes: Sequence[str]) -> pa.Table:
    fixed = [name for name in FIXED_COLUMNS[ROLLUPS[0]] if name not in _OWN and not name.startswith("overflow_")]
    columns = [*fixed, *attributes]
    identity = [name for name in _IDENTITY if name in columns] + [n for n in attributes if n not in _IDENTITY]
    sql = statement(
        "rollups/points",
        columns=Sql(", ".join(map(quote_identifier, columns))),
        identity=Sql(", ".join(map(quote_identifier, identity))),
        relation=Sql(session.relation(Signal.METRICS, inside(part.window), columns)),
        names=one_of(part.names),
    )
    return _sorted(run(session, sql).combine_chunks())


def _sorted(points: pa.Table) -> pa.Table:
    """One series after another; DuckDB takes three times as long for as many columns."""
    return points.take(pa.array(np.lexsort([numbers(points, name, np.uint64) for name in ("time_ns", "series")])))
