"""Functions take the metric's name away at the end of the whole expression, not before."""

from __future__ import annotations

import pytest
from promql_cases import assert_values, at, error_of

SERIES = {
    'one_total{env="a"}': "0+6x10",
    'one_total{env="b"}': "0+12x10",
    'two_total{env="a"}': "0+18x10",
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rate(one_total[5m])", {'{env="a"}': "0.1", '{env="b"}': "0.2"}),
        ("-one_total", {'{env="a"}': "-60", '{env="b"}': "-120"}),
        ("sum by (__name__) (rate({env=~'.+'}[5m]))", {"one_total": "0.3", "two_total": "0.3"}),
        ("sum by (__name__, env) (one_total + 0)", {'one_total{env="a"}': "60", 'one_total{env="b"}': "120"}),
        ("sum without (env) (rate({env=~'.+'}[5m]))", {"{}": "0.6"}),
        ("max(rate(one_total[5m]))", {"{}": "0.2"}),
        (
            "label_replace(rate({env='a'}[5m]), 'm', '$1', '__name__', '(.+)_total')",
            {'{env="a", m="one"}': "0.1", '{env="a", m="two"}': "0.3"},
        ),
        (
            "label_replace(rate({env='a'}[5m]), '__name__', 'speed_$1', '__name__', '(.+)_total')",
            {'speed_one{env="a"}': "0.1", 'speed_two{env="a"}': "0.3"},
        ),
        ("label_join(-one_total{env='a'}, '__name__', '_', '__name__', 'env')", {'one_total_a{env="a"}': "-60"}),
        ("rate(one_total[5m]) + on(env) rate(two_total[5m])", {'{env="a"}': "0.4"}),
        ("rate(one_total[5m]) > on(env) group_left() (two_total * 0)", {'{env="a"}': "0.1"}),
        ("rate(one_total[5m]) or rate(two_total[5m])", {'{env="a"}': "0.1", '{env="b"}': "0.2"}),
        ("one_total >bool 100", {'{env="a"}': "0", '{env="b"}': "1"}),
        ("last_over_time((one_total * 2)[2m:1m])", {'{env="a"}': "120", '{env="b"}': "240"}),
        ("topk(1, rate(one_total[5m]))", {'{env="b"}': "0.2"}),
    ],
)
def test_names_can_be_read_until_the_end_and_are_gone_then(query: str, expected: dict[str, str]) -> None:
    """Aggregations and label_replace see them; results have them only where something gave them one."""
    assert_values(at(SERIES, query, 10), expected)


def test_series_that_are_alike_without_their_names_are_refused_at_the_end() -> None:
    """As Prometheus does, with its words."""
    assert "same labelset" in error_of(SERIES, "rate({env='a'}[5m])", 10).message
