"""Aggregations by labels and without them."""

from __future__ import annotations

import pytest
from promql_cases import assert_range, assert_values, at

from spanglass_server.promql.evaluation.aggregations.hashes import xxhash64

SERIES = {
    'a{l="1", m="x"}': "1",
    'a{l="2", m="x"}': "5",
    'a{l="3", m="y"}': "3",
    'a{l="4", m="y"}': "NaN",
}


@pytest.mark.parametrize(
    ("query", "x", "y"),
    [
        ("sum", "6", "NaN"),
        ("avg", "3", "NaN"),
        ("min", "1", "3"),
        ("max", "5", "3"),
        ("count", "2", "2"),
        ("group", "1", "1"),
        ("stddev", "2", "NaN"),
        ("stdvar", "4", "NaN"),
    ],
)
def test_one_value_a_group(query: str, x: str, y: str) -> None:
    """NaN is a value, which min and max pass over; without labels is by the others."""
    expected = {'{m="x"}': x, '{m="y"}': y}
    assert_values(at(SERIES, f"{query} by (m) (a)", 0), expected)
    assert_values(at(SERIES, f"{query}(a) without (l)", 0), expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sum(a{m='x'})", {"{}": "6"}),
        ("sum by (none) (a{m='x'})", {"{}": "6"}),
        ("sum by (__name__) (a{m='x'})", {"a": "6"}),
        ("sum(unknown)", {}),
        ("quantile(0.25, a{m='x'})", {"{}": "2"}),
        ("quantile(0.5, a{m='y'})", {"{}": "NaN"}),
        ("quantile(1, a{m='y'})", {"{}": "3"}),
        ("quantile(-0.1, a)", {"{}": "-Inf"}),
        ("topk(1, a)", {'a{l="2", m="x"}': "5"}),
        ("topk by (m) (1, a)", {'a{l="2", m="x"}': "5", 'a{l="3", m="y"}': "3"}),
        ("bottomk by (m) (1, a)", {'a{l="1", m="x"}': "1", 'a{l="3", m="y"}': "3"}),
        ("topk(0, a)", {}),
        ("topk(10, a{m='y'})", {'a{l="3", m="y"}': "3", 'a{l="4", m="y"}': "NaN"}),
        ("limitk by (m) (1, a)", {'a{l="1", m="x"}': "1", 'a{l="3", m="y"}': "3"}),
        ("limit_ratio(0, a)", {}),
        ("limit_ratio(1, a{m='x'})", {'a{l="1", m="x"}': "1", 'a{l="2", m="x"}': "5"}),
        ("count(limit_ratio(0.3, a) or limit_ratio(-0.7, a))", {"{}": "4"}),
        ("limit_ratio(0.3, a) and limit_ratio(-0.7, a)", {}),
        ('count_values("v", a)', {'{v="1"}': "1", '{v="3"}': "1", '{v="5"}': "1", '{v="NaN"}': "1"}),
        ('count_values by (m) ("m", a > 0 < 4)', {'{m="1"}': "1", '{m="3"}': "1"}),
        ('count_values by (m) ("v", a > 0 < 4)', {'{m="x", v="1"}': "1", '{m="y", v="3"}': "1"}),
    ],
)
def test_aggregations_with_parameters(query: str, expected: dict[str, str]) -> None:
    """Series are chosen or counted; NaN ranks last on both ends."""
    assert_values(at(SERIES, query, 0), expected)


def test_steps_are_aggregated_one_by_one() -> None:
    """A series counts where it is, and parameters may change from step to step."""
    series = {'a{l="1"}': "1 2 stale", 'a{l="2"}': "3 1 5 5 5 5", "k": "1 2 0 1 1 1"}
    assert_range(series, "sum(a)", {"{}": "4 3 5 5 5 5"})
    assert_range(series, "count(a)", {"{}": "2 2 1 1 1 1"})
    assert_range(series, "topk(scalar(k), a)", {'a{l="2"}': "3 1 _ 5 5 5", 'a{l="1"}': "_ 2"})
    assert_range(series, "quantile(scalar(k) / 2, a)", {"{}": "2 2 5 5 5 5"})


def test_hashes_are_those_of_xxhash() -> None:
    """The test vectors of xxHash64 with the seed 0."""
    assert xxhash64(b"") == 0xEF46DB3751D8E999
    assert xxhash64(b"a") == 0xD24EC4F1A98C6E5B
    assert xxhash64(b"abc") == 0x44BC2CF5AD770999
    assert xxhash64(b"Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1


def test_notes_of_parameters() -> None:
    """Quantiles and ratios that mean nothing are told."""
    answer = at(SERIES, "quantile(1.5, a) or limit_ratio(-3, a)", 0)
    assert answer.warnings == (
        "PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:10)",
        "PromQL warning: ratio value should be between -1 and 1, got -3, capping to -1 (1:33)",
    )
