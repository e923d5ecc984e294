"""The route that gives the result of PromQL as a file: a row for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from spanglass_server.api.errors import ApiError
from spanglass_server.api.params import RANGE, Param
from spanglass_server.api.prometheus.answers.flat import Flat
from spanglass_server.api.prometheus.answers.histogram_texts import histogram_texts
from spanglass_server.api.prometheus.answers.label_texts import label_order
from spanglass_server.api.prometheus.params import MAX_POINTS
from spanglass_server.api.routes.exports import FORMULAS, form_param
from spanglass_server.api.routing import Route
from spanglass_server.api.schema import STRING
from spanglass_server.api.streaming import Streamed
from spanglass_server.promql.engine import range_query
from spanglass_server.promql.errors import PromqlError
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.promql.series.vectors import Scalar, Steps, Text, Vector
from spanglass_server.query.exporting.forms import TABLE_FORMS
from spanglass_server.query.exporting.running import Running, Written, begin_table, next_bytes
from spanglass_server.query.window import Buckets
from spanglass_server.times import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from spanglass_server.api.params import Params
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.store.ports import QuerySession, Window

#: About so many steps unless one is asked for, as pages draw.
_STEPS: Final = 240
_LEAST_STEP_NS: Final = 1000 * NS_PER_MS
_TIME: Final = pa.timestamp("ms")
#: Columns that are no labels.
_OWN: Final = ("time", "value", "histogram")


@dataclass(frozen=True, slots=True)
class _Files:
    """The handler; ``series`` opens what is stored as Prometheus' series."""

    series: Callable[[QuerySession], StoredSeries]

    def part(self, session: QuerySession, params: Params, running: Running | None) -> tuple[bytes, Running | None]:
        """Return the next bytes of a file."""
        return next_bytes(session, running or self._begin(session, params))

    def _begin(self, session: QuerySession, params: Params) -> Running:
        steps = _steps(params["window"], params["step"])
        try:
            answer = range_query(self.series(session), params["query"], steps)
        except PromqlError as error:
            hint = "try it at /metrics/explore"
            raise ApiError("bad_request", error.message, field="query", hint=hint) from error
        assert isinstance(answer.value, Vector | Scalar | Text)  # noqa: S101 - a range has nothing else
        rows = table_of(answer.value, steps)
        return begin_table(rows, Written(params["format"], guarded=params["formulas"] == "guarded"))


def _steps(window: Window, step_ns: int | None) -> Steps:
    """The times of a range at multiples of the step, whole milliseconds; one of about ``_STEPS`` unless it is given."""
    if step_ns is None:
        step_ns = max(_LEAST_STEP_NS, Buckets.about(window, _STEPS).step_ns)
    if step_ns < _LEAST_STEP_NS:
        raise ApiError("bad_request", "a step takes a second at least", field="step", hint="for example 15s or 1m")
    step_ms = step_ns // NS_PER_MS
    first_ms = -(-window.start_ns // (NS_PER_MS * step_ms)) * step_ms
    end_ms = window.end_ns // NS_PER_MS
    size = (end_ms - first_ms) // step_ms + 1
    if size > MAX_POINTS:
        least_s = -(-(end_ms - first_ms) // ((MAX_POINTS - 1) * 1000))
        hint = f"ask for step={least_s}s or longer, or a shorter range"
        raise ApiError("bad_request", f"{size:,} steps are too many, {MAX_POINTS:,} at most", field="step", hint=hint)
    return Steps(first_ms, step_ms, size, end_ms) if size > 0 else Steps(end_ms, step_ms, 1, end_ms)


def table_of(value: Vector | Scalar | Text, steps: Steps) -> pa.Table:
    """Return ``time``, a column a label, and ``value``, a row a sample, the series in the order of their labels.

    A label that is called like another column is ``label.time``, or ``label.label.time`` if that is a label too. Where
    there are native histograms, ``histogram`` has them as JSON, as Prometheus' API says them, and ``value`` is null.
    """
    times = step_times(steps)
    if isinstance(value, Text):
        return pa.table({"time": _times(times), "value": pa.array([value.value] * len(times))})
    if isinstance(value, Scalar):
        return pa.table({"time": _times(times), "value": pa.array(value.values)})
    flat = Flat.of_vector(value, times)
    counts, order = np.diff(flat.offsets), label_order(flat.labels)
    series = np.repeat(order, counts[order])
    samples = _samples_of(flat.offsets, counts, order)
    present = {name: column for name, column in sorted(flat.labels.columns.items()) if column.codes.any()}
    names = _column_names(present)
    labels = {names[name]: _label(column.codes[series], column.values) for name, column in present.items()}
    return pa.table({"time": _times(flat.times_ms[flat.step[samples]]), **labels, **_values(flat, samples)})


def _column_names(labels: Iterable[str]) -> dict[str, str]:
    """The column of each label: its own name unless another column has it, then a name that no label has."""
    named = {label: label for label in labels if label not in _OWN}
    for own in _OWN:
        name = f"label.{own}"
        while name in named:
            name = f"label.{name}"
        named[own] = name
    return named


def _times(times_ms: NDArray[np.int64]) -> pa.Array:
    return pa.array(times_ms, pa.int64()).cast(_TIME)


def _samples_of(offsets: NDArray[np.int64], counts: NDArray[np.int64], order: NDArray[np.intp]) -> NDArray[np.int64]:
    """The places of samples, series by series in an order."""
    ends = np.cumsum(counts[order])
    total = int(ends[-1]) if len(ends) else 0
    places: NDArray[np.int64] = np.arange(total) + np.repeat(
        offsets[:-1][order] - (ends - counts[order]), counts[order]
    )
    return places


def _label(codes: NDArray[Any], values: Any) -> pa.Array:
    """A label of each row; code 0 is that of a series without it."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes == 0), pa.array(list(values)))


def _values(flat: Flat, samples: NDArray[np.int64]) -> dict[str, pa.Array]:
    values = flat.value[samples]
    if flat.histogram is None or flat.histograms is None:
        return {"value": pa.array(values)}
    places = flat.histogram[samples]
    has_one = places >= 0
    texts = histogram_texts(flat.histograms, places[has_one]).cast(pa.string())
    at = np.cumsum(has_one) - 1
    return {
        "value": pa.array(values, mask=has_one),
        "histogram": texts.take(pa.array(np.maximum(at, 0), mask=~has_one)),
    }


def promql_export_route(series: Callable[[QuerySession], StoredSeries]) -> Route:
    """Return the route."""
    return Route(
        path="/promql/export",
        summary="The result of PromQL over a range as a file.",
        description="A row for each sample: its time, a column a label, and its value.",
        parameters=(
            Param("query", "text", help="The expression, in PromQL.", required=True),
            *RANGE,
            Param("step", "duration", help="From step to step, 1s or longer; a round one of some 240 unless said."),
            form_param(TABLE_FORMS, "csv"),
            FORMULAS,
        ),
        response=STRING,
        streamed=Streamed(_Files(series).part, TABLE_FORMS, "promql"),
    )
