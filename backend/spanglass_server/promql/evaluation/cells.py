"""What is done with vectors whatever their cells hold: choosing, joining, repeating, removing names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.histograms.expressions.placing import joined
from spanglass_server.promql.series.labels import NAME, NAMING, UNNAMED, LabelColumn, LabelSets
from spanglass_server.promql.series.vectors import Scalar, Text, Value, Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_LABELS = "vector cannot contain metrics with the same labelset"


def empty(size: int) -> Vector:
    """No series, at ``size`` steps."""
    return Vector(LabelSets(0), np.empty((0, size)), np.empty((0, size), np.bool_))


def occupied(vector: Vector) -> NDArray[np.bool_]:
    """Where there is a float or a histogram."""
    return vector.present if vector.histogram is None else vector.present | (vector.histogram >= 0)


def take(vector: Vector, rows: NDArray[np.intp]) -> Vector:
    """Chosen series."""
    chosen = None if vector.histogram is None else vector.histogram[rows]
    return Vector(vector.labels.take(rows), vector.values[rows], vector.present[rows], chosen, vector.histograms)


def masked(vector: Vector, kept: NDArray[np.bool_]) -> Vector:
    """Only the cells that are kept."""
    histogram = None if vector.histogram is None else np.where(kept, vector.histogram, -1)
    return replace(vector, present=vector.present & kept, histogram=histogram)


def concat(first: Vector, second: Vector) -> Vector:
    """The series of two vectors, one after another."""
    labels = LabelSets.concat([first.labels, second.labels])
    values, present = np.concatenate([first.values, second.values]), np.concatenate([first.present, second.present])
    return Vector(labels, values, present, *joined(first, second))


def floats(vector: Vector) -> Vector:
    """Only the cells with floats."""
    return replace(vector, histogram=None, histograms=None)


def nonempty(vector: Vector) -> Vector:
    """Only the series that are somewhere."""
    somewhere = occupied(vector).any(axis=1)
    return vector if somewhere.all() else take(vector, np.flatnonzero(somewhere))


def repeat(value: Value, size: int) -> Value:
    """What was evaluated at one step, at ``size`` steps."""
    match value:
        case Text():
            return value
        case Scalar(values=values):
            return Scalar(np.repeat(values, size))
        case Vector(histogram=histogram):
            return replace(
                value,
                values=np.repeat(value.values, size, axis=1),
                present=np.repeat(value.present, size, axis=1),
                histogram=None if histogram is None else np.repeat(histogram, size, axis=1),
            )


def without_name(vector: Vector) -> Vector:
    """The vector with metric names that go at the end."""
    if NAME not in vector.labels.columns:
        return vector
    return replace(vector, labels=vector.labels.replace({UNNAMED: LabelColumn.constant("1", vector.labels.size)}))


def finally_named(vector: Vector) -> Vector:
    """The vector of a whole expression; raises ``PromqlError`` if label sets become equal at a step."""
    if UNNAMED not in vector.labels.columns:
        return vector
    return merged(replace(vector, labels=final_labels(vector.labels)))


def final_labels(labels: LabelSets) -> LabelSets:
    """The labels without the names that were to go."""
    names, gone = labels.column(NAME), labels.column(UNNAMED).codes > 0
    named = LabelColumn(np.where(gone, 0, names.codes).astype(np.int32), names.values)
    labels = labels.drop(NAMING)
    return labels.replace({NAME: named}) if named.codes.any() else labels


def merged(vector: Vector, message: str = SAME_LABELS) -> Vector:
    """Series with equal label sets become one; raises ``PromqlError`` where two of them are at the same step."""
    groups = vector.labels.groups()
    if groups.size == vector.labels.size:
        return vector
    cells = occupied(vector)
    rows, columns = np.nonzero(cells)
    target = groups.of[rows]
    if len(rows) and np.bincount(target * cells.shape[1] + columns).max() > 1:
        raise execution_error(message)
    shape = (groups.size, cells.shape[1])
    values, present = np.zeros(shape), np.zeros(shape, np.bool_)
    values[target, columns] = vector.values[rows, columns]
    present[target, columns] = vector.present[rows, columns]
    histogram = None
    if vector.histogram is not None:
        histogram = np.full(shape, -1, np.int64)
        histogram[target, columns] = vector.histogram[rows, columns]
    return Vector(vector.labels.take(groups.first), values, present, histogram, vector.histograms)
