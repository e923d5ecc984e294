"""Reading the points of one metric in one part, sorted by stream and time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.promql.stored.decoding.known import KnownStreams, known_streams
from spanglass_server.promql.stored.decoding.pieces import offsets_of, order_by
from spanglass_server.promql.stored.decoding.streams import SCOPE_FIELDS, Streams, read_streams
from spanglass_server.promql.stored.decoding.together import MOST_ROWS, Together, read_together, selected
from spanglass_server.promql.stored.decoding.writers import by_writer
from spanglass_server.query.language.compiling.sql import TRUE, Sql
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import OVERFLOW_COLUMNS, ROLLUPS, AttributeColumn, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.naming.identity import Identity
    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession

#: What every reading of points needs, besides what tells streams apart and the values.
_ALWAYS = (
    *("metric_name", "metric_type", "metric_unit", "temporality", "is_monotonic", "scope_name"),
    *("time_ns", "start_time_ns", "flags"),
)
#: What rows of rollups stand for.
_THINNED = ("sample_count", "sample_sum")
_START = Sql("coalesce(start_time_ns, 0) // 1000000")
_POSITIONS = frozenset({"point", "resource", "scope"})
#: By how much a delta may begin before the one before it ends: a tenth of its length, at most a second.
_SLACK_SHARE, _SLACK_MS = 10, 1000
#: Overlaps of overlaps that are looked for.
_PASSES = 50
#: As Prometheus gives back what it stored: only that it is a gauge is believed, whether it was reset the counts show.
RESET_HINT = "CASE reset_hint WHEN 3 THEN 3 ELSE 0 END"


@dataclass(frozen=True, slots=True)
class Values:
    """What is read of a point, each with its name and SQL; the columns that it needs; when a point has such a value."""

    selected: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    is_there: str

    @property
    def sql(self) -> str:
        """The select list."""
        return ", ".join(f"{sql} AS {quote_identifier(name)}" for name, sql in self.selected)


@dataclass(frozen=True, slots=True)
class Points:
    """Points by stream and time; ``rows`` has their values. ``created_ms`` is 0 where the start is unknown."""

    streams: Streams
    offsets: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    is_stale: NDArray[np.bool_] | None
    created_ms: NDArray[np.int64] | None
    rows: pa.Table

    @property
    def stream_of(self) -> NDArray[np.intp]:
        """The stream of each point."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @property
    def count(self) -> NDArray[np.float64] | None:
        """How many points each stands for; None if none was left out."""
        return self._thinned("sample_count")

    @property
    def total(self) -> NDArray[np.float64] | None:
        """The sum of the values that each stands for, NaN where it is unknown; None if none was left out."""
        return self._thinned("sample_sum")

    def _thinned(self, name: str) -> NDArray[np.float64] | None:
        return self.rows[name].to_numpy().astype(np.float64) if name in self.rows.column_names else None

    def keep(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Points:
        """Some of the points, in their order."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.intp)
        return self.arranged(self.streams, np.searchsorted(places, self.offsets).astype(np.int64), places)

    def arranged(self, streams: Streams, offsets: NDArray[np.int64], places: NDArray[np.intp]) -> Points:
        """Some of the points in another order, as those of other streams."""
        return Points(
            streams,
            offsets,
            self.time_ms[places],
            None if self.is_stale is None else self.is_stale[places],
            None if self.created_ms is None else self.created_ms[places],
            self.rows.take(places),
        )


class PointReader:
    """Reads the points of a session's parts."""

    def __init__(
        self, session: QuerySession, cache: PartCache, *, with_created: bool = False, together: bool = False
    ) -> None:
        self._session = session
        self._cache = cache
        self._with_created = with_created
        self._together = together

    def read(self, part: Part, identity: Identity, values: Values) -> Points:
        """Read points that have a value, or say that there is none. Of one time the last stays, of deltas all."""
        points = self._read(part, identity, values, together=self._together and part.rows <= MOST_ROWS)
        if identity.is_delta:
            return _without_overlaps(points)
        if identity.has_writers:
            points = by_writer(points)
            points = points if self._with_created else replace(points, created_ms=None)
        return _last_of_each_time(points)

    def read_all(self, part: Part, identity: Identity, values: Values) -> Points:
        """Read all points that have a value, or say that there is none."""
        return self._read(part, identity, values, together=False)

    def _read(self, part: Part, identity: Identity, values: Values, *, together: bool) -> Points:
        telling = identifying(part.columns, is_verbatim=identity.is_verbatim)

        @cache
        def own() -> dict[str, Sql]:
            chosen = {"chosen": identity.condition(), "is_there": Sql(values.is_there)}
            return {**self._source(part, telling, values.columns), **chosen}

        with_start = self._with_created or identity.is_delta or identity.has_writers
        if together:
            found = self._of_all(part, telling, (values, identity.is_verbatim)).of_metric(identity, values)
        else:
            start = _START if with_start else Sql("0")
            listed = Sql(_with_thinned(part, values.sql))
            found = run(self._session, statement("promql/points", start=start, values=listed, **own()))
        numbers = found["stream"].combine_chunks().dictionary_encode()
        streams = known_streams(
            self._cache,
            ("streams", identity, telling),
            numbers.dictionary.to_numpy(),
            lambda: self._streams(telling, own()),
        )
        return _sorted(found, numbers.indices.to_numpy().astype(np.int64), streams, with_start=with_start)

    def _source(self, part: Part, telling: tuple[str, ...], columns: Iterable[str]) -> dict[str, Sql]:
        """Where points are read from, 1 ms of memory, and the number of their stream."""
        thinned = _THINNED if part.signal in ROLLUPS else ()
        needed = sorted({*_ALWAYS, *columns, *telling, *thinned})
        return {"relation": Sql(self._session.part_relation(part, needed)), "stream": stream_number(telling)}

    def _of_all(self, part: Part, telling: tuple[str, ...], asked: tuple[Values, bool]) -> Together:
        """The points of all metrics of a part, from what is kept or read now."""

        def read(several: Sequence[Values]) -> Together:
            listed, is_there = selected(several)
            source = self._source(part, telling, {column for each in several for column in each.columns})
            values = Sql(_with_thinned(part, listed))
            sql = statement("promql/points", start=_START, values=values, chosen=TRUE, is_there=Sql(is_there), **source)
            return Together.of(run(self._session, sql), several)

        return read_together(self._cache, part, asked, read)

    def _streams(self, telling: tuple[str, ...], wanted: dict[str, Sql]) -> KnownStreams:
        listed = "".join(f", any_value({quoted}) AS {quoted}" for quoted in map(quote_identifier, telling))
        table = run(self._session, statement("promql/streams", columns=Sql(listed), **wanted))
        # a copy: an array of an answer holds all columns of it, 1.2 MB however few rows they have
        return KnownStreams(table["stream"].to_numpy().copy(), read_streams(table))


def _with_thinned(part: Part, listed: str) -> str:
    """A select list, of rollups with what their rows stand for."""
    return ", ".join((listed, *(_THINNED if part.signal in ROLLUPS else ())))


@lru_cache(maxsize=256)
def identifying(present: frozenset[str], *, is_verbatim: bool) -> tuple[str, ...]:
    """The columns that tell streams apart: of series from Prometheus only their labels."""
    positions = {"point"} if is_verbatim else _POSITIONS
    found = []
    for name in present:
        attribute = AttributeColumn.parse(name)
        is_ours = attribute is not None and attribute.position in positions
        if is_ours or name in OVERFLOW_COLUMNS or (name in SCOPE_FIELDS and not is_verbatim):
            found.append(name)
    return tuple(sorted(found))


def stream_number(columns: Sequence[str]) -> Sql:
    """A number of the stream, from the columns that tell streams apart."""
    parts = [quote_identifier(name) for name in columns if name not in OVERFLOW_COLUMNS]
    if "overflow_name" in columns:
        parts.append(
            "list_filter(list_zip(overflow_name, overflow_value, overflow_index), lambda entry: entry[3] IS NULL)"
        )
    return Sql(f"hash({', '.join(parts)})" if parts else "0::UBIGINT")


def _sorted(found: pa.Table, stream_of: NDArray[np.int64], streams: Streams, *, with_start: bool) -> Points:
    """The rows by stream and time."""
    time_ms, stale = _array(found, "time_ms"), _array(found, "is_stale")
    order = order_by(stream_of, time_ms)
    return Points(
        streams,
        offsets_of(np.bincount(stream_of, minlength=len(streams.keys))),
        time_ms[order],
        stale[order] if stale.any() else None,
        _array(found, "start_ms")[order] if with_start else None,
        found.drop_columns(["stream", "time_ms", "is_stale", "start_ms"]).take(order),
    )


def _array(table: pa.Table, name: str) -> NDArray[Any]:
    return table[name].to_numpy()  # type: ignore[no-any-return]


def _last_of_each_time(points: Points) -> Points:
    is_repeated = np.zeros(len(points.time_ms), np.bool_)
    is_repeated[:-1] = points.time_ms[1:] == points.time_ms[:-1]
    is_repeated[points.offsets[1:] - 1] = False
    return points.keep(~is_repeated) if is_repeated.any() else points


def _without_overlaps(points: Points) -> Points:
    """Deltas without those that begin before one that is kept ends, but those of one and the same time.

    A pass judges points by the last one before them that is not in doubt; what it keeps may bring others into doubt.
    """
    for _ in range(_PASSES):
        dropped = _overlapping(points)
        if not dropped.any():
            return points
        points = points.keep(~dropped)
    return points


def _overlapping(points: Points) -> NDArray[np.bool_]:
    assert points.created_ms is not None  # noqa: S101 - read for deltas
    start, time = points.created_ms, points.time_ms
    latest = start + np.minimum(
        np.maximum(time - start, 0) // _SLACK_SHARE, _SLACK_MS
    )  # how late the one before may end
    is_first = np.zeros(len(time), np.bool_)
    is_first[points.offsets[:-1][np.diff(points.offsets) > 0]] = True
    is_twin = np.zeros(len(time), np.bool_)
    is_twin[1:] = (start[1:] == start[:-1]) & (time[1:] == time[:-1])
    in_doubt = (start > 0) & ~is_first & ~is_twin
    in_doubt[1:] &= latest[1:] < time[:-1]
    last_sure = np.maximum.accumulate(np.where(in_doubt, 0, np.arange(len(time))))
    dropped: NDArray[np.bool_] = in_doubt & (latest < time[last_sure])
    return dropped
