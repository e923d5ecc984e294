"""Thinned points answer for whole steps what all points answer."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from spanglass_server.rollups.making import thin
from spanglass_server.signals import FIXED_COLUMNS, ROLLUPS

STEP_NS = 300 * 10**9
TYPES = {
    "VARCHAR": pa.string(),
    "UTINYINT": pa.uint8(),
    "BOOLEAN": pa.bool_(),
    "BIGINT": pa.int64(),
    "UINTEGER": pa.uint32(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "UBIGINT": pa.uint64(),
}
TYPES |= {f"{name}[]": pa.list_(kind) for name, kind in TYPES.items()}
GAUGE = {"metric_name": "g", "metric_type": "gauge"}
COUNTER = {"metric_name": "c", "metric_type": "sum", "temporality": 2, "is_monotonic": True, "start_time_ns": 1}
DELTA = {"metric_name": "d", "metric_type": "sum", "temporality": 1, "is_monotonic": True}
HISTOGRAM = {"metric_name": "h", "metric_type": "histogram", "start_time_ns": 1}


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows with the fixed columns, sorted; ``series`` and ``layout`` are 0 unless given."""
    rows = sorted(({"series": 0, "layout": 0} | row for row in rows), key=lambda row: (row["series"], row["time_ns"]))
    own = {"sample_count", "sample_sum"}
    columns = {name: TYPES[kind] for name, kind in FIXED_COLUMNS[ROLLUPS[0]].items() if name not in own}
    columns |= {"series": pa.uint64(), "layout": pa.uint64()}
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in columns.items()})


def points(values: list[float], every_s: int, **fields: Any) -> list[dict[str, Any]]:
    """A series with a value every so many seconds, the first right after time 0."""
    return [fields | {"time_ns": (i + 1) * every_s * 10**9, "value_double": v} for i, v in enumerate(values)]


def increase(values: list[float]) -> float:
    """What a counter counted, from its resets on anew."""
    return sum(b - a if b >= a else b for a, b in itertools.pairwise(values))


