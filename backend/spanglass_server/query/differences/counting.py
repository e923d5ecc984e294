"""Values of columns counted in both groups, in columns: each value, that there is one, and where numbers part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_core.differences.ranking import Tally
from spanglass_core.differences.splits import Split, best_split, thresholds
from spanglass_server.query.differences.sampling import MOST_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from spanglass_core.differences.ranking import Group

    Flags = NDArray[np.bool_]
    Counts = NDArray[np.int64]

#: Of each key the most frequent values of either group.
_MOST_VALUES = 20
#: A number with more values than these is parted by a threshold, too.
_FEW_VALUES = 12
#: Thresholds that are tried: so many quantiles of all values.
_QUANTILES = np.linspace(0.02, 0.98, 49)


@dataclass(frozen=True, slots=True)
class Sides:
    """Which rows of a sample are selected, and both groups."""

    is_selected: Flags
    selected: Group
    baseline: Group

    def count(self, rows: NDArray[np.intp]) -> tuple[int, int]:
        """How many of some rows are selected, and how many are not."""
        chosen = int(np.count_nonzero(self.is_selected[rows]))
        return chosen, len(rows) - chosen


def tallies(key: str, column: pa.ChunkedArray, sides: Sides, names: Sequence[str] = ()) -> list[Tally]:
    """Count a column; ``names`` are those of the numbers in it, from 0. Of a list any element counts, once."""
    values, rows = _flat(column)
    encoded = values.dictionary_encode()
    codes, distinct = encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary
    present = rows
    if pa.types.is_list(column.type):
        rows, codes = _once(rows, codes, len(distinct))
        present = np.unique(rows)
    found = [Tally(key, "exists", None, *sides.count(present))] if len(present) < len(column) else []
    chosen = sides.is_selected[rows]
    selected = np.bincount(codes[chosen], minlength=len(distinct))
    baseline = np.bincount(codes[~chosen], minlength=len(distinct))
    for place in _frequent(selected, baseline):
        value = distinct[int(place)].as_py()
        if isinstance(value, str) and len(value) > MOST_CHARACTERS:
            continue
        shown = names[value] if names and value < len(names) else value
        found.append(Tally(key, "=", shown, int(selected[place]), int(baseline[place])))
    is_number = pa.types.is_integer(distinct.type) or pa.types.is_floating(distinct.type)
    if not names and is_number and len(distinct) > _FEW_VALUES:
        numbers = distinct.to_numpy(zero_copy_only=False)[codes].astype(np.float64)
        found = _with_split(key, found, numbers, chosen, sides)
    return found


def _flat(column: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.intp]]:
    """The values of a column that are not null, and the row of each."""
    whole = column.combine_chunks()
    whole = whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
    rows = np.arange(len(whole))
    if pa.types.is_list(whole.type):
        rows, whole = pc.list_parent_indices(whole).to_numpy(), pc.list_flatten(whole)
    valid = whole.is_valid()
    return whole.filter(valid), rows[valid.to_numpy(zero_copy_only=False)]


def _once(rows: NDArray[np.intp], codes: Counts, distinct: int) -> tuple[NDArray[np.intp], Counts]:
    """Each value of a row once."""
    pairs = np.unique(rows.astype(np.int64) * max(distinct, 1) + codes)
    return pairs // max(distinct, 1), pairs % max(distinct, 1)


def _frequent(selected: Counts, baseline: Counts) -> list[int]:
    """The places of the most frequent values of either group, of equal ones the first."""
    most = (np.argsort(-counts, kind="stable")[:_MOST_VALUES].tolist() for counts in (selected, baseline))
    return sorted({place for places in most for place in places})


def _with_split(key: str, found: list[Tally], values: NDArray[np.float64], chosen: Flags, sides: Sides) -> list[Tally]:
    """Part numbers that have many values by a threshold; fractions have no single values worth telling."""
    finite = np.isfinite(values)
    values, chosen = values[finite], chosen[finite]
    if not len(values):
        return found
    one, two = np.sort(values[chosen]), np.sort(values[~chosen])
    splits = [
        Split(value, len(one) - first, first, len(two) - second, second)
        for value in thresholds(np.quantile(values, _QUANTILES, method="lower").tolist())
        for first, second in [(int(np.searchsorted(one, value, "right")), int(np.searchsorted(two, value, "right")))]
    ]
    best = best_split(key, splits, sides.selected, sides.baseline)
    whole = [each for each in found if each.operator != "=" or isinstance(each.value, int)]
    return [*whole, best] if best else whole


def traces_of(trace_ids: pa.ChunkedArray, chosen: Flags) -> int:
    """How many traces some rows are from."""
    return int(pc.count_distinct(trace_ids.filter(pa.array(chosen))).as_py())


def merged(found: Iterable[Tally]) -> list[Tally]:
    """Add up what columns of one key say of the same: that there is one, or equal values of several types."""
    sums: dict[tuple[str, str, Any], Tally] = {}
    for each in found:
        same = each.key, each.operator, str(each.value)
        before = sums.get(same)
        sums[same] = each if before is None else Tally(
            each.key, each.operator, each.value, each.selected + before.selected, each.baseline + before.baseline
        )  # fmt: skip
    return list(sums.values())
