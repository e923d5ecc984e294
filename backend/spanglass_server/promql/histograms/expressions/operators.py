"""Binary operators where native histograms are among the operands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.arithmetic import TRIMS
from spanglass_server.promql.histograms.arithmetic import add, divide, equal, multiply, subtract
from spanglass_server.promql.histograms.expressions.placing import Part, placed, rows_of
from spanglass_server.promql.histograms.rows import take
from spanglass_server.promql.histograms.trimming import trimmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.histograms.merging import Merged
    from spanglass_server.promql.parsing.nodes import Binary
    from spanglass_server.promql.series.histograms import Histograms
    from spanglass_server.promql.series.vectors import Vector

    Places = tuple[NDArray[np.intp], ...]

_COMBINED = {"+": (add, "addition"), "-": (subtract, "subtraction")}
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
    cells = np.nonzero(rows_of(vector) >= 0)
    if node.op in TRIMS and vector.present.any():
        _tell_unfit(query, node, "float", "float")
    if not len(cells[0]):
        return []
    if node.op != "*" and (node.op not in _WITH_NUMBER or swapped):
        _tell_unfit(query, node, *(("float", "histogram") if swapped else ("histogram", "float")))
        return []
    return [_scaled(node, vector, cells, number)]


def between(query: Query, node: Binary, left: Vector, right: Vector, floats: Vector) -> Vector:
    """``floats``, what the operator gives of floats, with the cells besides where a side holds a histogram."""
    if node.op in TRIMS and (left.present & right.present).any():
        _tell_unfit(query, node, "float", "float")
    if left.histograms is None and right.histograms is None:
        return floats
    on_left, on_right = rows_of(left) >= 0, rows_of(right) >= 0
    both = np.nonzero(on_left & on_right)
    of_left, of_right = np.nonzero(on_left & right.present), np.nonzero(left.present & on_right)
    if len(of_left[0]) and node.op not in _WITH_NUMBER:
        _tell_unfit(query, node, "histogram", "float")
    if len(of_right[0]) and node.op != "*":
        _tell_unfit(query, node, "float", "histogram")
    if len(both[0]) and node.op in _COMPARED:
        return _compared(node, (left, right), both, floats)
    if len(both[0]) and node.op not in _COMBINED:
        _tell_unfit(query, node, "histogram", "histogram")
    parts = []
    if node.op in _WITH_NUMBER:
        parts.append(_scaled(node, left, of_left, right.values))
    if node.op == "*":
        parts.append(_scaled(node, right, of_right, left.values))
    if node.op in _COMBINED:
        parts.extend(_combined(query, node, (left, right), both))
    return placed(floats, parts)


def _scaled(node: Binary, vector: Vector, cells: Places, number: NDArray[np.float64]) -> Part:
    assert vector.histograms is not None  # noqa: S101
    rows = take(vector.histograms, rows_of(vector)[cells])
    return Part(cells, _WITH_NUMBER[node.op](rows, number[cells]))


def _combined(query: Query, node: Binary, sides: tuple[Vector, Vector], cells: Places) -> Iterator[Part]:
    compute, name = _COMBINED[node.op]
    left, right = _operands(sides, cells)
    found = compute(left, right)
    _tell(query, node, found, name)
    kept = np.flatnonzero(~found.incompatible)
    yield Part(tuple(axis[kept] for axis in cells), take(found.histograms, kept))


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


def _tell(query: Query, node: Binary, found: Merged, name: str) -> None:
    if found.incompatible.any():
        message = f"incompatible bucket layout encountered for binary operator {node.op}"
        query.notes.warn(message, node.position)
    if (found.collision & ~found.incompatible).any():
        query.notes.warn(f"conflicting counter resets during histogram {name}", node.position)
    if (found.reduced & ~found.incompatible).any():
        query.notes.inform(f"mismatched custom buckets were reconciled during {name}", node.position)


def _tell_unfit(query: Query, node: Binary, left: str, right: str) -> None:
    message = f'incompatible sample types encountered for binary operator "{node.op}": {left} {node.op} {right}'
    query.notes.inform(message, node.position)
