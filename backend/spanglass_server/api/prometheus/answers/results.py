"""What an expression gave as the member ``data`` of an answer, in parts that are sent one after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import orjson

from spanglass_server.api.prometheus.answers.flat import Flat
from spanglass_server.api.prometheus.answers.label_texts import label_order
from spanglass_server.api.prometheus.answers.numbers import float_texts, time_text
from spanglass_server.api.prometheus.answers.series_texts import matrix_json, vector_json
from spanglass_server.promql.evaluation.windows import step_times
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Scalar, Text, Vector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.promql.series.vectors import Steps, Value


def write_instant(value: Value | Samples, time_ms: int, limit: int) -> tuple[list[bytes], bool]:
    """Write the value at one time, of ``limit`` series at most (0: all), and say whether some were left out.

    Series stay in the order that evaluation gives them, which sorting functions and ``topk`` decide.
    """
    times = np.array([time_ms], np.int64)
    match value:
        case Vector():
            flat, was_cut = _first(Flat.of_vector(value, times), limit)
            return _data("vector", vector_json(flat)), was_cut
        case Samples():
            flat, was_cut = _first(Flat.of_samples(value), limit)
            return _data("matrix", matrix_json(flat)), was_cut
        case Scalar():
            return _data("scalar", [_pair(time_ms, float_texts(value.values).to_pylist()[0])]), False
        case Text():
            return _data("string", [_pair(time_ms, value.value)]), False


def write_range(value: Vector | Scalar, steps: Steps, limit: int) -> tuple[list[bytes], bool]:
    """Write the values at all steps, the series in the order of their labels."""
    times = step_times(steps)
    if isinstance(value, Scalar):
        row = value.values.reshape(1, -1)
        value = Vector(LabelSets(1), row, np.ones(row.shape, np.bool_))
    flat, was_cut = _first(Flat.of_vector(_sorted(value), times), limit)
    return _data("matrix", matrix_json(flat)), was_cut


def _sorted(vector: Vector) -> Vector:
    order = label_order(vector.labels)
    if np.array_equal(order, np.arange(len(order))):
        return vector
    return replace(
        vector,
        labels=vector.labels.take(order),
        values=vector.values[order],
        present=vector.present[order],
        histogram=None if vector.histogram is None else vector.histogram[order],
    )


def _first(flat: Flat, limit: int) -> tuple[Flat, bool]:
    """The first series."""
    if not limit or flat.labels.size <= limit:
        return flat, False
    return flat.part(0, limit), True


def _pair(time_ms: int, text: str) -> bytes:
    return f"[{time_text(time_ms)},".encode() + orjson.dumps(text) + b"]"


def _data(kind: str, result: Iterable[bytes]) -> list[bytes]:
    """The parts of the data; the last one is the brace that closes it."""
    return [b'{"resultType":"' + kind.encode() + b'","result":', *result, b"}"]
