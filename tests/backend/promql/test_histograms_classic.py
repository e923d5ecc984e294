"""Classic histograms: buckets by ``le``, quantiles and fractions, worked out by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from promql_cases import histograms

from spanglass_server.promql.histograms.classics import values as classic_values
from spanglass_server.promql.histograms.classics.buckets import Cells, cells, classic
from spanglass_server.promql.histograms.json_form import json_forms
from spanglass_server.promql.series.labels import LabelSets
from spanglass_server.promql.series.vectors import Vector

if TYPE_CHECKING:
    from collections.abc import Mapping

NAN, INF = math.nan, math.inf
LATENCY = {0.1: 2, 0.5: 6, 1: 8, INF: 10}
BELOW_ZERO = {-1: 2, 0: 4, 1: 8, INF: 8}

QUANTILES: list[tuple[Mapping[float, float], float, float]] = [
    (LATENCY, 0.1, 0.05),
    (LATENCY, 0.2, 0.1),
    (LATENCY, 0.4, 0.3),
    (LATENCY, 0.8, 1),
    (LATENCY, 0.9, 1),
    (LATENCY, 1, 1),
    (LATENCY, 0, 0),
    (LATENCY, -1, -INF),
    (LATENCY, 2, INF),
    (LATENCY, NAN, NAN),
    (BELOW_ZERO, 0.1, -1),
    (BELOW_ZERO, 0.375, -0.5),
    (BELOW_ZERO, 0.75, 0.5),
    ({0: 4, 1: 8, INF: 8}, 0.25, 0),
    ({0.1: 1, 1: 2}, 0.5, NAN),
    ({0.1: 1, 1: 2}, 2, INF),
    ({INF: 2}, 0.5, NAN),
    ({1: 0, INF: 0}, 0.5, NAN),
    ({1: NAN, 2: 4, INF: 4}, 0.5, NAN),
    # Counts that go down stay up: as if {1: 4, 2: 4, 4: 8}.
    ({1: 4, 2: 3, 4: 8, INF: 8}, 0.75, 3),
    # The rise of the last count is rounding: the quantile is in the bucket before.
    ({1: 500, 2: 1000, INF: 1000 * (1 + 1e-13)}, 1, 2),
    ({1: 500, 2: 1000, 4: 1000 * (1 - 1e-13), INF: 1000}, 1, 2),
    ({1: 500, 2: 1000, 4: 1000 * (1 + 1e-11), INF: 1000 * (1 + 1e-11)}, 1, 4),
]
FORCED = [False] * (len(QUANTILES) - 4) + [True, False, False, False]

FRACTIONS: list[tuple[Mapping[float, float], float, float, float]] = [
    (LATENCY, -INF, INF, 1),
    (LATENCY, 0, 0.1, 0.2),
    (LATENCY, 0.05, 0.3, 0.3),
    (LATENCY, 0.5, 100, 0.2),
    (LATENCY, 1, INF, 0.2),
    (LATENCY, 1, 1, 0),
    (LATENCY, 1, NAN, NAN),
    (BELOW_ZERO, -INF, -5, 0.25),
    (BELOW_ZERO, -0.5, 0.5, 0.375),
    ({1: 2}, 0, 1, NAN),
    ({1: 0, INF: 0}, 0, 1, NAN),
]


def one(buckets: Mapping[float, float]) -> Cells:
    """A histogram at one step."""
    bounds, counts = np.array(list(buckets), float), np.array([list(buckets.values())], float)
    return Cells(bounds, counts, np.zeros(1, np.intp), np.zeros(1, np.intp))


def test_quantiles_of_classic_histograms() -> None:
    """Edges, buckets below zero, counts that go down, differences that are rounding."""
    found = [classic_values.quantile(one(case[0]), np.array([case[1]])) for case in QUANTILES]
    assert [values[0] for values, _ in found] == pytest.approx([case[2] for case in QUANTILES], nan_ok=True)
    assert [bool(forced.is_forced[0]) for _, forced in found] == FORCED
    forced = next(forced for _, forced in found if forced.is_forced.any())
    assert (forced.lowest, forced.highest, forced.most) == (2, 2, 1)


def test_fractions_of_classic_histograms() -> None:
    """The inverse of quantiles; a limit in the last bucket counts as its lower bound."""
    found = [classic_values.fraction(one(case[0]), *np.array([case[1:3]]).T)[0] for case in FRACTIONS]
    assert found == pytest.approx([case[3] for case in FRACTIONS], nan_ok=True)


def vector(*series: tuple[str, str, list[float | None]]) -> Vector:
    """Series by job and bound, with values at each step."""
    values = np.array([[NAN if value is None else value for value in row[2]] for row in series], float)
    present = np.array([[value is not None for value in row[2]] for row in series])
    return Vector(
        LabelSets.of([{"__name__": "x_bucket", "job": row[0], "le": row[1]} for row in series]), values, present
    )


def as_read(whole: Vector) -> dict[tuple[str, int], Any]:
    """What buckets each job has at each step."""
    buckets = classic(whole)
    jobs = whole.labels.column("job").texts()
    return {
        (jobs[buckets.histograms.first[histogram]], step): dict(zip(part.bounds.tolist(), row, strict=True))
        for part in cells(whole, buckets)
        for histogram, step, row in zip(part.histogram.tolist(), part.step.tolist(), part.counts.tolist(), strict=True)
    }


def test_buckets_are_found_by_their_bound() -> None:
    """In any order, however the bound is written; those absent at a step are not there; equal bounds are added."""
    whole = vector(
        ("a", "+Inf", [9, 10]),
        ("b", "2.0", [1, None]),
        ("a", "1", [3, 4]),
        ("b", "Inf", [5, 6]),
        ("a", "5e-1", [1, 2]),
        ("b", "2", [2, None]),
    )
    assert as_read(whole) == {
        ("a", 0): {0.5: 1, 1: 3, INF: 9},
        ("a", 1): {0.5: 2, 1: 4, INF: 10},
        ("b", 0): {2: 3, INF: 5},
        ("b", 1): {INF: 6},
    }


def test_series_without_a_bound_are_told() -> None:
    """They belong to no histogram; series that are nowhere present are not told."""
    whole = vector(
        ("a", "x", [1]), ("a", "", [1]), ("a", " 1", [1]), ("a", "1_0", [1]), ("a", "NaN", [1]), ("a", "y", [None])
    )
    assert classic(whole).bad == ("", "x", " 1", "1_0", "NaN")
    assert as_read(whole) == {}


def test_histograms_in_json_have_filled_buckets_with_the_rule_of_their_bounds() -> None:
    """(] above zero, [) below, [] for the zero bucket and the first custom one."""
    rows = [
        "{{count:6 sum:1.5 z_bucket:2 z_bucket_w:0.5 n_buckets:[1] n_offset:1 buckets:[1 0 2] offset:1}}",
        "{{schema:-53 count:3 sum:4 custom_values:[1 2] buckets:[1 0 2]}}",
        "{{}}",
    ]
    assert json_forms(histograms(*rows), lambda value: f"{value:g}") == [
        {
            "count": "6",
            "sum": "1.5",
            "buckets": [[1, "-2", "-1", "1"], [3, "-0.5", "0.5", "2"], [0, "1", "2", "1"], [0, "4", "8", "2"]],
        },
        {"count": "3", "sum": "4", "buckets": [[3, "-inf", "1", "1"], [0, "2", "inf", "2"]]},
        {"count": "0", "sum": "0"},
    ]
