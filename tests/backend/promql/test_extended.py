"""Anchored and smoothed selectors, and durations that are expressions."""

from __future__ import annotations

import pytest
from promql_cases import MINUTE, assert_range, at, error_of

SERIES = {"c": "0 10 20 5 15 25", "g": "0 2 _ _ 8 _ _ _ _ _ _"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # The sample at or before the beginning counts: no extrapolation, and resets besides.
        ("increase(c[2m] anchored)", "0 10 20 15 15 20"),
        ("rate(c[2m] anchored)", "0 0.08333333333333333 0.16666666666666666 0.125 0.125 0.16666666666666666"),
        ("delta(c[2m] anchored)", "0 10 20 -5 -5 20"),
        ("resets(c[2m] anchored)", "0 0 0 1 1 0"),
        ("changes(c[1m] anchored)", "0 1 1 1 1 1"),
        ("increase(c[1m] anchored offset 30s)", "_ 0 10 10 5 10"),
        ("increase(c[1m] smoothed offset 30s)", "_ 5 10 7.5 7.5 10"),
        ("delta(c[1m] smoothed offset 30s)", "_ 5 10 -2.5 -2.5 10"),
    ],
)
def test_rates_with_ends(query: str, expected: str) -> None:
    """Differences between the ends of the window, which lie on samples or on the lines between them."""
    assert_range(SERIES, query, {"{}": expected})


def test_smoothed_values() -> None:
    """Between two samples the value is on their line; behind the last it stays."""
    assert_range(SERIES, "g smoothed", {"g": "0 2 4 6 8 8"})
    assert_range(SERIES, "g anchored", {"g": "0 2 2 2 8 8"})


def test_ends_of_a_range_vector() -> None:
    """As a result, the range has a sample at each end."""
    value = at(SERIES, "g[2m] smoothed", 3.5).value
    assert (value.time_ms.tolist(), value.value.tolist()) == ([int(1.5 * MINUTE), int(3.5 * MINUTE)], [3, 7])
    value = at(SERIES, "g[3m] anchored", 4.5).value
    assert (value.time_ms.tolist(), value.value.tolist()) == ([90_000, 240_000, 270_000], [2, 8, 8])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "sum_over_time(g[5m] anchored)",
            "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with sum_over_time",
        ),
        ("resets(g[5m] smoothed)", "smoothed modifier can only be used with: delta, increase, rate - not with resets"),
        ("rate(g[5m:1m] smoothed)", "1:6: parse error: smoothed modifier is not supported for subqueries"),
    ],
)
def test_where_they_may_not_stand(query: str, message: str) -> None:
    """Few functions know what the ends are."""
    assert error_of(SERIES, query).message == message


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sum_over_time(c[1m + 60])", "0 10 30 25 20 40"),
        ("sum_over_time(c[step() * 2])", "0 10 30 25 20 40"),
        ("sum_over_time(c[range() - 3m])", "0 10 30 25 20 40"),
        ("sum_over_time(c[max_of(2m, step())])", "0 10 30 25 20 40"),
        ("sum_over_time(c[2m:(2m - 60)])", "0 10 30 25 20 40"),
        ("sum_over_time(c[2m] offset (2m - 1m))", "_ 0 10 30 25 20"),
        ("sum_over_time(c[2m] offset -step())", "10 30 25 20 40 25"),
    ],
)
def test_durations_that_are_expressions(query: str, expected: str) -> None:
    """Ranges, steps and offsets may be computed, also of the step and the range of the query."""
    assert_range(SERIES, query, {"{}": expected})


@pytest.mark.parametrize("query", ["c[5m - 5m]", "c[-1m]", "c[0]", "c[5m:0s]", "c[5m / 0]"])
def test_durations_that_are_none(query: str) -> None:
    """A range is longer than nothing; the error has a place."""
    error = error_of(SERIES, query)
    assert error.kind == "bad_data"
    assert error.position is not None
