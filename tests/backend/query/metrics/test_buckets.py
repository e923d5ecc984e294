"""Quantiles of merged histograms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanglass_server.query.metrics.buckets import Exponential, explicit_buckets, merge, quantile

BOUNDS = (1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("counts", "q", "value"),
    [
        ((4, 0, 0, 0), 0.5, 0.5),
        ((0, 4, 0, 0), 0.25, 1.25),
        ((1, 1, 1, 1), 0.5, 2.0),
        ((1, 1, 1, 1), 0.75, 4.0),
        ((0, 0, 0, 9), 0.5, 4.0),
        ((0, 2, 0, 0), 0, 1.0),
        ((0, 2, 0, 0), 1, 2.0),
        ((0, 0, 0, 0), 0.5, None),
    ],
)
def test_explicit_quantiles_are_interpolated(counts, q, value):
    """A quantile lies in its bucket as far as its rank; past the last bound it is that bound."""
    assert quantile(explicit_buckets(BOUNDS, counts), q) == value


def test_histograms_without_buckets_have_no_quantile():
    """A histogram that only has count and sum tells nothing about quantiles."""
    assert quantile(merge([explicit_buckets((), ())]), 0.5) is None


def test_first_bucket_below_zero_ends_at_its_bound():
    """With a negative first bound the first bucket is a point: nothing is known below."""
    assert quantile(explicit_buckets((-1.0, 1.0), (2, 0, 0)), 0.5) == -1.0


def test_equal_bounds_are_added():
    """Histograms with the same bounds merge bucket by bucket."""
    parts = [explicit_buckets(BOUNDS, (1, 0, 0, 0)), explicit_buckets(BOUNDS, (2, 0, 1, 0))]
    assert quantile(merge(parts), 0.5) == quantile(explicit_buckets(BOUNDS, (3, 0, 1, 0)), 0.5)


def test_different_bounds_are_cut_and_spread():
    """A bucket that others cut in half gives half of its observations to each part."""
    merged = merge([explicit_buckets((2.0,), (4, 0)), explicit_buckets((1.0, 2.0), (1, 1, 0))])
    assert [(bucket.low, bucket.high, bucket.count) for bucket in merged] == [(0, 1, 3), (1, 2, 3), (2, 2, 0)]


def test_negative_and_zero_buckets_come_in_order():
    """From the least value: negative buckets, the zero bucket, positive ones; (2, 4] mirrored is [-4, -2)."""
    histogram = Exponential(0, zero_threshold=0.5, zero_count=2, positive={0: 1.0}, negative={1: 1.0, 0: 1.0})
    ordered = [(bucket.low, bucket.high, bucket.count) for bucket in histogram.buckets()]
    assert ordered == [(-4, -2, 1), (-2, -1, 1), (-0.5, 0.5, 2), (1, 2, 1)]
    assert quantile(histogram.buckets(), 0) == -4
    assert quantile(histogram.buckets(), 0.1) == pytest.approx(-4 * 0.5**0.5)
    assert quantile(histogram.buckets(), 0.6) == 0.0
    assert quantile(histogram.buckets(), 1) == 2


def test_a_wider_zero_bucket_takes_the_buckets_inside_it():
    """Merged with a larger zero threshold, buckets below it count as zero."""
    histogram = Exponential(0, zero_threshold=2.0, zero_count=1, positive={-1: 2.0, 0: 3.0, 1: 4.0})
    assert [(bucket.low, bucket.high, bucket.count) for bucket in histogram.buckets()] == [(0, 2, 6), (2, 4, 4)]


@given(
    values=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=50),
    scale=st.integers(-2, 6),
    q=st.floats(0, 1),
)
def test_a_quantile_is_within_a_bucket_of_the_exact_one(values, scale, q):
    """The quantile of an exponential histogram is off by less than a bucket's factor."""
    counts: dict[int, float] = {}
    for value in values:
        index = math.ceil(math.log2(value) * 2**scale) - 1
        counts[index] = counts.get(index, 0) + 1
    exact = sorted(values)[max(0, math.ceil(q * len(values)) - 1)]
    base = 2 ** (2.0**-scale)
    found = quantile(Exponential(scale, positive=counts).buckets(), q)
    assert exact / base * 0.999 <= found <= exact * base * 1.001


def test_extreme_scales_stay_finite():
    """Indexes past the range of doubles give its ends, not an error."""
    buckets = Exponential(-10, positive={0: 1.0, 5: 1.0, -5: 1.0}).buckets()
    assert all(math.isfinite(bucket.low) and math.isfinite(bucket.high) for bucket in buckets)
