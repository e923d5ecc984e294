"""Samples as they are stored: what a selector reads before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.series.labels import LabelSets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.histograms import Histograms


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of n series, one series after another, by rising time; no time twice in a series.

    Those of series i are ``offsets[i]:offsets[i + 1]``. A sample is a float (``histogram`` is -1), a native histogram
    (``histogram`` is its place in ``histograms``), or a staleness marker (``is_stale``): the series ends there.
    Label sets differ from series to series. ``histogram`` is None if there are no histograms at all; ``is_stale`` is
    None if no sample is a marker. ``created_ms`` is None if no start times are known, 0 where one is not.

    Where samples are thinned, each stands for ``count`` samples whose values add up to ``total``: itself, and those
    left out before it. Both are None if none is thinned.

    ``anew`` has a number for each series, None if all are 0: of a series that begins anew with the range that is read,
    so that its rise means something and its value nothing, -1; of what is counted from records, the same number from 1
    on for all that is counted of the same records (the buckets of a histogram).
    """

    labels: LabelSets
    offsets: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    is_stale: NDArray[np.bool_] | None = None
    histogram: NDArray[np.int64] | None = None
    histograms: Histograms | None = None
    created_ms: NDArray[np.int64] | None = None
    count: NDArray[np.float64] | None = None
    total: NDArray[np.float64] | None = None
    anew: NDArray[np.int64] | None = None

    @classmethod
    def none(cls) -> Samples:
        """Those of no series."""
        return cls(LabelSets(0), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))