def by_step(thinned: pa.Table) -> dict[int, list[dict[str, Any]]]:
    """The kept rows of each step."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in thinned.sort_by("time_ns").to_pylist():
        found.setdefault((row["time_ns"] - 10**6) // STEP_NS, []).append(row)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_a_gauge_keeps_first_last_extremes_count_and_sum_of_each_step(seed):
    """Whatever its values are, NaN among them, at most four points of twenty stay."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=200).tolist()
    values[17] = float("nan")
    for step, rows in by_step(thin(table(points(values, 15, **GAUGE)), STEP_NS)).items():
        raw = values[step * 20 : step * 20 + 20]
        assert len(rows) <= 4
        kept = [row["value_double"] for row in rows]
        np.testing.assert_equal([kept[0], kept[-1]], [raw[0], raw[-1]])
        assert (min(kept), max(kept)) == (np.nanmin(raw), np.nanmax(raw))
        assert sum(row["sample_count"] for row in rows) == len(raw)
        np.testing.assert_allclose(sum(row["sample_sum"] for row in rows), sum(raw), rtol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_a_counter_counts_the_same_with_and_without_the_points_left_out(seed):
    """Increases over whole steps are equal, across resets too, and each step keeps few points."""
    rng = np.random.default_rng(seed)
    raw = np.cumsum(rng.integers(0, 5, 200)).astype(float)
    raw[60:] -= raw[60] - 1
    raw[130:] -= raw[130]
    rows = by_step(thin(table(points(raw.tolist(), 15, **COUNTER)), STEP_NS))
    assert all(len(kept) <= 4 for kept in rows.values())
    for first in range(10):
        for last in range(first, 10):
            kept = [row["value_double"] for step in range(first, last + 1) for row in rows[step]]
            assert increase(kept) == increase(raw[first * 20 : last * 20 + 20].tolist())


def test_another_process_is_seen_at_the_points_on_both_sides():
    """A counter that goes on higher under a new start time was reset all the same; a start that wavers was not."""
    rows = points([1, 2, 3, 50, 51, 52], 15, **COUNTER)
    for row in rows[3:]:
        row["start_time_ns"] = 40 * 10**9
    assert [r["value_double"] for r in thin(table(rows), STEP_NS).to_pylist()] == [1, 3, 50, 52]
    for row in rows[3:]:
        row["start_time_ns"] = 10**9
    assert [r["value_double"] for r in thin(table(rows), STEP_NS).to_pylist()] == [1, 52]


def test_a_bucket_that_falls_is_a_reset():
    """Though the count of the histogram did not fall."""
    counts = [[1, 1], [2, 2], [3, 3], [6, 2], [7, 3]]
    rows = [
        HISTOGRAM | {"temporality": 2, "time_ns": (i + 1) * 10**9, "count": sum(c), "sum": 1.0 * i, "bucket_counts": c}
        for i, c in enumerate(counts)
    ]
    kept = thin(table(rows), STEP_NS).to_pylist()
    assert [row["bucket_counts"] for row in kept] == [[1, 1], [3, 3], [6, 2], [7, 3]]
    assert [row["sample_count"] for row in kept] == [1, 2, 1, 1]
    assert {row["sample_sum"] for row in kept} == {None}


def test_series_are_thinned_each_by_itself():
    """Neither values nor steps of one are mixed with another's."""
    rows = points([1, 2, 3], 15, series=1, **GAUGE) + points([9, 8, 7], 15, series=2, **GAUGE)
    kept = [(row["series"], row["value_double"]) for row in thin(table(rows), STEP_NS).to_pylist()]
    assert kept == [(1, 1), (1, 3), (2, 9), (2, 7)]


def test_a_marker_stays_where_it_ends_a_step():
    """A series that ended stays ended; one that came back is told by its points."""
    marker = GAUGE | {"flags": 1, "value_double": None}
    ended = [*points([1, 2, 3], 15, **GAUGE), marker | {"time_ns": 60 * 10**9}]
    back = [marker | {"time_ns": 20 * 10**9}, *points([1, 2, 3], 15, **GAUGE)]
    last = thin(table(ended), STEP_NS).sort_by("time_ns").to_pylist()[-1]
    assert (last["flags"], last["sample_count"], last["value_double"]) == (1, 0, None)
    assert [row["flags"] for row in thin(table(back), STEP_NS).to_pylist()] == [None, None]


def test_deltas_of_a_step_are_added():
    """Integers stay integers; copies count once; a marker is no delta."""
    rows = [
        DELTA | {"start_time_ns": (i + 1) * 10**9, "time_ns": (i + 2) * 10**9, "value_int": 2**53 + 1} for i in range(3)
    ]
    (row,) = thin(table([*rows, rows[1], DELTA | {"time_ns": 2 * 10**9, "flags": 1}]), STEP_NS).to_pylist()
    assert (row["value_int"], row["value_double"]) == (3 * (2**53 + 1), None)
    assert (row["start_time_ns"], row["time_ns"], row["sample_count"]) == (10**9, 4 * 10**9, 3)


def test_delta_histograms_with_equal_bounds_are_added_bucket_by_bucket():
    """Counts, sums and extremes too; where bounds differ within a step all points stay."""
    rows = [
        HISTOGRAM
        | {
            "temporality": 1,
            "time_ns": (i + 1) * 10**9,
            "count": 3,
            "sum": 1.5,
            "min": 0.1 * (i + 1),
            "max": 2.0 + i,
            "bucket_counts": [1, 0, 2],
            "explicit_bounds": [1.0, 2.0],
        }
        for i in range(4)
    ]
    (row,) = thin(table(rows), STEP_NS).to_pylist()
    assert (row["count"], row["sum"], row["min"], row["max"], row["bucket_counts"]) == (12, 6.0, 0.1, 5.0, [4, 0, 8])
    rows[2] |= {"layout": 7}
    assert thin(table(rows), STEP_NS).num_rows == 4


def test_exponential_deltas_are_added_at_the_coarsest_scale():
    """Buckets of scale 1 fall together by twos at scale 0; an absent side stays absent."""
    fine = {"scale": 1, "zero_count": 1, "zero_threshold": 0.0, "positive_offset": -1, "positive_counts": [1, 2, 3]}
    coarse = {"scale": 0, "zero_count": 2, "zero_threshold": 0.5, "positive_offset": 1, "positive_counts": [10]}
    base = {"metric_name": "e", "metric_type": "exponential_histogram", "temporality": 1}
    rows = [
        base | fine | {"time_ns": 10**9, "count": 7, "sum": 1.0},
        base | coarse | {"time_ns": 2 * 10**9, "count": 12, "sum": 2.0},
    ]
    (row,) = thin(table(rows), STEP_NS).to_pylist()
    # indices -1, 0, 1 of scale 1 are -1, 0, 0 of scale 0
    assert (row["scale"], row["positive_offset"], row["positive_counts"]) == (0, -1, [1, 5, 10])
    assert (row["count"], row["zero_count"], row["zero_threshold"]) == (19, 3, 0.5)
    assert (row["negative_offset"], row["negative_counts"]) == (None, None)
