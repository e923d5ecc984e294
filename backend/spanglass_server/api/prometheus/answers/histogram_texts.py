"""Native histograms as JSON: count, sum, and the buckets that hold something, each with its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.api.prometheus.answers.numbers import TEXT, closed_floats, join
from spanglass_server.promql.histograms import bounds, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms

#: Which bounds a bucket includes: the upper, the lower, both.
_UPPER, _LOWER, _BOTH = 0, 1, 3


def histogram_texts(histograms: Histograms, places: NDArray[np.int64]) -> pa.LargeStringArray:
    """Write the histograms at these places, ``{"count":"3","sum":"1.5","buckets":[[0,"1","2","3"]]}``."""
    if not len(places):
        return pa.array([], TEXT)
    chosen = rows.compact(rows.take(histograms, places))
    filled = _Filled.of(chosen)
    rules = pc.cast(pa.array(filled.rule), TEXT)
    texts = join(("[", rules, ',"', closed_floats(filled.lower), ',"', closed_floats(filled.upper), ',"'))
    texts = join((texts, closed_floats(filled.count), "]"))
    before = join(('{"count":"', closed_floats(chosen.count), ',"sum":"', closed_floats(chosen.sum)))
    return join((before, _by_owner(texts, filled.owner, len(places)), "}"))


@dataclass(frozen=True, slots=True)
class _Filled:
    """Buckets that hold something, of many histograms."""

    owner: NDArray[np.intp]
    rule: NDArray[np.int8]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    count: NDArray[np.float64]

    @classmethod
    def of(cls, histograms: Histograms) -> _Filled:
        """All buckets by histogram and rising bounds."""
        parts = (_below(histograms), _at_zero(histograms), _above(histograms))
        owner = np.concatenate([part.owner for part in parts])
        lower = np.concatenate([part.lower for part in parts])
        order = np.lexsort((lower, owner))
        return cls(
            owner[order],
            np.concatenate([part.rule for part in parts])[order],
            lower[order],
            np.concatenate([part.upper for part in parts])[order],
            np.concatenate([part.count for part in parts])[order],
        )


def _below(histograms: Histograms) -> _Filled:
    owner = rows.owners(histograms.negative)
    inner, outer = bounds.of(histograms, histograms.negative)
    upper = -np.maximum(inner, histograms.zero_threshold[owner])
    return _Filled(owner, np.full(len(owner), _LOWER, np.int8), -outer, upper, histograms.negative.count)


def _at_zero(histograms: Histograms) -> _Filled:
    # As in Prometheus, one with fewer than none, of a difference, is not told.
    owner = np.flatnonzero(histograms.zero_count > 0)
    near = histograms.zero_threshold[owner]
    return _Filled(owner, np.full(len(owner), _BOTH, np.int8), -near, near, histograms.zero_count[owner])


def _above(histograms: Histograms) -> _Filled:
    """Custom buckets begin at -Inf, and the first one includes it."""
    owner = rows.owners(histograms.positive)
    inner, outer = bounds.of(histograms, histograms.positive)
    custom = rows.is_custom(histograms)[owner]
    rule = np.where(custom & (histograms.positive.index == 0), _BOTH, _UPPER).astype(np.int8)
    lower = np.where(custom, inner, np.maximum(inner, histograms.zero_threshold[owner]))
    return _Filled(owner, rule, lower, outer, histograms.positive.count)


def _by_owner(texts: pa.LargeStringArray, owner: NDArray[np.intp], size: int) -> pa.LargeStringArray:
    """The member ``buckets`` of each histogram, nothing for one without any."""
    if not len(texts):
        return pa.repeat(pa.scalar("", TEXT), size)
    offsets = np.searchsorted(owner, np.arange(size + 1)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), pc.cast(texts, pa.string()))
    joined = pc.cast(pc.binary_join(lists, ","), TEXT)
    filled = join((',"buckets":[', joined, "]"))
    return pc.if_else(pa.array(np.diff(offsets) > 0), filled, pa.scalar("", TEXT))
