"""Functions of floats, worked out by hand."""

from __future__ import annotations

import pytest
from promql_cases import assert_range, assert_values, at, error_of

from spanglass_server.promql.functions.sorting import _natural

GAUGE = {"g": "1 3 2 NaN 5 4"}
COUNTER = {"c_total": "0 60 120 30 90 150"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # Two samples a minute apart in a window of two: a minute is extrapolated over, but no further than to zero.
        ("increase(c_total[2m])", "_ 60 120 60 90 120"),
        ("rate(c_total[2m])", "_ 0.5 1 0.5 0.75 1"),
        ("irate(c_total[5m])", "_ 1 1 0.5 1 1"),
        ("idelta(c_total[5m])", "_ 60 60 -90 60 60"),
        ("delta(c_total[2m])", "_ 120 120 -180 120 120"),
        ("resets(c_total[5m])", "0 0 0 1 1 1"),
        ("changes(c_total[5m])", "0 1 2 3 4 4"),
        ("deriv(c_total[2m])", "_ 1 1 -1.5 1 1"),
        ("predict_linear(c_total[2m], 60)", "_ 120 180 -60 150 210"),
    ],
)
def test_counters(query: str, expected: str) -> None:
    """Rates extrapolate to the window's ends, count resets, and know that counters are not negative."""
    assert_range(COUNTER, query, {"{}": expected})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("avg_over_time(g[3m])", "1 2 2 NaN NaN NaN"),
        ("sum_over_time(g[2m])", "1 4 5 NaN NaN 9"),
        ("min_over_time(g[3m])", "1 1 1 2 2 4"),
        ("max_over_time(g[3m])", "1 3 3 3 5 5"),
        ("count_over_time(g[3m])", "1 2 3 3 3 3"),
        ("present_over_time(g[3m])", "1 1 1 1 1 1"),
        ("stddev_over_time(g[2m])", "0 1 0.5 NaN NaN 0.5"),
        ("stdvar_over_time(g[2m])", "0 1 0.25 NaN NaN 0.25"),
        ("quantile_over_time(0.5, g[3m])", "1 2 2 2 2 4"),
        ("quantile_over_time(-1, g[3m])", "-Inf -Inf -Inf -Inf -Inf -Inf"),
        ("mad_over_time(g[2m])", "0 1 0.5 NaN NaN 0.5"),
        ("changes(g[3m])", "0 1 2 2 2 2"),
        ("resets(g[3m])", "0 0 1 1 0 1"),
        ("ts_of_first_over_time(g[3m])", "0 0 0 60 120 180"),
        ("ts_of_last_over_time(g[3m])", "0 60 120 180 240 300"),
        ("ts_of_min_over_time(g[3m])", "0 0 0 120 120 300"),
        ("ts_of_max_over_time(g[3m])", "0 60 60 60 240 240"),
    ],
)
def test_over_time(query: str, expected: str) -> None:
    """Samples of a window are aggregated; NaN is a value, which min and max pass over."""
    assert_range(GAUGE, query, {"{}": expected})


@pytest.mark.parametrize(
    ("query", "expected"),
    [("last_over_time(g[2m])", "1 3 2 NaN 5 4"), ("first_over_time(g[2m])", "1 1 3 2 NaN 5")],
)
def test_functions_that_keep_the_name(query: str, expected: str) -> None:
    """What gives one of the samples is still that metric."""
    assert_range(GAUGE, query, {"g": expected})


def test_large_and_opposite_numbers_lose_nothing() -> None:
    """Sums are compensated, and a mean does not overflow."""
    series = {'x{a="1"}': "1e100 1 -1e100 1", 'y{a="1"}': "1e308 1.5e308", 'z{a="1"}': "1e100", 'z{a="2"}': "1",
              'z{a="3"}': "-1e100"}  # fmt: skip
    assert_values(at(series, "sum_over_time(x[10m])"), {'{a="1"}': "2"})
    assert_values(at(series, "avg_over_time(x[10m])"), {'{a="1"}': "0.5"})
    assert_values(at(series, "avg_over_time(y[10m])"), {'{a="1"}': "1.25e308"})
    assert_values(at(series, "sum(z)", 2), {"{}": "1"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("abs(g)", "2.5"),
        ("ceil(g)", "-2"),
        ("floor(g)", "-3"),
        ("round(g)", "-2"),
        ("round(g, 0.2)", "-2.4"),
        ("sgn(g)", "-1"),
        ("exp(g)", "0.0820849986238988"),
        ("sqrt(-g)", "1.5811388300841898"),
        ("ln(-g)", "0.9162907318741551"),
        ("log2(-g)", "1.3219280948873624"),
        ("log10(-g)", "0.3979400086720376"),
        ("ln(g)", "NaN"),
        ("clamp(g, -1, 1)", "-1"),
        ("clamp_min(g, 0)", "0"),
        ("clamp_max(g, -3)", "-3"),
        ("clamp(g, NaN, 1)", "NaN"),
        ("deg(g)", "-143.2394487827058"),
        ("rad(g)", "-0.04363323129985824"),
        ("sin(g)", "-0.5984721441039564"),
        ("cos(g)", "-0.8011436155469337"),
        ("tan(g)", "0.7470222972386603"),
        ("asin(g / 5)", "-0.5235987755982989"),
        ("acos(g / 5)", "2.0943951023931957"),
        ("atan(g)", "-1.1902899496825317"),
        ("sinh(g)", "-6.0502044810397875"),
        ("cosh(g)", "6.132289479663686"),
        ("tanh(g)", "-0.9866142981514303"),
        ("asinh(g)", "-1.6472311463710958"),
        ("acosh(-g)", "1.566799236972411"),
        ("atanh(g / 5)", "-0.5493061443340549"),
    ],
)
def test_functions_of_one_value(query: str, expected: str) -> None:
    """Each is the function of its name, and removes the metric's name."""
    assert_values(at({'g{a="b"}': "-2.5"}, query, 0), {'{a="b"}': expected})


