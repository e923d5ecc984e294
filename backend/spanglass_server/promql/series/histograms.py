"""Native histograms in columns (Prometheus: native histogram specification; OTLP: exponential histograms)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The schema of native histograms whose buckets have bounds of their own (NHCB).
CUSTOM_SCHEMA = -53


class ResetHint(IntEnum):
    """What is known of a counter reset before a histogram (prompb: Histogram.ResetHint)."""

    UNKNOWN = 0
    RESET = 1
    NO_RESET = 2
    GAUGE = 3


@dataclass(frozen=True, slots=True)
class Buckets:
    """The filled buckets of n histograms on one side of zero, one histogram after another, by rising index.

    Those of histogram i are ``offsets[i]:offsets[i + 1]``. Bucket ``index`` of schema s reaches from
    ``2 ** ((index - 1) / 2 ** s)`` (excluded) to ``2 ** (index / 2 ** s)`` (included): Prometheus' index, one more
    than OTLP's. With custom bounds, ``index`` is the place of the upper bound, and the last bucket reaches to +Inf.
    """

    offsets: NDArray[np.int64]
    index: NDArray[np.int64]
    count: NDArray[np.float64]

    @classmethod
    def none(cls, size: int) -> Buckets:
        """No buckets, for ``size`` histograms."""
        return cls(np.zeros(size + 1, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


@dataclass(frozen=True, slots=True)
class Histograms:
    """n native histograms, a row each. Counts are floats: most are sums, rates or means.

    ``custom`` is each one's place in ``bounds`` (upper bounds without +Inf, rising), -1 unless its schema is custom;
    no bounds stand there twice.
    """

    schema: NDArray[np.int32]
    zero_threshold: NDArray[np.float64]
    zero_count: NDArray[np.float64]
    count: NDArray[np.float64]
    sum: NDArray[np.float64]
    reset_hint: NDArray[np.uint8]
    positive: Buckets
    negative: Buckets
    custom: NDArray[np.int32]
    bounds: tuple[tuple[float, ...], ...] = ()

    def __len__(self) -> int:
        """How many histograms there are."""
        return len(self.schema)
