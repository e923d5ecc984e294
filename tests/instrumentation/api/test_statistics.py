"""Statistics of durations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass.api.statistics import (
    LARGEST,
    MAX_BUCKETS,
    RELATIVE_ERROR,
    OperationStatistics,
    OperationTally,
    QuantileSketch,
    SlidingRate,
    combined,
)

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS

finite = st.one_of(st.floats(min_value=1e-9, max_value=1e6), st.floats(min_value=-1e6, max_value=-1e-9), st.just(0.0))


def sketch_of(values):
    sketch = QuantileSketch()
    for value in values:
        sketch.add(value)
    return sketch


@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=200), st.floats(min_value=0, max_value=1))
def test_a_quantile_is_within_the_stated_error(values, share):
    """Every quantile is at most 1 % away from the sample of its rank, whatever the values and their signs."""
    exact = sorted(values)[math.floor(share * (len(values) - 1))]

    (found,) = sketch_of(values).quantiles(share)

    assert found == pytest.approx(exact, rel=RELATIVE_ERROR * 1.0001, abs=1e-12)


wide = st.floats(min_value=-1e40, max_value=1e40)


@settings(deadline=None)
@given(st.lists(wide, max_size=50), st.lists(wide, max_size=50))
def test_merging_is_seeing_all_values(left, right):
    """Two merged sketches answer as one that took the values of both."""
    merged = sketch_of(left)
    merged.merge(sketch_of(right))
    whole = sketch_of(left + right)

    assert merged.count == whole.count
    assert merged.total == pytest.approx(whole.total, abs=1e27)
    assert (merged.minimum, merged.maximum) == (whole.minimum, whole.maximum)
    assert repr(merged.quantiles(0, 0.5, 0.95, 1)) == repr(whole.quantiles(0, 0.5, 0.95, 1))


def test_nothing_has_no_quantile():
    """An empty sketch gives NaN for each share that was asked for."""
    assert [math.isnan(value) for value in QuantileSketch().quantiles(0.5, 0.99)] == [True, True]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value):
    """NaN and the infinities are refused, and leave the sketch as it was."""
    sketch = QuantileSketch()

    with pytest.raises(ValueError, match="only finite numbers have"):
        sketch.add(value)

    assert sketch.count == 0


def test_the_largest_floats_are_taken():
    """A value beyond the largest bucket is counted there; the extremes stay exact."""
    sketch = sketch_of([1.0, 1.7976931348623157e308, 1.7976931348623157e308])

    assert sketch.quantiles(0, 0.5) == (1.0, pytest.approx(LARGEST, rel=RELATIVE_ERROR))
    assert sketch.maximum == 1.7976931348623157e308


@pytest.mark.parametrize("order", [list, reversed, lambda values: sorted(values, key=lambda value: value % 7)])
def test_memory_is_bounded_and_the_large_half_stays_precise(order):
    """A range wider than the buckets costs precision among the smallest values only."""
    values = [10 ** (exponent / 200) for exponent in range(-2400, 4800)]  # 1e-12 to 1e24, closer than buckets
    sketch = sketch_of(order(values))

    assert len(sketch._positive) <= MAX_BUCKETS
    assert sketch.count == len(values)
    (p90,) = sketch.quantiles(0.9)
    assert p90 == pytest.approx(values[math.floor(0.9 * (len(values) - 1))], rel=RELATIVE_ERROR * 1.0001)


def test_a_rate_counts_the_window_only():
    """What is older than the window no longer counts."""
    rate = SlidingRate(MINUTE_NS, start_ns=0)
    for second in range(120):
        rate.add(second * SECOND_NS)
        rate.add(second * SECOND_NS)

    assert rate.per_second(119 * SECOND_NS + SECOND_NS // 2) == pytest.approx(120 / 59.5)
    assert rate.per_second(300 * SECOND_NS) == 0


def test_a_young_rate_divides_by_its_age():
    """Ten in the first five seconds are two a second, not ten in a minute."""
    rate = SlidingRate(MINUTE_NS, start_ns=7 * SECOND_NS)
    for tenth in range(10):
        rate.add(7 * SECOND_NS + tenth * SECOND_NS // 2)

    assert rate.per_second(12 * SECOND_NS) == 2


def test_the_first_moment_has_a_rate():
    """At the very start one slot is the least that is divided by: no division by zero, no absurd rate."""
    rate = SlidingRate(MINUTE_NS, start_ns=0)
    rate.add(0)

    assert rate.per_second(0) == 1


def test_statistics_of_two_operations_together():
    """Counts, errors and rates add up; average and extremes are exact; quantiles are within 1 %."""
    fast, slow = OperationTally(MINUTE_NS, 0), OperationTally(MINUTE_NS, 0)
    for _ in range(3):
        fast.add(0.1, 5 * SECOND_NS, failed=False)
    slow.add(0.7, 9 * SECOND_NS, failed=True)

    found = combined([fast, slow], now_ns=10 * SECOND_NS)

    assert found == OperationStatistics(
        count=4,
        errors=1,
        average_s=pytest.approx(0.25),
        min_s=0.1,
        max_s=0.7,
        p50_s=pytest.approx(0.1, rel=RELATIVE_ERROR),
        p95_s=pytest.approx(0.1, rel=RELATIVE_ERROR),
        p99_s=pytest.approx(0.1, rel=RELATIVE_ERROR),
        throughput_per_s=0.4,
    )
    assert (found.error_rate, found.avg_response_time) == (0.25, found.average_s)


def test_statistics_of_nothing():
    """Without a completed run there are counts of zero, and no durations."""
    found = combined([], now_ns=0)

    assert (found.count, found.errors, found.error_rate, found.throughput_per_s) == (0, 0, 0.0, 0.0)
    assert math.isnan(found.average_s)
    assert math.isnan(found.p95_s)
