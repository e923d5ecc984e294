"""From pieces to series: streams of several parts as one series, with one set of labels, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.stored.naming.labels import telling
from spanglass_server.promql.stored.writers import told_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.stored.decoding.pieces import Piece

_HASH = 2**64 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Some streams of a piece, with their labels; ``share`` is the place of what is read of their part."""

    piece: Piece
    rows: NDArray[np.intp]
    labels: LabelSets
    share: int
    name: str
    is_delta: bool

    @property
    def samples(self) -> int:
        """How many samples they have, whenever."""
        return int((self.piece.offsets[self.rows + 1] - self.piece.offsets[self.rows]).sum())

    @property
    def since(self) -> NDArray[np.int64]:
        """Since when the writer of each stream has been counting, 0 where that is unknown."""
        since_ms = self.piece.streams.since_ms
        return np.zeros(len(self.rows), np.int64) if since_ms is None else since_ms[self.rows]

    @property
    def times(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The times of the first and last sample of each stream."""
        first, end = self.piece.offsets[self.rows], self.piece.offsets[self.rows + 1]
        last = max(len(self.piece.time_ms) - 1, 0)
        return self.piece.time_ms[np.minimum(first, last)], self.piece.time_ms[np.maximum(end - 1, 0)]


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """Series and their streams: stream i of ``chosen[p]`` belongs to series ``series[p][i]``.

    ``is_plain``: labels are those of the streams, none is there to tell series apart.
    """

    labels: LabelSets
    chosen: tuple[Chosen, ...]
    series: tuple[NDArray[np.intp], ...]
    is_delta: NDArray[np.bool_]
    is_plain: bool = True

    @property
    def bytes(self) -> int:
        """About how much memory it takes besides the pieces."""
        of_series = sum(column.codes.nbytes + 80 * len(column.values) for column in self.labels.columns.values())
        return 1000 + of_series + sum(2 * places.nbytes for places in self.series)


def resolved(chosen: Sequence[Chosen]) -> Resolved:
    """Find the series of all chosen streams: those with the same identity, and those with the same labels."""
    chosen = [each for each in chosen if len(each.rows)]
    if not chosen:
        return Resolved(LabelSets(0), (), (), np.empty(0, np.bool_))
    keys = np.concatenate([each.piece.streams.keys[each.rows] + np.uint64(hash(each.name) & _HASH) for each in chosen])
    _, first, of_stream = np.unique(keys, return_index=True, return_inverse=True)
    labels = LabelSets.concat([each.labels for each in chosen]).take(first)
    groups = labels.groups()
    is_plain = groups.size == labels.size
    if not is_plain:
        columns = LabelSets.concat([each.piece.streams.columns.take(each.rows) for each in chosen]).take(first)
        labels = labels.replace(telling(columns, labels))
        groups = labels.groups()
        of_stream, labels = groups.of[of_stream], labels.take(groups.first)
    before = labels
    labels, of_stream = told_apart(labels, of_stream, chosen)
    is_plain &= labels is before
    order = labels.order()
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    found = _of_one_temporality(labels.take(order), chosen, _split(place[of_stream], chosen))
    return found if is_plain else replace(found, is_plain=False)


def _split(series: NDArray[np.intp], chosen: Sequence[Chosen]) -> list[NDArray[np.intp]]:
    return np.split(series, np.cumsum([len(each.rows) for each in chosen])[:-1])


def _of_one_temporality(labels: LabelSets, chosen: Sequence[Chosen], series: list[NDArray[np.intp]]) -> Resolved:
    """Leave out deltas of series that are also sent as cumulative: both carry the same events. And sort streams."""
    is_cumulative = np.zeros(labels.size, np.bool_)
    is_delta = np.zeros(labels.size, np.bool_)
    for each, places in zip(chosen, series, strict=True):
        (is_delta if each.is_delta else is_cumulative)[places] = True
    kept, kept_series = [], []
    for each, places in zip(chosen, series, strict=True):
        order = np.argsort(places, kind="stable")
        if each.is_delta:
            order = order[~is_cumulative[places[order]]]
        kept.append(replace(each, rows=each.rows[order], labels=labels))
        kept_series.append(places[order])
    return Resolved(labels, tuple(kept), tuple(kept_series), is_delta & ~is_cumulative)
