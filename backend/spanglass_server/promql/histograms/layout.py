"""One layout of buckets for histograms that are computed together: schema, zero threshold, custom bounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.histograms import bounds
from spanglass_server.promql.histograms.rows import grouped, is_custom, owners
from spanglass_server.promql.series.histograms import CUSTOM_SCHEMA, Buckets, Histograms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of each group; ``custom`` is its place in ``bounds`` (-1 unless the schema is custom)."""

    schema: NDArray[np.int32]
    threshold: NDArray[np.float64]
    custom: NDArray[np.int32]
    bounds: tuple[tuple[float, ...], ...]


def common(histograms: Histograms, group: NDArray[np.intp], size: int) -> tuple[Layout, NDArray[np.bool_]]:
    """The finest layout that all histograms of a group can be brought to, and where custom bounds had to be reduced.

    That is the lowest schema; a zero bucket as wide as the widest, and on to the end of a filled bucket that would be
    cut; the custom bounds that all have. Histograms of a group are all custom or all exponential.
    """
    schema = np.full(size, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(schema, group, histograms.schema)
    schema[schema == np.iinfo(np.int32).max] = 0
    custom, all_bounds, reduced = _common_bounds(histograms, group, size)
    return Layout(schema, _common_threshold(histograms, group, size), custom, all_bounds), reduced


def fitted(histograms: Histograms, group: NDArray[np.intp], layout: Layout) -> Histograms:
    """Each histogram in the layout of its group. Several entries of a row may be for the same bucket then.

    Buckets within a wider zero bucket are added to it. Its threshold must not cut a filled bucket (``cut``).
    """
    threshold = layout.threshold[group]
    zero_count, positive, negative = histograms.zero_count, histograms.positive, histograms.negative
    if (threshold > histograms.zero_threshold).any():
        positive, from_positive = _outside(histograms, positive, threshold)
        negative, from_negative = _outside(histograms, negative, threshold)
        zero_count = zero_count + from_positive + from_negative
    schema, custom = layout.schema[group], layout.custom[group]
    return replace(
        histograms,
        schema=schema,
        zero_threshold=threshold,
        zero_count=zero_count,
        positive=_in_schema(_in_bounds(histograms, positive, custom, layout.bounds), histograms, schema),
        negative=_in_schema(negative, histograms, schema),
        custom=custom,
        bounds=layout.bounds,
    )


def cut(histograms: Histograms, threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """How wide each zero bucket would have to be, at least ``threshold``, so that no filled bucket is cut by it.

    A histogram whose threshold is as wide already keeps its buckets as they are.
    """
    wider = threshold.copy()
    if not (threshold > histograms.zero_threshold).any():
        return wider
    for buckets in (histograms.positive, histograms.negative):
        row = owners(buckets)
        lower, upper = bounds.of(histograms, buckets)
        inside = (lower < threshold[row]) & (upper > threshold[row]) & (buckets.count != 0)
        inside &= (threshold > histograms.zero_threshold)[row]
        np.maximum.at(wider, row[inside], upper[inside])
    return wider


def _common_threshold(histograms: Histograms, group: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    threshold = np.zeros(size)
    np.maximum.at(threshold, group, histograms.zero_threshold)
    while (threshold[group] > histograms.zero_threshold).any():
        # A wider zero bucket may cut a bucket of the next histogram: until it cuts none.
        wider = threshold.copy()
        np.maximum.at(wider, group, cut(histograms, threshold[group]))
        if (wider == threshold).all():
            break
        threshold = wider
    return threshold


def _common_bounds(
    histograms: Histograms, group: NDArray[np.intp], size: int
) -> tuple[NDArray[np.int32], tuple[tuple[float, ...], ...], NDArray[np.bool_]]:
    custom = np.full(size, -1, np.int32)
    reduced = np.zeros(size, bool)
    is_own = is_custom(histograms)
    if not is_own.any():
        return custom, (), reduced
    all_bounds = list(histograms.bounds)
    custom[group[is_own]] = histograms.custom[is_own]
    reduced[group[is_own][histograms.custom[is_own] != custom[group[is_own]]]] = True
    if not reduced.any():
        return custom, histograms.bounds, reduced
    has = np.zeros((size, len(all_bounds)), bool)
    has[group[is_own], histograms.custom[is_own]] = True
    unlike = np.flatnonzero(reduced)
    # A step for each set of layouts that meet, not for each group.
    sets, which = np.unique(has[unlike], axis=0, return_inverse=True)
    places = np.array([_shared(all_bounds, np.flatnonzero(used).tolist()) for used in sets], np.int32)
    custom[unlike] = places[which.reshape(-1)]
    return custom, tuple(all_bounds), reduced


def _shared(all_bounds: list[tuple[float, ...]], used: Sequence[int]) -> int:
    shared = tuple(sorted(set(all_bounds[used[0]]).intersection(*(all_bounds[place] for place in used[1:]))))
    if shared not in all_bounds:
        all_bounds.append(shared)
    return all_bounds.index(shared)


def _outside(
    histograms: Histograms, buckets: Buckets, threshold: NDArray[np.float64]
) -> tuple[Buckets, NDArray[np.float64]]:
    row = owners(buckets)
    _, upper = bounds.of(histograms, buckets)
    inside = (upper <= threshold[row]) & (threshold > histograms.zero_threshold)[row]
    size = len(histograms)
    moved = np.bincount(row[inside], weights=buckets.count[inside], minlength=size).astype(np.float64)
    return grouped(row[~inside], buckets.index[~inside], buckets.count[~inside], size), moved


def _in_schema(buckets: Buckets, histograms: Histograms, schema: NDArray[np.int32]) -> Buckets:
    if (schema == histograms.schema).all():
        return buckets
    row = owners(buckets)
    return replace(buckets, index=bounds.reduced(buckets.index, histograms.schema[row], schema[row]))


def _in_bounds(
    histograms: Histograms, buckets: Buckets, custom: NDArray[np.int32], target: tuple[tuple[float, ...], ...]
) -> Buckets:
    changed = (custom != histograms.custom) & (histograms.schema == CUSTOM_SCHEMA)
    if not changed.any():
        return buckets
    row = owners(buckets)
    index = buckets.index.copy()
    pairs, which = np.unique(np.stack([histograms.custom, custom]), axis=1, return_inverse=True)
    for place, (old, new) in enumerate(pairs.T.tolist()):
        chosen = changed[row] & (which.reshape(-1)[row] == place)
        if old != new and chosen.any():
            found = np.searchsorted(np.array(target[new]), np.array([*histograms.bounds[old], np.inf]))
            index[chosen] = found[index[chosen]]
    return replace(buckets, index=index)
