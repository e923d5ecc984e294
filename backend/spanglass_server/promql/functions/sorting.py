"""Functions that sort an instant vector. They do nothing to the series of a range, which are sorted by labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.promql.evaluation.cells import floats, nonempty, take

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_server.promql.functions.invocation import Invocation
    from spanglass_server.promql.series.vectors import Vector

_IN_RANGE = "sort is ineffective for range queries since results are always ordered by labels"
_PART = re.compile(r"[0-9]+|[^0-9]+")


def sort(call: Invocation) -> Vector:
    """By rising value, NaN last; histograms are left out."""
    return _by_value(call, 1)


def sort_desc(call: Invocation) -> Vector:
    """By falling value, NaN last; histograms are left out."""
    return _by_value(call, -1)


def _by_value(call: Invocation, sign: int) -> Vector:
    vector = nonempty(floats(call.vector(0)))
    if vector.values.shape[1] != 1:
        call.query.notes.warn(_IN_RANGE, call.node.position)
        return vector
    return take(vector, np.argsort(sign * vector.values[:, 0], kind="stable"))


def sort_by_label(call: Invocation) -> Vector:
    """By the natural order of labels, ``a2`` before ``a10``; by all labels where these are equal."""
    return _by_label(call, reverse=False)


def sort_by_label_desc(call: Invocation) -> Vector:
    """By the natural order of labels, falling."""
    return _by_label(call, reverse=True)


def _by_label(call: Invocation, *, reverse: bool) -> Vector:
    vector = nonempty(call.vector(0))
    if vector.values.shape[1] != 1:
        call.query.notes.warn(_IN_RANGE, call.node.position)
        return vector
    names = [call.text(place) for place in range(1, call.size)]
    keys = [([_natural(row.get(name, "")) for name in names], list(row.items())) for row in vector.labels.rows()]
    order = sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)
    return take(vector, np.array(order, np.intp))


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = ((part, part.lstrip("0")) for part in _PART.findall(text))
    # by length and then by digits: a label may have more of them than an int is read from
    return [(0, len(number), number) if "0" <= part[0] <= "9" else (1, 0, part) for part, number in parts]


CALLS: dict[str, Callable[[Invocation], Vector]] = {
    "sort": sort,
    "sort_by_label": sort_by_label,
    "sort_by_label_desc": sort_by_label_desc,
    "sort_desc": sort_desc,
}
