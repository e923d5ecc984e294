"""Quantiles and extremes of histograms: every estimate is a value that was possible."""

from __future__ import annotations

import math
import random

import pytest
from metric_tables import CUMULATIVE, DELTA, ask, exponential_row, histogram, point, values

QUANTILES = (0.0, 0.1, 0.5, 0.9, 1.0)


def estimates(session):
    """Return every estimate of the first step: quantiles, minimum and maximum."""
    asked = [("quantile", {"q": q}) for q in QUANTILES] + [("min", {}), ("max", {})]
    return [ask(session, aggregate, **options)[0][()][0] for aggregate, options in asked]


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE])
@pytest.mark.parametrize(
    ("counts", "low", "high", "expected"),
    [
        ((0, 2, 0, 0), 1.5, 1.5, [1.5] * 7),
        ((4, 0, 0, 0), 0.5, 0.9, [0.5, 0.54, 0.7, 0.86, 0.9, 0.5, 0.9]),
        ((0, 0, 0, 4), 10.0, 20.0, [10.0, 11.0, 15.0, 19.0, 20.0, 10.0, 20.0]),
        ((4, 0, 0, 0), -9.0, -1.0, [-9.0, -8.2, -5.0, -1.8, -1.0, -9.0, -1.0]),
        ((0, 4, 0, 0), None, 1.5, [1.0, 1.05, 1.25, 1.45, 1.5, 1.0, 1.5]),
        ((0, 4, 0, 0), 1.5, None, [1.5, 1.55, 1.75, 1.95, 2.0, 1.5, 2.0]),
        ((0, 4, 0, 0), 7.0, 8.0, [7.0] * 6 + [8.0]),
        ((0, 4, 0, 0), math.inf, -math.inf, [1.0, 1.1, 1.5, 1.9, 2.0, 1.0, 2.0]),
    ],
    ids=["one-value", "first", "past-the-last", "negative", "only-max", "only-min", "outside", "not-finite"],
)
def test_estimates_stay_within_minimum_and_maximum(open_tables, temporality, counts, low, high, expected):
    """The first bucket begins at the minimum, the last ends at the maximum, no bucket reaches past them."""
    session = open_tables(metrics=[histogram(60, counts, 1.0, temporality=temporality, min=low, max=high)])
    found = estimates(session)
    assert found[:5] == pytest.approx(expected[:5])
    if temporality == DELTA or low != 7.0:
        assert found[5:] == pytest.approx(expected[5:])


@pytest.mark.parametrize("temporality", [DELTA, CUMULATIVE])
def test_estimates_of_exponential_histograms_stay_within_minimum_and_maximum(open_tables, temporality):
    """(2, 4] holds values between 2.5 and 3, and nothing else."""
    row = exponential_row(60, (4,), offset=1, temporality=temporality, min=2.5, max=3.0)
    found = estimates(open_tables(metrics=[row]))
    assert found == pytest.approx([2.5 * 1.2**q for q in QUANTILES] + [2.5, 3.0])


@pytest.mark.parametrize(
    ("sides", "least", "greatest"),
    [
        ({"positive_counts": [2]}, 0.0, 2.0),
        ({"negative_counts": [2]}, -2.0, 0.0),
        ({"positive_counts": [2], "negative_counts": [0]}, 0.0, 2.0),
        ({"positive_counts": [1], "negative_counts": [1]}, -2.0, 2.0),
        ({}, -0.5, 0.5),
        ({"positive_counts": [2], "min": 0.25}, 0.25, 2.0),
    ],
    ids=["positive", "negative", "empty", "both", "none", "min"],
)
def test_the_zero_bucket_is_as_one_sided_as_the_data(open_tables, sides, least, greatest):
    """Values up to the zero threshold are on the side where the others are."""
    row = point("exponential_histogram", 60, start_s=0, temporality=DELTA, scale=0, zero_count=2, zero_threshold=0.5)
    counted = sum(sum(sides.get(f"{side}_counts", ())) for side in ("positive", "negative"))
    session = open_tables(metrics=[row | sides | {"count": 2 + counted}])
    assert (values(session, "quantile", q=0), values(session, "quantile", q=1)) == ({0: least}, {0: greatest})


