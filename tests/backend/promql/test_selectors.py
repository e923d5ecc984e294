"""Selectors: lookback, staleness, offsets, fixed times, ranges, subqueries."""

from __future__ import annotations

import pytest
from promql_cases import MINUTE, assert_range, assert_values, at, over_range, source

from spanglass_server.promql.engine import range_query
from spanglass_server.promql.series.samples import Samples
from spanglass_server.promql.series.vectors import Steps, Vector

SERIES = {
    'x{a="1"}': "0+1x10",
    'x{a="2"}': "5 _ _ 6 stale _ 7 7 7 7 7",
    'y{a="1"}': "10",
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("x", {'x{a="1"}': "0 1 2 3 4 5", 'x{a="2"}': "5 5 5 6 _ _"}),
        ('x{a="1"}', {'x{a="1"}': "0 1 2 3 4 5"}),
        ('x{a!="1"}', {'x{a="2"}': "5 5 5 6 _ _"}),
        ('x{a=~"1|3"}', {'x{a="1"}': "0 1 2 3 4 5"}),
        ('x{a!~"1.*"}', {'x{a="2"}': "5 5 5 6 _ _"}),
        ('{__name__=~"x|y", a="1"}', {'x{a="1"}': "0 1 2 3 4 5", 'y{a="1"}': "10 10 10 10 10"}),
        ('{"x", a="1"}', {'x{a="1"}': "0 1 2 3 4 5"}),
        ('x{a="1" or a="2"}', {'x{a="1"}': "0 1 2 3 4 5", 'x{a="2"}': "5 5 5 6 _ _"}),
        ('x{a="1"} offset 2m', {'x{a="1"}': "_ _ 0 1 2 3"}),
        ('x{a="1"} offset -2m', {'x{a="1"}': "2 3 4 5 6 7"}),
        ('x{a="1"} @ 120', {'x{a="1"}': "2x5"}),
        ('x{a="1"} @ end()', {'x{a="1"}': "5x5"}),
        ('x{a="1"} @ start() offset -1m', {'x{a="1"}': "1x5"}),
        ('x{a="1"} @ -1', {}),
        ("unknown", {}),
        ('sum((x{a="1"}) + (x{a="1"}))', {"{}": "0 2 4 6 8 10"}),
        ('count_over_time(x{a="1"}[2m])', {'{a="1"}': "1 2 2 2 2 2"}),
        ('count_over_time(x{a="2"}[3m])', {'{a="2"}': "1 1 1 1 1 1"}),
        ('sum_over_time(x{a="1"}[2m] offset 1m)', {'{a="1"}': "_ 0 1 3 5 7"}),
        ('sum_over_time(x{a="1"}[2m] @ 180)', {'{a="1"}': "5x5"}),
        ('sum_over_time(x{a="1"}[3m:1m])', {'{a="1"}': "0 1 3 6 9 12"}),
        ('sum_over_time(x{a="1"}[3m:2m])', {'{a="1"}': "0 0 2 2 6 4"}),
        ('sum_over_time(x{a="1"}[2m:])', {'{a="1"}': "0 1 3 5 7 9"}),
        ('sum_over_time(x{a="1"}[2m:1m] offset 1m)', {'{a="1"}': "_ 0 1 3 5 7"}),
        ('sum_over_time(x{a="1"}[2m:1m] @ 180)', {'{a="1"}': "5x5"}),
        ("count_over_time(vector(time())[4m:2m])", {"{}": "2x5"}),
    ],
)
def test_selectors_over_a_range(query: str, expected: dict[str, str]) -> None:
    """A sample counts for five minutes, up to a staleness marker; ranges are open on the left."""
    assert_range(SERIES, query, expected)


def test_a_range_vector_is_given_as_samples() -> None:
    """At one time a range vector is a result: the samples in the window, without markers."""
    value = at(SERIES, "x[3m]").value
    assert isinstance(value, Samples)
    assert value.offsets.tolist() == [0, 3, 4]
    assert value.time_ms.tolist() == [3 * MINUTE, 4 * MINUTE, 5 * MINUTE, 3 * MINUTE]
    assert value.value.tolist() == [3, 4, 5, 6]


def test_times_between_steps() -> None:
    """A sample before the step counts, one after it does not."""
    assert_values(at(SERIES, 'x{a="1"}', 2.5), {'x{a="1"}': "2"})
    assert_values(at({"x": "1"}, "x", 4.999), {"x": "1"})
    assert_values(at({"x": "1"}, "x", 5), {})


def test_steps_longer_than_the_lookback() -> None:
    """Each step looks back by itself."""
    assert_values(over_range({"x": "1 2 3 _x8 4 5"}, "x", 12, 6), {"x": "1 3 5"})


def test_the_end_is_that_of_the_query_though_no_step_is_there() -> None:
    """``end()`` and ``range()`` mean what was asked for, not the last step."""
    steps = Steps(0, 2 * MINUTE, 3, 5 * MINUTE)
    for query, value in (('x{a="1"} @ end()', 5.0), ("end()", 300.0), ("range()", 300.0), ("end() - start()", 300.0)):
        answer = range_query(source(SERIES), f"sum(vector({query}))" if "x" not in query else query, steps)
        assert isinstance(answer.value, Vector)
        assert answer.value.values.tolist() == [[value] * 3]
