"""Functions that aggregate the samples of a window: ``*_over_time``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.aggregations.quantiles import quantile_of_sorted
from spanglass_server.promql.evaluation.aggregations.sums import segment_sums
from spanglass_server.promql.evaluation.ragged import ragged, ragged_cells

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.ragged import Ragged
    from spanglass_server.promql.evaluation.windows import Windows

    Floats = NDArray[np.float64]
    Result = tuple[Floats, NDArray[np.bool_]]

#: Windows of so many samples in all are summed with compensation in any case.
_FEW = 20_000
#: A sum so much smaller than the numbers in it has lost digits to cancellation.
_CANCELLED = 1e-6
_TINY = 2.0**-64


def window_sums(some: Windows, value: Floats) -> Floats:
    """The sum of a number for each sample, for each window; 0 for empty ones."""
    chosen = some.count > 0
    if int(some.count.sum()) > _FEW:
        plain = _reduced(np.add, some, value)
        if not (value.min() < 0 < value.max()):
            return plain
        chosen &= ~(np.abs(plain) > _CANCELLED * _reduced(np.add, some, np.abs(value)))
    else:
        plain = np.zeros(some.lo.shape)
    for part in ragged_cells(some, chosen):
        plain[part.cells] = segment_sums(value[part.places], part.starts)
    return plain


def _reduced(ufunc: np.ufunc, some: Windows, value: Floats) -> Floats:
    """A reduction of the samples of each window; for empty windows, some number."""
    bounds = np.stack([some.lo, some.hi], axis=-1).ravel()
    # One more number, so that a window may end behind the last sample.
    return ufunc.reduceat(np.append(value, value[-1]), bounds)[::2].reshape(some.lo.shape)


def sum_over_time(some: Windows) -> Result:
    """The sum of all samples."""
    return window_sums(some, _totals(some)), some.count > 0


def _totals(some: Windows) -> Floats:
    """What each sample adds to a sum: its value, or where samples are thinned that of all it stands for."""
    return some.value if some.totals is None else some.totals


def avg_over_time(some: Windows) -> Result:
    """The mean of all samples, also where their sum overflows."""
    totals = _totals(some)
    mean = window_sums(some, totals) / some.number
    if np.isinf(mean).any():
        finite = ~np.isinf(totals)
        repaired = window_sums(some, np.where(finite, totals, 0.0) * _TINY) / some.number / _TINY
        all_finite = window_sums(some, (~finite).astype(np.float64)) == 0
        mean = np.where(np.isinf(mean) & all_finite, repaired, mean)
    return mean, some.count > 0


def min_over_time(some: Windows) -> Result:
    """The smallest sample; NaN only if there is nothing else."""
    return _reduced(np.fmin, some, some.value), some.count > 0


def max_over_time(some: Windows) -> Result:
    """The largest sample; NaN only if there is nothing else."""
    return _reduced(np.fmax, some, some.value), some.count > 0


def count_over_time(some: Windows) -> Result:
    """How many samples there are."""
    return some.number.astype(np.float64), some.count > 0


def present_over_time(some: Windows) -> Result:
    """1 where there are samples."""
    return np.ones(some.lo.shape), some.count > 0


def last_over_time(some: Windows) -> Result:
    """The last sample."""
    return some.value[some.last], some.count > 0


def first_over_time(some: Windows) -> Result:
    """The first sample."""
    return some.value[some.first], some.count > 0


def stdvar_over_time(some: Windows) -> Result:
    """The variance of the samples."""
    mean, present = avg_over_time(some)
    result = np.zeros(some.lo.shape)
    for part in ragged(some):
        away = some.value[part.places] - mean[part.cells][part.window]
        result[part.cells] = part.sum(away * away) / part.sizes
    return result, present


def stddev_over_time(some: Windows) -> Result:
    """The standard deviation of the samples."""
    variance, present = stdvar_over_time(some)
    return np.sqrt(variance), present


def quantile_over_time(some: Windows, wanted: Floats) -> Result:
    """A quantile of the samples, ``wanted`` at each step."""
    result = np.zeros(some.lo.shape)
    for part in ragged(some):
        result[part.cells] = _quantile(part, some.value[part.places], wanted[part.cells[1]])
    return result, some.count > 0


def mad_over_time(some: Windows) -> Result:
    """The median of the distances from the median; NaN where any sample is."""
    result, half = np.zeros(some.lo.shape), np.array(0.5)
    for part in ragged(some):
        value = some.value[part.places]
        away = np.abs(value - _quantile(part, value, half)[part.window])
        unknown = np.logical_or.reduceat(np.isnan(value), part.starts)
        result[part.cells] = np.where(unknown, np.nan, _quantile(part, away, half))
    return result, some.count > 0


def _quantile(part: Ragged, value: Floats, wanted: Floats) -> Floats:
    unknown = part.sum(np.isnan(value).astype(np.float64)).astype(np.int64)
    return quantile_of_sorted(np.sort(part.padded(value), axis=1), part.sizes, unknown, wanted)


def ts_of_first_over_time(some: Windows) -> Result:
    """The time of the first sample."""
    return some.time_ms[some.first] / 1000, some.count > 0


def ts_of_last_over_time(some: Windows) -> Result:
    """The time of the last sample."""
    return some.time_ms[some.last] / 1000, some.count > 0


def ts_of_min_over_time(some: Windows) -> Result:
    """The last time of the smallest sample."""
    return _time_of(some, min_over_time(some)[0])


def ts_of_max_over_time(some: Windows) -> Result:
    """The last time of the largest sample."""
    return _time_of(some, max_over_time(some)[0])


def _time_of(some: Windows, wanted: Floats) -> Result:
    result = np.zeros(some.lo.shape)
    for part in ragged(some):
        value, meant = some.value[part.places], wanted[part.cells][part.window]
        found = (value == meant) | (np.isnan(value) & np.isnan(meant))
        times = np.where(found, some.time_ms[part.places], np.iinfo(np.int64).min)
        result[part.cells] = np.maximum.reduceat(times, part.starts) / 1000
    return result, some.count > 0


RANGE_FUNCTIONS: dict[str, Callable[[Windows], Result]] = {
    "avg_over_time": avg_over_time,
    "count_over_time": count_over_time,
    "mad_over_time": mad_over_time,
    "max_over_time": max_over_time,
    "min_over_time": min_over_time,
    "present_over_time": present_over_time,
    "stddev_over_time": stddev_over_time,
    "stdvar_over_time": stdvar_over_time,
    "sum_over_time": sum_over_time,
    "ts_of_first_over_time": ts_of_first_over_time,
    "ts_of_last_over_time": ts_of_last_over_time,
    "ts_of_max_over_time": ts_of_max_over_time,
    "ts_of_min_over_time": ts_of_min_over_time,
}
#: Functions that keep the metric's name.
KEEPING_NAME: dict[str, Callable[[Windows], Result]] = {
    "first_over_time": first_over_time,
    "last_over_time": last_over_time,
}
