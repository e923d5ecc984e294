"""Values of attributes that many of some records have, and how many of others have each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import rows, run, statement
from spanglass_server.signals import TIME_COLUMN, AttributeColumn, Signal, ValueType, quote_identifier
from spanglass_server.store.ports import Window
from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from spanglass_server.store.ports import QuerySession

_VALUES = 3  # of a key
_KEYS = 60
#: More columns than that are not read; those that most segments have come first.
_MOST_COLUMNS = 300
#: Of more records, the newest of two stretches say what is usual: counting 180 values among a million takes a second.
_ENOUGH = 30_000
_POSITIONS = {Signal.SPANS: ("span", "resource"), Signal.LOGS: ("log", "resource")}
_TYPES = (ValueType.STR, ValueType.INT, ValueType.BOOL)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value of a column, how many of the records have it, and how many have the key at all."""

    column: AttributeColumn
    value: Any
    count: int
    present: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Some records: all of them, those that have a column, and those that have each candidate, in their order."""

    records: int
    present: Mapping[str, int]
    having: Sequence[int]


def attribute_columns(
    session: QuerySession, signal: Signal, window: Window, skipped: tuple[str, ...]
) -> list[AttributeColumn]:
    """The attributes of records and their resources; without those whose keys begin with some texts."""
    stored = session.columns(signal, window)
    found = [AttributeColumn.parse(name) for name in sorted(stored, key=lambda name: -stored[name])]
    wanted = [
        column
        for column in found
        if column
        and column.position in _POSITIONS[signal]
        and column.type in _TYPES
        and not column.key.startswith(skipped)
    ]
    return wanted[:_MOST_COLUMNS]


def candidates_among(records: pa.Table) -> list[Candidate]:
    """The values that many of the records have, of each key the most frequent."""
    found = []
    for name in records.column_names:
        column = AttributeColumn.parse(name)
        if column is None:
            continue
        values = records[name].drop_null()
        found += [
            Candidate(column, value, count, len(values))
            for value, count in _most_common(values)
            if count > 1 or len(values) == 1
        ]
    found.sort(key=lambda each: -each.count)
    return found[: _KEYS * _VALUES]


def _most_common(values: pa.ChunkedArray) -> list[tuple[Any, int]]:
    """The most frequent values, the most frequent first; of equals those that come first.

    Only they become Python's: 5,000 ids in each of 300 columns took 1.7 s, in which nothing else could run.
    """
    counted = pc.value_counts(values)
    counts = counted.field("counts").to_numpy(zero_copy_only=False)
    places = np.argsort(-counts, kind="stable")[:_VALUES]
    return list(zip(counted.field("values").take(places).to_pylist(), counts[places].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Usual:
    """A window whose records say what is usual, half of them from before ``recent_ns``, if it has so many.

    Something that goes wrong from then on may be in all newer records: they alone would say that it is usual.
    """

    signal: Signal
    window: Window
    recent_ns: int

    def newest(self, session: QuerySession, relation: Sql, where: Sql) -> Sequence[Window]:
        """The ends of both stretches that hold enough records, so that shares of them are right to half a hundredth."""
        if sum(part.rows for part in session.parts(self.signal, self.window)) <= _ENOUGH:
            return [self.window]
        time = Sql(TIME_COLUMN[self.signal])
        counted = run(
            session,
            statement("comparing/seconds", relation=relation, where=where, time=time, recent_ns=self.recent_ns),
        )
        is_recent = counted["is_recent"].to_numpy()
        seconds, records = counted["second"].to_numpy(), counted["records"].to_numpy()
        recent, before = int(records[is_recent].sum()), int(records[~is_recent].sum())
        middle_ns = min(max(self.window.start_ns, self.recent_ns), self.window.end_ns)
        stretches = [
            (is_recent, before, middle_ns, self.window.end_ns),
            (~is_recent, recent, self.window.start_ns, middle_ns),
        ]
        found = []
        for chosen, others, start_ns, end_ns in stretches:
            wanted = max(_ENOUGH // 2, _ENOUGH - others)
            reached = np.flatnonzero(np.cumsum(records[chosen]) >= wanted)
            if reached.size:
                start_ns = max(start_ns, int(seconds[chosen][reached[0]]) * NS_PER_SECOND)  # noqa: PLW2901
            if chosen.any():
                found.append(Window(start_ns, end_ns, self.window.arrived_ns))
        return found


def count(session: QuerySession, relations: Sequence[Sql], where: Sql, candidates: Sequence[Candidate]) -> Counted:
    """Count candidates among the records of some relations, of each all in one scan."""
    counted = [_count(session, relation, where, candidates) for relation in relations]
    names = dict.fromkeys(each.column.name for each in candidates)
    return Counted(
        sum(each.records for each in counted),
        {name: sum(each.present[name] for each in counted) for name in names},
        [sum(each.having[place] for each in counted) for place in range(len(candidates))],
    )


def _count(session: QuerySession, relation: Sql, where: Sql, candidates: Sequence[Candidate]) -> Counted:
    names = list(dict.fromkeys(each.column.name for each in candidates))
    parts = [Sql("count(*) AS records")]
    parts += [Sql(f"count({quote_identifier(name)}) AS p{place}") for place, name in enumerate(names)]
    parts += [
        Sql(f"count(*) FILTER ({quote_identifier(each.column.name)} = ?) AS v{place}", (each.value,))
        for place, each in enumerate(candidates)
    ]
    counts = Sql(", ".join(part.text for part in parts), tuple(value for part in parts for value in part.parameters))
    (row,) = rows(session, statement("comparing/counts", counts=counts, relation=relation, where=where))
    return Counted(
        row["records"],
        {name: row[f"p{place}"] for place, name in enumerate(names)},
        [row[f"v{place}"] for place in range(len(candidates))],
    )
