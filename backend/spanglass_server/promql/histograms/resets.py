"""Counter resets of native histograms, many pairs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms.layout import Layout, common, cut, fitted
from spanglass_server.promql.histograms.rows import concat, is_custom, owners, take
from spanglass_server.promql.series.histograms import ResetHint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Buckets, Histograms

#: A table of pairs and buckets may have so many cells for each bucket.
_SPARSE = 16


def was_reset(histograms: Histograms, current: NDArray[np.intp], previous: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the counter was reset between two rows, for each pair of rows.

    It was if the current one says so; if any count or bucket went down (the sum may); if a bucket is gone; if the
    resolution went up or the zero bucket got smaller: none of these happens to a running counter.
    """
    before, now = take(histograms, previous), take(histograms, current)
    reset = (now.count < before.count) | (is_custom(now) != is_custom(before))
    reset |= ~is_custom(now) & ((now.schema > before.schema) | (now.zero_threshold < before.zero_threshold))
    reset |= now.reset_hint == ResetHint.RESET
    open_pairs = np.flatnonzero(~reset & (now.reset_hint != ResetHint.NO_RESET))
    if len(open_pairs):
        reset[open_pairs] = _buckets_shrank(take(before, open_pairs), take(now, open_pairs))
    return np.asarray(reset & (now.reset_hint != ResetHint.NO_RESET))


def _buckets_shrank(before: Histograms, now: Histograms) -> NDArray[np.bool_]:
    size = len(now)
    pair = np.arange(size)
    both = concat([before, now])
    of_both = np.concatenate([pair, pair])
    layout, _ = common(both, of_both, size)
    layout = Layout(layout.schema, now.zero_threshold, layout.custom, layout.bounds)
    shrank = cut(before, now.zero_threshold) > now.zero_threshold
    rows = fitted(both, of_both, layout)
    shrank |= rows.zero_count[size:] < rows.zero_count[:size]
    return shrank | _went_down(rows.positive, size) | _went_down(rows.negative, size)


def _went_down(buckets: Buckets, size: int) -> NDArray[np.bool_]:
    shrank = np.zeros(size, bool)
    if not len(buckets.index):
        return shrank
    row = owners(buckets)
    least = buckets.index.min()
    width = int(buckets.index.max() - least) + 1
    key = (row % size) * width + (buckets.index - least)
    earlier = int(buckets.offsets[size])
    if size * width > _SPARSE * len(key):
        keys, key = np.unique(key, return_inverse=True)
    else:
        keys = np.arange(size * width)
    old = np.bincount(key[:earlier], buckets.count[:earlier], minlength=len(keys))
    new = np.bincount(key[earlier:], buckets.count[earlier:], minlength=len(keys))
    shrank[keys[new < old] // width] = True
    return shrank
