"""The series of a part without their samples: for lists of label names, values and series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelColumn, LabelSets
from spanglass_server.promql.stored.decoding.points import identifying, stream_number
from spanglass_server.promql.stored.decoding.streams import bound_column, read_streams
from spanglass_server.promql.stored.decoding.targets import is_target, target_labels
from spanglass_server.promql.stored.naming.identity import TARGET_INFO, VERBATIM_SCOPE, Form, Identity
from spanglass_server.promql.stored.naming.labels import labels_of
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.store.part_cache import PartCache
    from spanglass_server.store.ports import Part, QuerySession

_COLUMNS = (
    *("metric_name", "metric_unit", "metric_type", "temporality", "is_monotonic", "scope_name"),
    *("time_ns", "value_int", "value_double", "count", "flags", "explicit_bounds", "quantiles"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """The streams of one metric, a row for each layout of their points; ``layouts`` has the bounds of all."""

    columns: LabelSets
    first_ms: NDArray[np.int64]
    last_ms: NDArray[np.int64]
    layout: NDArray[np.intp]
    layouts: tuple[tuple[float, ...], ...]

    def labels(self, form: Form, named: Collection[str], between: tuple[int, int], *, is_verbatim: bool) -> LabelSets:
        """The labels of a form's series that may have a sample in a range, without the name."""
        rows = np.flatnonzero((self.last_ms > between[0]) & (self.first_ms <= between[1]))
        labels = labels_of(self.columns.take(rows), named, is_verbatim=is_verbatim)
        if form not in {Form.BUCKET, Form.QUANTILE}:
            return labels
        layout = self.layout[rows]
        parts = []
        for place in np.unique(layout).tolist():
            own = np.flatnonzero(layout == place)
            bounds = [*self.layouts[place], *([np.inf] if form is Form.BUCKET else [])]
            column = bound_column(np.unique(bounds))
            label = LabelColumn(np.tile(column.codes, len(own)), column.values)
            name = "le" if form is Form.BUCKET else "quantile"
            parts.append(labels.take(np.repeat(own, len(column.codes))).replace({name: label}))
        return LabelSets.concat(parts)


def directory(session: QuerySession, part: Part, cache: PartCache) -> dict[Identity, Entry]:
    """The series of one part by metric, as ``Identity.canonical`` has it."""
    return cache.kept(("directory", part.key), lambda: _read(session, part), _bytes)


def _read(session: QuerySession, part: Part) -> dict[Identity, Entry]:
    columns = identifying(part.columns, is_verbatim=False)
    relation = session.part_relation(part, sorted({*_COLUMNS, *columns}))
    quoted = [quote_identifier(name) for name in columns]
    found = run(
        session,
        statement(
            "promql/directory",
            scope=VERBATIM_SCOPE,
            columns=Sql(", ".join(f"any_value({name}) AS {name}" for name in quoted) or "0"),
            stream=stream_number(columns),
            relation=Sql(relation),
        ),
    )
    return _by_identity(found) if found.num_rows else {}


def _by_identity(found: pa.Table) -> dict[Identity, Entry]:
    streams = read_streams(found).columns
    _, first, of = np.unique(found["metric"].to_numpy(), return_index=True, return_inverse=True)
    _, first_layout, layout = np.unique(found["layout"].to_numpy(), return_index=True, return_inverse=True)
    lists = found.select(["bounds", "quantiles"]).take(first_layout).to_pylist()
    layouts = tuple(tuple(row["bounds"] or row["quantiles"] or ()) for row in lists)
    names = ["name", "unit", "type", "temporality", "is_monotonic", "is_verbatim"]
    rows: dict[Identity, list[int]] = {}
    for place, row in enumerate(found.select(names).take(first).to_pylist()):
        rows.setdefault(Identity(**row).canonical(), []).append(place)
    first_ms, last_ms = found["first_ms"].to_numpy(), found["last_ms"].to_numpy()
    entries = {}
    for identity, places in rows.items():
        own = np.flatnonzero(np.isin(of, places))
        columns = streams.take(own)
        used = {name for name, column in columns.columns.items() if column.codes.any()}
        entries[identity] = Entry(columns.keep(used), first_ms[own], last_ms[own], layout[own], layouts)
    own = np.flatnonzero(~found["is_verbatim"].to_numpy(zero_copy_only=False))
    if len(own):
        entries[TARGET_INFO] = _targets(streams.take(own), first_ms[own], last_ms[own])
    return entries


def _targets(columns: LabelSets, first_ms: NDArray[np.int64], last_ms: NDArray[np.int64]) -> Entry:
    """The resources, with the times of the first and last points of any of their metrics."""
    labels = target_labels(columns)
    groups = labels.groups()
    first, last = first_ms[groups.first], last_ms[groups.first]
    np.minimum.at(first, groups.of, first_ms)
    np.maximum.at(last, groups.of, last_ms)
    rows = np.flatnonzero(is_target(labels)[groups.first])
    return Entry(labels.take(groups.first[rows]), first[rows], last[rows], np.zeros(len(rows), np.intp), ((),))


def _bytes(entries: dict[Identity, Entry]) -> int:
    size = 200
    for entry in entries.values():
        size += sum(column.codes.nbytes + 16 * len(column.values) for column in entry.columns.columns.values())
        size += 24 * entry.columns.size + 300
    return size
