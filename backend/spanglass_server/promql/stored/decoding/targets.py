"""``target_info``: a series of value 1 for each resource, with its attributes as labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.decoding.pieces import Piece, offsets_of, ranges
from spanglass_server.promql.stored.decoding.points import stream_number
from spanglass_server.promql.stored.decoding.streams import Streams, read_streams
from spanglass_server.promql.stored.naming.identity import VERBATIM_SCOPE
from spanglass_server.promql.stored.naming.labels import INSTANCE, JOB, resource_labels
from spanglass_server.query.language.compiling.sql import Sql
from spanglass_server.query.statements import run, statement
from spanglass_server.signals import AttributeColumn, quote_identifier

if TYPE_CHECKING:
    from spanglass_server.store.ports import Part, QuerySession

#: A resource has one sample for so much time, at that of its last point.
_EVERY_NS = 10_000_000_000


def target_piece(session: QuerySession, part: Part) -> Piece:
    """The resources of a part, at the times of their points, but for those that came from Prometheus."""
    columns = sorted(name for name in part.columns if _is_resource(name))
    relation = Sql(session.part_relation(part, [*columns, "time_ns", "scope_name"]))
    wanted = {"relation": relation, "stream": stream_number(columns), "scope": VERBATIM_SCOPE}
    found = run(session, statement("promql/targets", every_ns=_EVERY_NS, **wanted))
    listed = ", ".join(f"any_value({quoted}) AS {quoted}" for quoted in map(quote_identifier, columns)) or "0"
    streams = read_streams(run(session, statement("promql/target_streams", columns=Sql(listed), **wanted)))
    _, counts = np.unique(found["stream"].to_numpy(), return_counts=True)
    labels = target_labels(streams.columns)
    rows = np.flatnonzero(is_target(labels))
    offsets = offsets_of(counts)
    time_ms = found["time_ms"].to_numpy()[ranges(offsets[rows], counts[rows])]
    return Piece(Streams.of(labels.take(rows)), offsets_of(counts[rows]), time_ms, np.ones(len(time_ms)))


def target_labels(columns: LabelSets) -> LabelSets:
    """The labels of ``target_info`` as columns of streams."""
    labels = resource_labels(columns)
    return LabelSets(labels.size, {f"label.{name}": column for name, column in labels.columns.items()})


def is_target(labels: LabelSets) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which resources are told: those with a job or an instance, and something besides."""
    identified, more = np.zeros(labels.size, np.bool_), np.zeros(labels.size, np.bool_)
    for name, column in labels.columns.items():
        has = identified if name in {f"label.{JOB}", f"label.{INSTANCE}"} else more
        has |= column.codes != 0
    return identified & more


def _is_resource(name: str) -> bool:
    attribute = AttributeColumn.parse(name)
    return attribute is not None and attribute.position == "resource"
