"""What functions over range vectors have in common: a value for each window, without the metric's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import nonempty, without_name
from spanglass_server.promql.evaluation.windows import windows
from spanglass_server.promql.histograms.expressions.window_functions import over_mixed
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.selectors import Range
    from spanglass_server.promql.evaluation.windows import Windows
    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.samples import Samples

    #: From windows to a value for each, and where there is one.
    OverWindows = Callable[[Windows], tuple[NDArray[np.float64], NDArray[np.bool_]]]


def over_windows(
    call: Invocation,
    range_: Range,
    function: OverWindows,
    kept: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None,
) -> Vector:
    """The values of a function of windows, with the labels as they are; of all values those that are ``kept``."""

    def of_floats(samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        shape = (samples.labels.size, range_.steps.size)
        values, present = np.zeros(shape), np.zeros(shape, np.bool_)
        with np.errstate(all="ignore"):
            for some in windows(samples, range_.steps, range_.range_ms):
                call.query.check_deadline()
                values[some.rows], present[some.rows] = function(some)
        return values, present if kept is None else present & kept(values)

    if range_.samples.histogram is not None and (range_.samples.histogram >= 0).any():
        return over_mixed(call, range_, of_floats)
    return nonempty(Vector(range_.samples.labels, *of_floats(range_.samples)))


def range_function(function: OverWindows) -> Callable[[Invocation], Vector]:
    """A function of one range vector that removes the name."""
    return lambda call: without_name(over_windows(call, call.range(0), function))
