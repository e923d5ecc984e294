"""The function info."""

from __future__ import annotations

import pytest
from promql_cases import assert_range, assert_values, at, error_of

SERIES = {
    'x{job="j", instance="1"}': "1x9",
    'x{job="j", instance="2", env="own"}': "2x9",
    'x{job="j", instance="3"}': "3x9",
    'target_info{job="j", instance="1", env="prod", version="1"}': "1x9",
    'target_info{job="j", instance="2", env="prod", version="2"}': "1x9",
    'build_info{job="j", instance="1", rev="abc"}': "1x9",
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("info(x)", {
            'x{job="j", instance="1", env="prod", version="1"}': "1",
            'x{job="j", instance="2", env="own", version="2"}': "2",
            'x{job="j", instance="3"}': "3",
        }),
        ('info(x, {version=~".+"})', {
            'x{job="j", instance="1", version="1"}': "1",
            'x{job="j", instance="2", env="own", version="2"}': "2",
        }),
        ('info(x, {version="2"})', {'x{job="j", instance="2", env="own", version="2"}': "2"}),
        ('info(x{instance="1"}, {__name__="build_info"})', {'x{job="j", instance="1", rev="abc"}': "1"}),
        ("info(build_info)", {'build_info{job="j", instance="1", rev="abc", env="prod", version="1"}': "1"}),
    ],
)  # fmt: skip
def test_labels_of_info_series(query: str, expected: dict[str, str]) -> None:
    """Series get the labels that they lack; a label asked for must be there."""
    assert_values(at(SERIES, query, 1), expected)


def test_info_that_changes() -> None:
    """At each step the info series with the newest sample counts; two of the same time are an error."""
    series = {
        'x{job="j", instance="1"}': "1x5",
        'target_info{job="j", instance="1", version="1"}': "1 1",
        'target_info{job="j", instance="1", version="2"}': "_ _ 1x3",
    }
    expected = {
        'x{job="j", instance="1", version="1"}': "1 1",
        'x{job="j", instance="1", version="2"}': "_ _ 1 1 1 1",
    }
    assert_range(series, "info(x)", expected)
    twice = {**series, 'target_info{job="j", instance="1", version="3"}': "1x9"}
    assert error_of(twice, "info(x)", 2).message.startswith("found duplicate series for info metric")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            'info(x{instance="1"}, {__name__=~".+_info"})',
            'x{job="j", instance="1", env="prod", rev="abc", version="1"}',
        ),
        ('info(x{instance="1"}, {none=""})', 'x{job="j", instance="1"}'),
        ('info(x{instance="1"}, {})', 'x{job="j", instance="1", env="prod", version="1"}'),
        ('info(x{instance="2"}, {env=~".*"})', 'x{job="j", instance="2", env="own"}'),
    ],
)
def test_which_info_metrics_count(query: str, expected: str) -> None:
    """Several info metrics add their labels one after another; a matcher may accept that there is no label."""
    value = "2" if "2" in query else "1"
    assert_values(at(SERIES, query, 1), {expected: value})


def test_labels_that_are_there_already() -> None:
    """An info series that gives none of the labels asked for leaves the series out."""
    assert_values(at(SERIES, 'info(x{instance="2"}, {env="prod"})', 1), {})
