"""Functions of times: the parts of dates in UTC, the time of the step, the times of samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import floats, without_name
from spanglass_server.promql.evaluation.selectors import last_samples
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.promql.parsing.nodes import VectorSelector, unwrapped
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.vectors import Scalar, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spanglass_server.promql.functions.invocation import Invocation

    Floats = NDArray[np.float64]
    Times = NDArray[np.datetime64]


def seconds(call: Invocation) -> Floats:
    """The times of the steps."""
    return step_times(call.steps) / 1000


def time(call: Invocation) -> Scalar:
    """The time of each step, in seconds."""
    return Scalar(seconds(call))


def timestamp(call: Invocation) -> Vector:
    """The times of the samples that a selector finds; of other vectors, the time of the step."""
    node = unwrapped(call.node.args[0])
    if isinstance(node, VectorSelector):
        vector, time_ms = last_samples(call.query, node, call.steps)
        values = time_ms / 1000
    else:
        vector = call.vector(0)
        values = np.broadcast_to(seconds(call), vector.values.shape)
    present = vector.present if vector.histogram is None else vector.present | (vector.histogram >= 0)
    return without_name(Vector(vector.labels, values, present))


def _days_in_month(times: Times) -> Floats:
    month = times.astype("datetime64[M]")
    days = (month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")
    return np.asarray(days.astype(np.int64), np.float64)


def _since(part: str, whole: str, first: int) -> Callable[[Times], Floats]:
    def value(times: Times) -> Floats:
        begin = times.astype(f"datetime64[{whole}]")
        past = times.astype(f"datetime64[{part}]") - begin.astype(f"datetime64[{part}]")
        return np.asarray(past.astype(np.int64) + first, np.float64)

    return value


def _day_of_week(times: Times) -> Floats:
    # 1970-01-01 was a Thursday, and weeks begin with Sunday.
    return ((times.astype("datetime64[D]").astype(np.int64) + 4) % 7).astype(np.float64)


def _year(times: Times) -> Floats:
    return (times.astype("datetime64[Y]").astype(np.int64) + 1970).astype(np.float64)


_PARTS: dict[str, Callable[[Times], Floats]] = {
    "day_of_month": _since("D", "M", 1),
    "day_of_week": _day_of_week,
    "day_of_year": _since("D", "Y", 1),
    "days_in_month": _days_in_month,
    "hour": _since("h", "D", 0),
    "minute": _since("m", "h", 0),
    "month": _since("M", "Y", 1),
    "year": _year,
}


#: Seconds past which Go's dates, and numpy's, mean nothing.
_LAST_S = 2.0**55
#: What Prometheus says of NaN and of infinite times: the least 64-bit number of seconds, wrapped around.
_NO_DATE = {
    "day_of_month": 4.0,
    "day_of_week": 0.0,
    "day_of_year": 339.0,
    "days_in_month": 31.0,
    "hour": 15.0,
    "minute": 30.0,
    "month": 12.0,
    "year": 292277026596.0,
}


def _date_part(name: str, part: Callable[[Times], Floats]) -> Callable[[Invocation], Vector]:
    def evaluate(call: Invocation) -> Vector:
        if not call.size:
            values = part(_times(seconds(call)))[None, :]
            return Vector(LabelSets(1), values, np.ones(values.shape, np.bool_))
        vector = floats(call.vector(0))
        known = np.abs(vector.values) < _LAST_S
        return without_name(replace(vector, values=np.where(known, part(_times(vector.values)), _NO_DATE[name])))

    return evaluate


def _times(values: Floats) -> Times:
    known = np.abs(values) < _LAST_S
    return np.where(known, values, 0.0).astype(np.int64).astype("datetime64[s]")


CALLS: dict[str, Callable[[Invocation], Vector | Scalar]] = {
    **{name: _date_part(name, part) for name, part in _PARTS.items()},
    "time": time,
    "timestamp": timestamp,
}
