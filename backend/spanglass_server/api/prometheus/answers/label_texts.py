"""Label sets as JSON, a column a label; and the order in which Prometheus gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.api.prometheus.answers.numbers import TEXT, join

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spanglass_server.promql.series.labels import LabelColumn, LabelSets


#: So many series or fewer are written one by one: Arrow's calls cost 10 us each, however few texts there are.
FEW = 32


def label_texts(labels: LabelSets) -> pa.LargeStringArray:
    """Write each label set as a JSON object, its names sorted; each label's text is made once for each value."""
    if labels.size <= FEW:
        return pa.array([orjson.dumps(row).decode() for row in labels.rows()], TEXT)
    pairs = [_pairs(name, column) for name, column in sorted(labels.columns.items())]
    if not pairs:
        return pa.repeat(pa.scalar("{}", TEXT), labels.size)
    # not joined by commas with nulls skipped: findings/pyarrow-join-drops-null-rows.sh
    return join(("{", pc.utf8_slice_codeunits(join(pairs), 1), "}"))


def _pairs(name: str, column: LabelColumn) -> pa.LargeStringArray:
    """``,"name":"value"`` for each series; nothing where it has no such label."""
    used, places = np.unique(column.codes, return_inverse=True)
    before = f",{orjson.dumps(name).decode()}:"
    values = [column.values[code] for code in used.tolist()]
    texts = pa.array([before + orjson.dumps(value).decode() if value else "" for value in values], TEXT)
    return texts.take(pa.array(places.reshape(-1)))


def label_order(labels: LabelSets) -> NDArray[np.intp]:
    """The series' places in the order of their label sets: by the first pair of name and value that differs.

    A set that lacks a name comes after those that have it if it has a later one, and before them if it has not.
    """
    keys = []
    has_later = np.zeros(labels.size, np.bool_)
    for _, column in sorted(labels.columns.items(), reverse=True):
        ranks = _ranks(column.values)[column.codes]
        absent = column.codes == 0
        ranks[absent & has_later] = len(column.values)
        keys.append(ranks)
        has_later |= ~absent
    if not keys:
        return np.arange(labels.size)
    order: NDArray[np.intp] = np.lexsort(keys)
    return order


def _ranks(values: tuple[str, ...]) -> NDArray[np.int64]:
    """The place of each value in their order; 0 is "", no value."""
    ranks = np.empty(len(values), np.int64)
    ranks[sorted(range(len(values)), key=values.__getitem__)] = np.arange(len(values))
    return ranks
