"""Windows of native histograms: increases with resets, differences, extrapolation, means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from promql_cases import histograms

from spanglass_server.promql.histograms import arithmetic, ranges
from spanglass_server.promql.histograms.means import mean_rows
from spanglass_server.promql.histograms.rows import concat, take
from spanglass_server.promql.series.histograms import Histograms, ResetHint

#: Every 10 s: 1 + 1, then a reset (one bucket went down), then up again; a float at the end.
TEXTS = [
    "{{count:2 sum:3 buckets:[1 1]}}",
    "{{count:4 sum:6 buckets:[1 3]}}",
    "{{count:5 sum:9 buckets:[3 2]}}",
    "{{count:8 sum:12 buckets:[4 4]}}",
]
SAMPLES = ranges.Samples(
    np.arange(0, 50_000, 10_000),
    np.array([0, 1, 2, 3, -1]),
    histograms(*TEXTS),
)


def window(lo: int, hi: int, start_ms: int, end_ms: int) -> ranges.Window:
    """One window of samples."""
    return ranges.Window(np.array([lo]), np.array([hi]), np.array([start_ms]), np.array([end_ms]))


def same(left: Histograms, right: str) -> bool:
    """Whether one histogram is the one in the notation, within rounding."""
    other = histograms(right)
    assert np.allclose(left.positive.count, other.positive.count)
    rounded = replace(left, positive=other.positive, count=np.round(left.count, 9), sum=np.round(left.sum, 9))
    return bool(arithmetic.equal(rounded, other)[0])


def test_resets_and_changes_are_found_between_samples() -> None:
    """Once for each pair, also between a histogram and a float."""
    assert ranges.reset_before(SAMPLES).tolist() == [False, False, True, False, True]
    assert ranges.changed_before(SAMPLES).tolist() == [False, True, True, True, True]


def test_an_increase_counts_anew_after_a_reset() -> None:
    """8 - 2 + 4 observations; the result is a gauge."""
    change = ranges.increase(SAMPLES, window(0, 4, -10_000, 30_000), ranges.reset_before(SAMPLES))
    assert same(change.merged.histograms, "{{count:10 sum:15 buckets:[4 6]}}")
    assert change.merged.histograms.reset_hint.tolist() == [ResetHint.GAUGE]
    assert not change.is_gauge.any()


def test_what_was_counted_before_a_reset_after_the_first_sample_is_no_part_of_it() -> None:
    """Its layout is not, either."""
    change = ranges.increase(SAMPLES, window(1, 4, 0, 30_000), ranges.reset_before(SAMPLES))
    assert same(change.merged.histograms, "{{count:8 sum:12 buckets:[4 4]}}")


def test_extrapolation_goes_to_a_near_border_and_no_counter_below_zero() -> None:
    """Samples at 0 to 30 s, 10 of them in between: the counter was 0 at -6 s; a gauge goes to the border at -10 s."""
    one = window(0, 4, -10_000, 35_000)
    change = ranges.increase(SAMPLES, one, ranges.reset_before(SAMPLES)).merged.histograms
    counter = ranges.extrapolated(SAMPLES, one, change, is_counter=True)
    assert np.allclose(counter.count, 10 * (30 + 6 + 5) / 30)
    gauge = ranges.extrapolated(SAMPLES, one, change, is_counter=False)
    assert np.allclose(gauge.count, 10 * (30 + 10 + 5) / 30)
    far = ranges.extrapolated(SAMPLES, window(0, 4, -60_000, 90_000), change, is_counter=False)
    assert np.allclose(far.count, 10 * (30 + 5 + 5) / 30)


def test_differences_and_the_last_increase() -> None:
    """Resets do not matter to a difference; after one the last histogram is the increase."""
    plain = ranges.difference(SAMPLES, np.array([1]), np.array([2]))
    assert same(plain.merged.histograms, "{{count:1 sum:3 buckets:[2 -1]}}")
    assert plain.is_counter.tolist() == [True]
    reset = ranges.reset_before(SAMPLES)
    rates = ranges.last_increase(SAMPLES, np.array([2, 3]), reset, np.array([10.0, 10.0])).merged.histograms
    assert same(take(rates, np.array([0])), "{{count:0.5 sum:0.9 buckets:[0.3 0.2]}}")
    assert same(take(rates, np.array([1])), "{{count:0.3 sum:0.3 buckets:[0.1 0.2]}}")


def test_a_mean_beyond_the_largest_float_is_that_of_its_parts() -> None:
    """The sum of the first group is infinite, its mean is not; the other is an ordinary mean."""
    rows = concat([histograms(text) for text in ("{{count:1.5e308 buckets:[1]}}", "{{count:1.7e308 buckets:[3]}}")])
    both = concat([rows, histograms("{{count:4 buckets:[4]}}")])
    out = mean_rows(both, np.array([0, 1, 2, 2]), np.array([0, 0, 1, 1]), 2).histograms
    assert np.allclose(out.count, [1.6e308, 4])
    assert out.positive.count.tolist() == [2, 4]