def test_bounds_that_cross() -> None:
    """Nothing is between a lower bound and an upper one below it."""
    assert_values(at({"g": "1"}, "clamp(g, 2, 1)", 0), {})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # 2024-02-29 13:45:30, a Thursday
        ("day_of_month(vector(1709214330))", 29),
        ("day_of_week(vector(1709214330))", 4),
        ("day_of_year(vector(1709214330))", 60),
        ("days_in_month(vector(1709214330))", 29),
        ("hour(vector(1709214330))", 13),
        ("minute(vector(1709214330))", 45),
        ("month(vector(1709214330))", 2),
        ("year(vector(1709214330))", 2024),
        ("year(vector(-1))", 1969),
        ("hour()", 1),
        ("vector(time())", 3660),
        ("timestamp(vector(7))", 3660),
        ("timestamp(g)", 3600),
        ("timestamp(-g)", 3660),
        ("timestamp(g offset 30s)", 3600),
        ("vector(pi())", 3.141592653589793),
        ("vector(scalar(g))", 60),
        ("vector(scalar(unknown))", float("nan")),
    ],
)
def test_times_and_scalars(query: str, expected: float) -> None:
    """Dates are in UTC, a selector's times are its samples'."""
    assert_values(at({"g": "0+1x60"}, query, 61), {"{}": str(expected)})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('absent(g{a="b", c=~"d", e="f"})', {'{a="b", e="f"}': "1"}),
        ('absent(g{a="b", a="c"})', {"{}": "1"}),
        ("absent(sum(unknown))", {"{}": "1"}),
        ("absent(g)", {}),
        ('absent_over_time(unknown{a="b"}[5m])', {'{a="b"}': "1"}),
        ("absent_over_time(g[5m])", {}),
    ],
)
def test_absence(query: str, expected: dict[str, str]) -> None:
    """1 with the labels asked for where nothing is, nothing else."""
    assert_values(at({"g": "1"}, query, 0), expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('label_replace(g, "new", "$1-$2", "a", "(.)(.*)")', {'g{a="xyz", new="x-yz"}': "1"}),
        ('label_replace(g, "new", "${first}!", "a", "(?P<first>.).*")', {'g{a="xyz", new="x!"}': "1"}),
        ('label_replace(g, "a", "", "a", ".*")', {"g": "1"}),
        ('label_replace(g, "a", "no", "a", "y")', {'g{a="xyz"}': "1"}),
        ('label_replace(g, "new", "$9$$", "none", "")', {'g{a="xyz", new="$"}': "1"}),
        ('label_join(g, "new", "-", "a", "none", "a")', {'g{a="xyz", new="xyz--xyz"}': "1"}),
        ('label_join(g, "a", "-")', {"g": "1"}),
    ],
)
def test_labels_are_set(query: str, expected: dict[str, str]) -> None:
    """Patterns match whole values; an empty value removes the label."""
    assert_values(at({'g{a="xyz"}': "1"}, query, 0), expected)


def test_smoothing() -> None:
    """A straight line is its own smoothing; another one was worked out step by step."""
    assert_values(at({"g": "0+2x10"}, "double_exponential_smoothing(g[10m], 0.3, 0.6)", 10), {"{}": "20"})
    # level 1 + 3 -> 4; then 0.5 * 2 + 0.5 * (4 + 3) = 4.5
    assert_values(at({"g": "1 4 2"}, "double_exponential_smoothing(g[10m], 0.5, 0.5)", 2), {"{}": "4.5"})
    assert "invalid smoothing factor" in error_of({"g": "1 2"}, "double_exponential_smoothing(g[10m], 1, 0.5)").message


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort(g)", ["a10", "a2", "b"]),
        ("sort_desc(g)", ["a2", "a10", "b"]),
        ('sort_by_label(g, "l")', ["a2", "a10", "b"]),
        ('sort_by_label_desc(g, "l")', ["b", "a10", "a2"]),
        ("topk(2, g)", ["a2", "a10"]),
        ("bottomk(2, g)", ["a10", "a2"]),
    ],
)
def test_order_at_one_time(query: str, expected: list[str]) -> None:
    """NaN comes last; numbers in labels count as numbers."""
    answer = at({'g{l="b"}': "NaN", 'g{l="a10"}': "1", 'g{l="a2"}': "2"}, query, 0)
    assert [row["l"] for row in answer.value.labels.rows()] == expected


def test_notes_of_functions() -> None:
    """What may be a mistake is told with its place, as Prometheus tells it."""
    answer = at({"g": "1 2"}, "rate(g[5m]) + quantile_over_time(2, g[5m])", 1)
    assert answer.infos == (
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "g" (1:6)',
    )
    assert answer.warnings == ("PromQL warning: quantile value should be between 0 and 1, got 2 (1:34)",)


def test_labels_of_many_digits_are_sorted_as_numbers():
    """More digits than an integer is read from are no mistake."""
    large = "9" * 5_000
    assert sorted([f"a{large}", "a10", "b", "a2", "a"], key=_natural) == ["a", "a2", "a10", f"a{large}", "b"]
