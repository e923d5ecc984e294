"""Which traces last so long, or have so many spans: from when to when each ran is kept, part by part.

Who looks for traces that last longer than any reads all of a range, and then asks for a little less. The second time
costs a hundredth of the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from spanglass_server.query.kept_columns.matching import COMPARED
from spanglass_server.query.language.compiling.relations import TRACE_FIGURES
from spanglass_server.query.language.compiling.sql import Sql, union_all
from spanglass_server.query.statements import run, statement
from spanglass_server.query.window import clamp
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from spanglass_server.query.kept_columns.terms import Term
    from spanglass_server.store.ports import Part, QuerySession, Window

    Numbers = NDArray[np.int64]

_COLUMNS = ("trace_id", "start_time_ns", "duration_ns")
#: What spans that lie in a range only in part, or were sent twice, make at most larger: these keep every trace.
_AT_LEAST = re.compile(r'"(duration_ns|spans)" (>=?) \?')
_ID_BYTES = 16
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_BYTES_A_TRACE = 40
#: So many parts are read by one statement.
_AT_ONCE = 16
#: Where more traces can match, a small part of the range has enough, and sorting them takes 40 ms.
_MOST_TRACES = 20_000
#: Of more rows the extents of traces would fill the cache: 2 MB a million rows, with traces of 17 spans.
MOST_ROWS = 30_000_000


@dataclass(frozen=True, slots=True)
class Extents:
    """Traces with their ids as two numbers each, from when to when they ran, and how many rows they have."""

    ids: NDArray[np.uint64]
    first_ns: Numbers
    last_ns: Numbers
    rows: Numbers

    def taken(self, places: NDArray[np.intp]) -> Extents:
        """Those of some places."""
        return Extents(self.ids[places], self.first_ns[places], self.last_ns[places], self.rows[places])

    @property
    def trace_ids(self) -> frozenset[bytes]:
        """Their ids."""
        return frozenset(each.tobytes() for each in self.ids)

    def within(self, window: Window) -> Extents:
        """Those that may have spans in a window."""
        return self.taken(np.flatnonzero((self.first_ns < window.end_ns) & (self.last_ns >= window.start_ns)))

    def part_with(self, window: Window, count: int, *, descending: bool) -> Window | None:
        """The newest or oldest part of a window that at most so many may have spans in; None where all are at once."""
        inside = self.within(window)
        if len(inside.rows) <= count:
            return window
        if descending:
            start_ns = int(np.sort(inside.last_ns)[-count - 1]) + 1
            return clamp(start_ns, window.end_ns) if start_ns < window.end_ns else None
        end_ns = int(np.sort(inside.first_ns)[count])
        return clamp(window.start_ns, end_ns) if end_ns > window.start_ns else None

    @property
    def size(self) -> int:
        """How much memory they take."""
        return _BYTES_A_TRACE * len(self.rows)


@dataclass(frozen=True, slots=True)
class Reading:
    """How many traces may be told, and how many rows that are not kept yet may be read for it."""

    most: int
    most_rows: int


class _Least(NamedTuple):
    """A condition that more spans of a trace never make untrue."""

    figure: str
    operator: str  # > or >=
    value: Any


def traces_at_least(
    session: QuerySession, window: Window, condition: Sql, reading: Reading, part: Window | None = None
) -> frozenset[bytes] | None:
    """All traces with spans in a window that a condition on a figure of theirs may hold for; None if they are many.

    With a part of the window only those with spans in it, by all their spans in the window.
    None, too, for conditions that more spans of a trace may make untrue, and where too much is stored.
    """
    asked = _AT_LEAST.fullmatch(condition.text)
    if asked is None:
        return None
    least = _Least(asked[1], asked[2], condition.parameters[0])
    found = _with_at_least(session, window, least, most_rows=reading.most_rows)
    inside = None if found is None else found.within(part or window)
    return None if inside is None or len(inside.rows) > reading.most else inside.trace_ids


def kept_at_least(session: QuerySession, window: Window, figures: Mapping[str, Sequence[Term]]) -> Extents | None:
    """All traces with spans in a window for which a condition on a figure may hold; None if not kept, or many."""
    for figure, terms in figures.items():
        for term in terms:
            least = _Least(TRACE_FIGURES[figure].columns[0], term.operator, term.values[0])
            is_least = least.figure != "errors" and least.operator in (">", ">=")
            found = _with_at_least(session, window, least, most_rows=0, most=_MOST_TRACES) if is_least else None
            if found is not None:
                return found
    return None


def _with_at_least(
    session: QuerySession, window: Window, least: _Least, *, most_rows: int, most: int | None = None
) -> Extents | None:
    """Those traces, if they are no more; as many rows may be read for it."""
    parts = session.parts(Signal.SPANS, window)
    if sum(part.rows for part in parts) > MOST_ROWS:
        return None
    extents = _of_all(session, parts, most_rows=most_rows)
    if extents is None:
        return None
    figures = extents.rows if least.figure == "spans" else extents.last_ns - extents.first_ns
    found = np.flatnonzero(COMPARED[least.operator](figures, least.value))
    return None if most is not None and len(found) > most else extents.taken(found)


def _of_all(session: QuerySession, parts: Sequence[Part], *, most_rows: int) -> Extents | None:
    """The extents over all parts; None if one has ids of another length, or too much is not kept yet."""
    kept = {part.key: session.kept.get(_key(part)) for part in parts}
    missing = [part for part in parts if kept[part.key] is None]
    if sum(part.rows for part in missing) > most_rows:
        return None
    for begin in range(0, len(missing), _AT_ONCE):
        some = missing[begin : begin + _AT_ONCE]
        found = _of_parts(session, some)
        if found is None:
            return None
        for part, extents in zip(some, found, strict=True):
            session.kept.put(_key(part), extents, extents.size)
            kept[part.key] = extents
    whole = ("extents of all", tuple(kept))
    return session.kept.kept(whole, lambda: joined([*kept.values()]), lambda extents: extents.size)


def _key(part: Part) -> tuple[str, tuple[str, int]]:
    return "extents", part.key


def _of_parts(session: QuerySession, parts: Sequence[Part]) -> list[Extents] | None:
    """The extents of some parts each."""
    relation = union_all(
        [
            Sql(f"SELECT {number} AS part, * FROM {session.part_relation(part, _COLUMNS)}")  # noqa: S608 - storage's
            for number, part in enumerate(parts)
        ]
    )
    found = run(session, statement("structure/extents", relation=relation))
    ids = found["trace_id"].combine_chunks()
    if ids.null_count:
        return None
    fixed = ids.cast(pa.binary(_ID_BYTES))
    numbers = np.frombuffer(fixed.buffers()[1] or b"", np.uint64, 2 * len(fixed), fixed.offset * _ID_BYTES)
    whole = Extents(numbers.reshape(-1, 2), *(found[name].to_numpy() for name in ("first_ns", "last_ns", "rows")))
    of_part = found["part"].to_numpy()
    order = np.argsort(of_part, kind="stable")
    ends = np.searchsorted(of_part[order], np.arange(len(parts)), "right")
    return [whole.taken(places) for places in np.split(order, ends[:-1])]


def joined(each: Sequence[Extents]) -> Extents:
    """Traces that lie in several parts as one."""
    if len(each) <= 1:
        return each[0] if each else Extents(np.empty((0, 2), np.uint64), *[np.empty(0, np.int64)] * 3)
    ids, first_ns, last_ns, rows = (
        np.concatenate([getattr(one, name) for one in each]) for name in ("ids", "first_ns", "last_ns", "rows")
    )
    order = _by_id(ids)
    begins = np.flatnonzero(np.concatenate([np.ones(min(1, len(ids)), np.bool_), _changes(ids[order])]))
    return Extents(
        ids[order[begins]],
        np.minimum.reduceat(first_ns[order], begins),
        np.maximum.reduceat(last_ns[order], begins),
        np.add.reduceat(rows[order], begins),
    )


def _by_id(ids: NDArray[np.uint64]) -> NDArray[np.intp]:
    """An order in which the same ids stand together: of one number made of each, in three fifths of the time.

    Where two ids make the same number, as chosen ones may, of both their numbers.
    """
    keys = ids[:, 0] * _SPREAD ^ ids[:, 1]
    order = np.argsort(keys)
    sorted_keys = keys[order]
    is_shared = np.any(_changes(ids[order]) & (sorted_keys[1:] == sorted_keys[:-1]))
    return np.lexsort(ids.T) if is_shared else order


def _changes(ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which ids, but for the first, are others than those before them."""
    changes: NDArray[np.bool_] = (ids[1:, 0] != ids[:-1, 0]) | (ids[1:, 1] != ids[:-1, 1])
    return changes
