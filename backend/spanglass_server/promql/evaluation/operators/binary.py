"""Binary operators: between scalars, between a vector and a scalar, between vectors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.errors import execution_error
from spanglass_server.promql.evaluation.cells import (
    SAME_LABELS,
    concat,
    empty,
    masked,
    merged,
    nonempty,
    occupied,
    take,
    without_name,
)
from spanglass_server.promql.evaluation.operators.arithmetic import ARITHMETIC, SETS, combine
from spanglass_server.promql.evaluation.operators.filling import filled
from spanglass_server.promql.evaluation.operators.matching import check_one, counted, match, present_by_group
from spanglass_server.promql.histograms.expressions.operators import between, computable, with_number
from spanglass_server.promql.histograms.expressions.operators import negated as negated_histograms
from spanglass_server.promql.histograms.expressions.placing import placed
from spanglass_server.promql.series.labels import NAMING, UNNAMED, LabelColumn, LabelSets
from spanglass_server.promql.series.vectors import Scalar, Value, Vector

if TYPE_CHECKING:
    from spanglass_server.promql.evaluation.query import Query
    from spanglass_server.promql.parsing.nodes import Binary, Matching

_AMBIGUOUS = "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
_AMBIGUOUS_GROUP = "multiple matches for labels: grouping labels must ensure unique matches"


def binary(query: Query, node: Binary, left: Value, right: Value) -> Value:
    """The value of an operator between two values."""
    match left, right:
        case Scalar(values=first), Scalar(values=second):
            return Scalar(combine(node.op, first, second, is_bool=True)[0])
        case Vector(), Scalar():
            return _with_scalar(query, node, left, right, swapped=False)
        case Scalar(), Vector():
            return _with_scalar(query, node, right, left, swapped=True)
        case Vector(), Vector() if node.op in SETS:
            return _SET_OPERATORS[node.op](left, right, node.matching)
        case Vector(), Vector():
            return _between_vectors(query, node, left, right)
        case _:
            raise execution_error(f"operator {node.op!r} not defined for these operands")


def _with_scalar(query: Query, node: Binary, vector: Vector, scalar: Scalar, *, swapped: bool) -> Vector:
    number = np.broadcast_to(scalar.values, vector.values.shape)
    first, second = (number, vector.values) if swapped else (vector.values, number)
    values, kept = combine(node.op, first, second, is_bool=node.is_bool)
    # A comparison that filters gives the vector's values, whichever side it stands on.
    result = replace(vector, values=values if kept is None else vector.values, histogram=None, histograms=None)
    result = result if kept is None else masked(result, kept)
    result = placed(result, with_number(query, node, vector, number, swapped=swapped))
    return without_name(result) if node.is_bool or node.op in ARITHMETIC else result


def _between_vectors(query: Query, node: Binary, left: Vector, right: Vector) -> Vector:
    matching = node.matching
    many, one = (right, left) if matching.many == "right" else (left, right)
    steps = left.values.shape[1]
    groups = match(many.labels, one.labels, matching)
    is_filled = matching.fill_left is not None or matching.fill_right is not None
    asked = np.ones(steps, np.bool_) if is_filled else np.asarray(occupied(many).any(axis=0))
    check_one(one, groups.right, asked, matching)
    if is_filled:
        many, one, groups = filled(node, many, one, groups)
    many_rows, one_rows = groups.pairs()
    if not len(many_rows):
        return empty(steps)
    many_side, one_side = take(many, many_rows), take(one, one_rows)
    first, second = (one_side, many_side) if matching.many == "right" else (many_side, one_side)
    values, kept = combine(node.op, first.values, second.values, is_bool=node.is_bool)
    present = first.present & second.present
    if kept is not None:
        present &= kept
    labels = _result_labels(node, many_side.labels, one_side.labels)
    paired, alike = computable(node.op, first, second), groups.left[many_rows]
    if matching.many:
        # Series of one match must differ in what is left of their labels, whether a comparison keeps them or not.
        alike = np.unique(np.stack([alike, labels.groups().of]), axis=1, return_inverse=True)[1].reshape(-1)
    if (counted(paired, alike, int(alike.max()) + 1) > 1).any():
        raise execution_error(_AMBIGUOUS_GROUP if matching.many else _AMBIGUOUS)
    result = between(query, node, first, second, Vector(labels, values, present))
    return merged(nonempty(result), _AMBIGUOUS_GROUP if matching.many else SAME_LABELS)


def _result_labels(node: Binary, many: LabelSets, one: LabelSets) -> LabelSets:
    matching = node.matching
    if node.op in ARITHMETIC:
        many = many.drop(NAMING)
    labels = many.replace({UNNAMED: LabelColumn.constant("1", many.size)}) if node.is_bool else many
    if not matching.many:
        labels = labels.keep(matching.labels) if matching.on else labels.drop(matching.labels)
    return labels.replace({name: one.column(name) for name in matching.include})


def _and(left: Vector, right: Vector, matching: Matching) -> Vector:
    groups = match(left.labels, right.labels, matching)
    return masked(left, present_by_group(right, groups.right, groups.size)[groups.left] > 0)


def _unless(left: Vector, right: Vector, matching: Matching) -> Vector:
    groups = match(left.labels, right.labels, matching)
    return masked(left, present_by_group(right, groups.right, groups.size)[groups.left] == 0)


def _or(left: Vector, right: Vector, matching: Matching) -> Vector:
    if not left.labels.size or not right.labels.size:
        return merged(nonempty(left if left.labels.size else right))
    groups = match(left.labels, right.labels, matching)
    right = masked(right, present_by_group(left, groups.left, groups.size)[groups.right] == 0)
    return merged(concat(nonempty(left), nonempty(right)))


_SET_OPERATORS = {"and": _and, "or": _or, "unless": _unless}


def negated(vector: Vector) -> Vector:
    """The unary minus."""
    return without_name(replace(negated_histograms(vector), values=-vector.values))
