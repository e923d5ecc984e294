"""All functions of PromQL by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_server.promql.functions import (
    elementwise,
    info,
    over_time,
    rates,
    regression,
    relabelling,
    scalars,
    sorting,
    times,
)
from spanglass_server.promql.functions.ranges import over_windows, range_function
from spanglass_server.promql.histograms.expressions import functions as histograms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.functions.ranges import OverWindows
    from spanglass_server.promql.series.vectors import Scalar, Vector

    Function = Callable[[Invocation], Vector | Scalar]


def _keeping_name(function: OverWindows) -> Function:
    return lambda call: over_windows(call, call.range(0), function)


FUNCTIONS: Mapping[str, Function] = {
    **{name: range_function(function) for name, function in over_time.RANGE_FUNCTIONS.items()},
    **{name: _keeping_name(function) for name, function in over_time.KEEPING_NAME.items()},
    **elementwise.CALLS,
    **histograms.CALLS,
    **info.CALLS,
    **rates.CALLS,
    **regression.CALLS,
    **relabelling.CALLS,
    **scalars.CALLS,
    **sorting.CALLS,
    **times.CALLS,
}
