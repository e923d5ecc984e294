"""Writers: processes that send one and the same cumulative series, told apart by their start times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.stored.decoding.pieces import offsets_of, order_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.stored.decoding.points import Points

#: Starts no further apart are those of one writer: many senders compute theirs anew at each export (docs/metrics.md).
NEAR_MS = 10_000
#: A stream that starts so often one after another has a sender that does not know its start.
_MOST = 16


def by_writer(points: Points) -> Points:
    """The same points with a stream for each of its writers, and their starts; 0 where the start is unknown."""
    assert points.created_ms is not None  # noqa: S101 - read for this
    stream = points.stream_of
    start = _known_starts(points, stream)
    is_last = np.ones(len(start), np.bool_)
    is_last[:-1] = stream[1:] != stream[:-1]
    if not ((start[1:] != start[:-1]) & ~is_last[:-1]).any():
        first = np.minimum(points.offsets[:-1], max(len(start) - 1, 0))
        writers = start[first] if len(start) else np.zeros(len(first), np.int64)
        return replace(points, streams=points.streams.written_since(writers))
    writer, since = _writers(stream, start)
    order = order_by(writer, points.time_ms)
    _, first, counts = np.unique(writer, return_index=True, return_counts=True)
    streams = points.streams.take(stream[first]).written_since(since)
    return points.arranged(streams, offsets_of(counts), order)


def _known_starts(points: Points, stream: NDArray[np.intp]) -> NDArray[np.int64]:
    """Each point's start; of markers, and of points that do not know theirs, that of the one before."""
    assert points.created_ms is not None  # noqa: S101
    is_known = (points.created_ms > 0) & (points.created_ms < points.time_ms)
    if points.is_stale is not None:
        is_known &= ~points.is_stale
    last = np.maximum.accumulate(np.where(is_known, np.arange(len(stream)), -1)) if len(stream) else stream
    is_own = (last >= 0) & (stream[last] == stream)
    return np.where(is_own, points.created_ms[last], 0)


def _writers(stream: NDArray[np.intp], start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number of each point's writer, by rising stream and start, and the first start of each writer."""
    order = order_by(stream, start)
    begins = np.ones(len(order), np.bool_)
    sorted_stream, sorted_start = stream[order], start[order]
    begins[1:] = (sorted_stream[1:] != sorted_stream[:-1]) | (sorted_start[1:] - sorted_start[:-1] > NEAR_MS)
    writer = np.empty(len(order), np.int64)
    writer[order] = np.cumsum(begins) - 1
    changes = np.zeros(len(stream), np.bool_)
    changes[1:] = (writer[1:] != writer[:-1]) & (stream[1:] == stream[:-1])
    number = np.bincount(sorted_stream[begins], minlength=int(stream[-1]) + 1)
    moves_on = (np.bincount(stream[changes], minlength=len(number)) == number - 1) & (number > _MOST)
    if not moves_on.any():
        return writer, sorted_start[begins]
    first_of = np.cumsum(number) - number
    writer = np.where(moves_on[stream], first_of[stream], writer)
    used, renumbered = np.unique(writer, return_inverse=True)
    return renumbered.astype(np.int64), sorted_start[begins][used]
