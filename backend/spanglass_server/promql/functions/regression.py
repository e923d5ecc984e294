"""Lines through samples, and smoothing; functions of windows that have parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.aggregations.sums import segment_sums
from spanglass_server.promql.evaluation.cells import without_name
from spanglass_server.promql.evaluation.ragged import ragged
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.promql.functions.over_time import quantile_over_time
from spanglass_server.promql.functions.ranges import over_windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.ragged import Ragged
    from spanglass_server.promql.evaluation.windows import Windows
    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.vectors import Vector

    Floats = NDArray[np.float64]
    Result = tuple[Floats, NDArray[np.bool_]]

_LEAST = 2


def deriv(call: Invocation) -> Vector:
    """The slope, a second, of the line through the samples."""

    def slopes(some: Windows) -> Result:
        result = np.zeros(some.lo.shape)
        for part in ragged(some, _LEAST):
            begin = some.time_ms[some.lo[part.cells]]
            result[part.cells] = _line(some, part, begin)[0]
        return result, some.count >= _LEAST

    return without_name(over_windows(call, call.range(0), slopes))


def predict_linear(call: Invocation) -> Vector:
    """Where the line through the samples is so many seconds after the step."""
    ahead, now_ms = call.scalar(1), step_times(call.steps)

    def predictions(some: Windows) -> Result:
        result = np.zeros(some.lo.shape)
        for part in ragged(some, _LEAST):
            columns = part.cells[1]
            slope, intercept = _line(some, part, now_ms[columns])
            result[part.cells] = slope * ahead[columns] + intercept
        return result, some.count >= _LEAST

    return without_name(over_windows(call, call.range(0), predictions))


def _line(some: Windows, part: Ragged, origin_ms: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Slope, and value at the origin, of the least squares line through each window's samples."""
    y = some.value[part.places]
    x = (some.time_ms[part.places] - origin_ms[part.window]) / 1000
    sums = segment_sums(np.stack([x, y, x * y, x * x], axis=1), part.starts)
    n, sum_x, sum_y = part.sizes, sums[:, 0], sums[:, 1]
    slope = (sums[:, 2] - sum_x * sum_y / n) / (sums[:, 3] - sum_x * sum_x / n)
    intercept = sum_y / n - slope * sum_x / n
    begin = y[part.starts]
    constant = np.minimum.reduceat(y == begin[part.window], part.starts)
    flat = np.where(np.isinf(begin), np.nan, 0.0)
    return np.where(constant, flat, slope), np.where(constant, begin + flat, intercept)


def double_exponential_smoothing(call: Invocation) -> Vector:
    """The last value of samples smoothed with their trend."""
    smoothing, trend = call.scalar(1), call.scalar(2)
    for name, factors in (("smoothing", smoothing), ("trend", trend)):
        if (bad := factors[~((factors > 0) & (factors < 1))]).size:
            sign = "sf" if name == "smoothing" else "tf"
            raise execution_error(f"invalid {name} factor. Expected: 0 < {sign} < 1, got: {bad[0]:f}")

    def smoothed(some: Windows) -> Result:
        result = np.zeros(some.lo.shape)
        for part in ragged(some, _LEAST):
            columns = part.cells[1]
            result[part.cells] = _smoothed(part, some.value[part.places], smoothing[columns], trend[columns])
        return result, some.count >= _LEAST

    return without_name(over_windows(call, call.range(0), smoothed))


def _smoothed(part: Ragged, value: Floats, smoothing: Floats, trend: Floats) -> Floats:
    """Each step follows from the one before, so all windows go from sample to sample together."""
    table = part.padded(value)
    before, level, slope = np.zeros(len(table)), table[:, 0].copy(), table[:, 1] - table[:, 0]
    for place in range(1, table.shape[1]):
        goes_on = part.sizes > place
        if place > 1:
            slope = np.where(goes_on, trend * (level - before) + (1 - trend) * slope, slope)
        following = smoothing * table[:, place] + (1 - smoothing) * (level + slope)
        before, level = np.where(goes_on, level, before), np.where(goes_on, following, level)
    return level


def quantile_of_windows(call: Invocation) -> Vector:
    """A quantile of the samples of each window."""
    wanted = call.scalar(0)
    result = over_windows(call, call.range(1), lambda some: quantile_over_time(some, wanted))
    used = wanted[result.present.any(axis=0)]
    for value in np.unique(used[~((used >= 0) & (used <= 1))]).tolist():
        call.query.notes.warn_of_quantile(value, call.node.args[0].position)
    return without_name(result)


CALLS: dict[str, Callable[[Invocation], Vector]] = {
    "deriv": deriv,
    "double_exponential_smoothing": double_exponential_smoothing,
    "predict_linear": predict_linear,
    "quantile_over_time": quantile_of_windows,
}
