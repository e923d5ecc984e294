"""Binary operators where native histograms are among the operands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.operators.arithmetic import TRIMS
from spanglass_server.promql.histograms.arithmetic import add, divide, equal, multiply, subtract
from spanglass_server.promql.histograms.expressions.placing import Part, placed, rows_of
from spanglass_server.promql.histograms.expressions.troubles import Trouble, tell
from spanglass_server.promql.histograms.rows import take
from spanglass_server.promql.histograms.trimming import trimmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.parsing.nodes import Binary
    from spanglass_server.promql.series.histograms import Histograms
    from spanglass_server.promql.series.vectors import Vector

    Places = tuple[NDArray[np.intp], ...]

_COMBINED = {"+": add, "-": subtract}
_COMPARED = ("==", "!=")
_WITH_NUMBER: dict[str, Callable[[Histograms, NDArray[np.float64]], Histograms]] = {
    "*": multiply,
    "/": divide,
    "</": lambda histograms, limit: trimmed(histograms, limit, is_upper=True),
    ">/": lambda histograms, limit: trimmed(histograms, limit, is_upper=False),
}


def negated(vector: Vector) -> Vector:
    """The vector with its histograms times -1; floats stay as they are."""
    if vector.histograms is None:
        return vector
    return replace(vector, histograms=multiply(vector.histograms, np.full(len(vector.histograms), -1.0)))


def with_number(
    query: Query, node: Binary, vector: Vector, number: NDArray[np.float64], *, swapped: bool
) -> list[Part]:
    """The histograms of ``vector`` times or by a number at each cell; gone with an info for all other operators."""
    on_vector = rows_of(vector) >= 0
    troubles = np.zeros(on_vector.shape, np.int8)
    if node.op in TRIMS:
        troubles[vector.present] = Trouble.FLOATS
    parts = []
    if node.op != "*" and (node.op not in _WITH_NUMBER or swapped):
        troubles[on_vector] = Trouble.FLOAT_HISTOGRAM if swapped else Trouble.HISTOGRAM_FLOAT
    elif on_vector.any():
        parts.append(_scaled(node, vector, np.nonzero(on_vector), number))
    tell(query, node, troubles)
    return parts


def computable(op: str, left: Vector, right: Vector) -> NDArray[np.bool_]:
    """Where an operator has a value of what two cells hold, kept or not."""
    floats = left.present & right.present & (op not in TRIMS)
    if left.histograms is None and right.histograms is None:
        return np.asarray(floats)
    on_left, on_right = rows_of(left) >= 0, rows_of(right) >= 0
    mixed = (on_left & right.present & (op in _WITH_NUMBER)) | (left.present & on_right & (op == "*"))
    return np.asarray(floats | mixed | (on_left & on_right & (op in _COMBINED or op in _COMPARED)))


def between(query: Query, node: Binary, left: Vector, right: Vector, floats: Vector) -> Vector:
    """``floats``, what the operator gives of floats, with the cells besides where a side holds a histogram."""
    troubles = np.zeros(floats.values.shape, np.int8)
    if node.op in TRIMS:
        troubles[left.present & right.present] = Trouble.FLOATS
    if left.histograms is not None or right.histograms is not None:
        floats = _with_histograms(node, (left, right), floats, troubles)
    tell(query, node, troubles)
    return floats


def _with_histograms(node: Binary, sides: tuple[Vector, Vector], floats: Vector, troubles: NDArray[np.int8]) -> Vector:
    left, right = sides
    on_left, on_right = rows_of(left) >= 0, rows_of(right) >= 0
    both = np.nonzero(on_left & on_right)
    of_left, of_right = np.nonzero(on_left & right.present), np.nonzero(left.present & on_right)
    parts = []
    if node.op not in _WITH_NUMBER:
        troubles[of_left] = Trouble.HISTOGRAM_FLOAT
    elif len(of_left[0]):
        parts.append(_scaled(node, left, of_left, right.values))
    if node.op != "*":
        troubles[of_right] = Trouble.FLOAT_HISTOGRAM
    elif len(of_right[0]):
        parts.append(_scaled(node, right, of_right, left.values))
    if node.op not in _COMPARED and node.op not in _COMBINED:
        troubles[both] = Trouble.HISTOGRAMS
    elif len(both[0]) and node.op in _COMPARED:
        return _compared(node, sides, both, floats)
    elif len(both[0]):
        parts.append(_combined(node, sides, both, troubles))
    return placed(floats, parts)


def _scaled(node: Binary, vector: Vector, cells: Places, number: NDArray[np.float64]) -> Part:
    assert vector.histograms is not None  # noqa: S101
    rows = take(vector.histograms, rows_of(vector)[cells])
    return Part(cells, _WITH_NUMBER[node.op](rows, number[cells]))


def _combined(node: Binary, sides: tuple[Vector, Vector], cells: Places, troubles: NDArray[np.int8]) -> Part:
    """Sums or differences; as in Prometheus there is none where a reset is said on one side and denied on the other."""
    left, right = _operands(sides, cells)
    found = _COMBINED[node.op](left, right)
    troubles[cells] = np.select(
        [found.incompatible, found.collision, found.reduced], [Trouble.LAYOUTS, Trouble.RESETS, Trouble.BOUNDS], 0
    )
    kept = np.flatnonzero(~found.incompatible & ~found.collision)
    return Part(tuple(axis[kept] for axis in cells), take(found.histograms, kept))


def _compared(node: Binary, sides: tuple[Vector, Vector], cells: Places, floats: Vector) -> Vector:
    left, right = _operands(sides, cells)
    holds = equal(left, right) == (node.op == "==")
    if not node.is_bool:
        kept = np.flatnonzero(holds)
        return placed(floats, [Part(tuple(axis[kept] for axis in cells), take(left, kept))])
    values, present = floats.values.copy(), floats.present.copy()
    values[cells], present[cells] = holds, True
    return replace(floats, values=values, present=present)


def _operands(sides: tuple[Vector, Vector], cells: Places) -> Iterator[Histograms]:
    for side in sides:
        assert side.histograms is not None  # noqa: S101
        yield take(side.histograms, rows_of(side)[cells])
