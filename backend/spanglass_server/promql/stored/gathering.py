"""The samples of resolved series in a range of time, copied once from the pieces that hold them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import rows as native_rows
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.stored.decoding.pieces import Piece, offsets_of, order_by, ranges
from spanglass_server.promql.stored.sums import summed
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spanglass_server.promql.stored.choice import Share
    from spanglass_server.promql.stored.resolving import Resolved


def samples_of(found: Resolved, shares: Sequence[Share]) -> Samples:
    """The samples of each share's range; series without any are left out.

    Of samples of one time in one series the last stays. What deltas count is summed up over the range.
    """
    cuts = [_cut(each.piece, each.rows, shares[each.share]) for each in found.chosen]
    samples, is_in_order = _gathered(found, cuts)
    if not is_in_order:
        samples = _in_order(samples)
    if found.is_delta.any():
        samples = summed(samples, found.is_delta)
    counts = np.diff(samples.offsets)
    filled = np.flatnonzero(counts)
    if len(filled) == found.labels.size:
        return samples
    anew = None if samples.anew is None else samples.anew[filled]
    return replace(samples, labels=found.labels.take(filled), offsets=offsets_of(counts[filled]), anew=anew)


class _Cut:
    """What lies in the range of some streams of a piece."""

    def __init__(self, piece: Piece, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        self.piece = piece
        self.counts = counts
        self.size = int(counts.sum())
        is_whole = bool((starts[1:] == (starts + counts)[:-1]).all()) if len(starts) else True
        first = int(starts[0]) if len(starts) else 0
        self.places = slice(first, first + self.size) if is_whole else ranges(starts, counts)


def _cut(piece: Piece, rows: NDArray[np.intp], share: Share) -> _Cut:
    starts, ends = piece.offsets[rows], piece.offsets[rows + 1]
    if share.after_ms >= share.part.min_time_ns // NS_PER_MS:
        starts = _first_after(piece.time_ms, starts, ends, share.after_ms)
    if share.until_ms < share.part.max_time_ns // NS_PER_MS:
        ends = _first_after(piece.time_ms, starts, ends, share.until_ms)
    return _Cut(piece, starts, ends - starts)


def _first_after(
    time_ms: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], bound_ms: int
) -> NDArray[np.int64]:
    """Of many sorted ranges at once the first place whose time is past a bound, or the range's end."""
    low, high = starts.copy(), ends.copy()
    if not len(low) or not len(time_ms):
        return low
    for _ in range(int((high - low).max()).bit_length()):
        middle = (low + high) >> 1
        is_past = time_ms[np.minimum(middle, len(time_ms) - 1)] > bound_ms
        is_open = low < high
        low = np.where(is_open & ~is_past, middle + 1, low)
        high = np.where(is_open & is_past, middle, high)
    return low


def _gathered(found: Resolved, cuts: Sequence[_Cut]) -> tuple[Samples, bool]:
    """All samples by series, and whether their times rise: those of later pieces come behind those of earlier ones."""
    counts = np.zeros(found.labels.size, np.int64)
    for series, cut in zip(found.series, cuts, strict=True):
        np.add.at(counts, series, cut.counts)
    offsets = offsets_of(counts)
    if len(cuts) == 1 and len(cuts[0].counts) == found.labels.size:
        return _of_one(found, cuts[0], offsets), True
    return _of_several(found, cuts, offsets)


def _of_one(found: Resolved, cut: _Cut, offsets: NDArray[np.int64]) -> Samples:
    piece, places = cut.piece, cut.places
    rows = np.arange(len(piece.time_ms))[places] if piece.histograms is not None else None
    return Samples(
        found.labels,
        offsets,
        piece.time_ms[places],
        piece.value[places],
        None if piece.is_stale is None else piece.is_stale[places],
        None if rows is None else np.arange(cut.size),
        None if rows is None or piece.histograms is None else native_rows.take(piece.histograms, rows),
        None if piece.created_ms is None else piece.created_ms[places],
        None if piece.count is None else piece.count[places],
        None if piece.total is None else piece.total[places],
    )


def _of_several(found: Resolved, cuts: Sequence[_Cut], offsets: NDArray[np.int64]) -> tuple[Samples, bool]:
    size = int(offsets[-1])
    time_ms, value = np.empty(size, np.int64), np.empty(size)
    stale = np.zeros(size, np.bool_) if any(cut.piece.is_stale is not None for cut in cuts) else None
    created = np.zeros(size, np.int64) if any(cut.piece.created_ms is not None for cut in cuts) else None
    histogram = np.full(size, -1, np.int64) if any(cut.piece.histograms is not None for cut in cuts) else None
    is_thinned = any(cut.piece.count is not None for cut in cuts)
    stood_for, total = (np.ones(size), np.zeros(size)) if is_thinned else (None, None)
    natives = []
    free = offsets[:-1].copy()
    known = 0
    for series, cut in zip(found.series, cuts, strict=True):
        piece, taken = cut.piece, cut.places
        before = np.cumsum(cut.counts) - cut.counts
        places = ranges(free[series] + before - before[np.searchsorted(series, series)], cut.counts)
        np.add.at(free, series, cut.counts)
        time_ms[places], value[places] = piece.time_ms[taken], piece.value[taken]
        if stood_for is not None and total is not None:
            total[places] = (piece.value if piece.total is None else piece.total)[taken]
            if piece.count is not None:
                stood_for[places] = piece.count[taken]
        if stale is not None and piece.is_stale is not None:
            stale[places] = piece.is_stale[taken]
        if created is not None and piece.created_ms is not None:
            created[places] = piece.created_ms[taken]
        if histogram is not None and piece.histograms is not None:
            natives.append(native_rows.take(piece.histograms, np.arange(len(piece.time_ms))[taken]))
            histogram[places] = known + np.arange(cut.size)
            known += cut.size
    histograms = native_rows.concat(natives) if natives else None
    samples = Samples(found.labels, offsets, time_ms, value, stale, histogram, histograms, created, stood_for, total)
    return samples, bool(_rises(time_ms, offsets).all())


def _rises(time_ms: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each sample is later than the one before it in its series."""
    rises = np.ones(len(time_ms), np.bool_)
    rises[1:] = time_ms[1:] > time_ms[:-1]
    starts = offsets[:-1]
    rises[starts[starts < len(time_ms)]] = True
    return rises


def _in_order(samples: Samples) -> Samples:
    counts = np.diff(samples.offsets)
    series = np.repeat(np.arange(len(counts)), counts)
    order = order_by(series, samples.time_ms)
    is_last = np.ones(len(order), np.bool_)
    time = samples.time_ms[order]
    is_last[:-1] = (time[1:] != time[:-1]) | (series[1:] != series[:-1])
    kept = order[is_last]
    return replace(
        samples,
        offsets=offsets_of(np.bincount(series[kept], minlength=len(counts))),
        time_ms=samples.time_ms[kept],
        value=samples.value[kept],
        is_stale=None if samples.is_stale is None else samples.is_stale[kept],
        histogram=None if samples.histogram is None else samples.histogram[kept],
        created_ms=None if samples.created_ms is None else samples.created_ms[kept],
        count=None if samples.count is None else samples.count[kept],
        total=None if samples.total is None else samples.total[kept],
    )