@pytest.mark.parametrize(
    ("bounds", "counts"),
    [
        ((1.0, 2.0, math.inf), (2, 2, 6, 0)),
        ((-math.inf, 1.0, 2.0), (0, 2, 2, 6)),
        ((-math.inf, 1.0, 2.0, math.inf), (1, 1, 2, 5, 1)),
    ],
)
def test_infinite_bounds_are_folded_away(open_tables, bounds, counts):
    """They say nothing: the histogram is the one without them."""
    folded = open_tables(metrics=[histogram(60, (2, 2, 6), 1.0, temporality=DELTA, bounds=(1.0, 2.0))])
    session = open_tables(metrics=[histogram(60, counts, 1.0, temporality=DELTA, bounds=bounds)])
    assert estimates(session) == estimates(folded)


@pytest.mark.parametrize("bounds", [(2.0, 1.0), (1.0, 1.0), (math.nan, 1.0), (1.0, math.nan), (-math.inf, math.inf)])
def test_bounds_that_are_none_are_not_read(open_tables, bounds):
    """Observations in buckets that cannot be told apart are noted, and have the extremes of their point."""
    session = open_tables(metrics=[histogram(60, (1, 2, 3), 9.0, temporality=DELTA, bounds=bounds, min=1.0, max=2.0)])
    assert ask(session, "quantile", q=0.5) == ({}, ["6 observations are in no bucket and left out of the quantile"])
    assert values(session, "max") == {0: 2.0}
    assert values(session, "count") == {0: 6}


def test_observations_beyond_the_buckets_are_noted(open_tables):
    """A count larger than all buckets together leaves some in none; without extremes they are noted there too."""
    session = open_tables(metrics=[histogram(60, (0, 4, 0, 0), 9.0, temporality=DELTA) | {"count": 5}])
    for aggregate, options, value in (("quantile", {"q": 0.5}, 1.5), ("max", {}, 2.0)):
        groups, notes = ask(session, aggregate, **options)
        assert groups == {(): {0: value}}
        assert notes == [f"1 observation is in no bucket and left out of the {aggregate}"]


def test_extremes_of_several_series(open_tables):
    """One series says its least and greatest, the other is estimated: the answer has the least and greatest of both."""
    session = open_tables(
        metrics=[
            histogram(60, (0, 2, 0, 0), 3.0, temporality=DELTA, min=1.25, max=1.5),
            histogram(60, (0, 0, 1, 0), 3.0, temporality=DELTA, **{"point.route:str": "/b"}),
        ]
    )
    assert values(session, "min") == {0: 1.25}
    assert values(session, "max") == {0: 4.0}


def test_a_histogram_without_new_observations_says_nothing(open_tables):
    """The minimum and maximum since the start bound no step in which nothing was observed."""
    session = open_tables(
        metrics=[
            histogram(60, (0, 2, 0, 0), 3.0, min=1.25, max=1.5),
            histogram(120, (0, 2, 0, 0), 3.0, min=1.25, max=1.5),
        ]
    )
    assert ask(session, "max")[0] == {(): {0: 1.5}}
    assert values(session, "quantile", q=0.5) == {0: 1.375}


@pytest.mark.parametrize("seed", range(12))
def test_estimates_are_possible_and_near(open_tables, seed):
    """Of random observations: within their extremes, and in the bucket in which the exact quantile is."""
    rng = random.Random(seed)  # noqa: S311 - numbers for a test
    observed = sorted(rng.choice([-1, 1, 1, 1]) * rng.lognormvariate(1, 2) for _ in range(rng.randint(1, 40)))
    bounds = sorted({rng.uniform(-5, 50) for _ in range(rng.randint(1, 8))})
    counts = [0] * (len(bounds) + 1)
    for value in observed:
        counts[sum(bound < value for bound in bounds)] += 1
    row = histogram(60, counts, sum(observed), bounds=bounds, temporality=rng.choice([DELTA, CUMULATIVE]))
    session = open_tables(metrics=[row | {"min": observed[0], "max": observed[-1]}])
    edges = [-math.inf, *bounds, math.inf]
    for q in QUANTILES:
        exact = observed[max(0, math.ceil(q * len(observed)) - 1)]
        found = values(session, "quantile", q=q)[0]
        assert observed[0] <= found <= observed[-1]
        place = sum(bound < exact for bound in bounds)
        assert edges[place] <= found <= edges[place + 1]
