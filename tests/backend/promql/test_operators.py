"""Binary operators, series that match, set operators, fill modifiers, unary minus."""

from __future__ import annotations

import pytest
from promql_cases import assert_range, assert_values, at, error_of

SERIES = {
    'a{l="1", m="x"}': "1",
    'a{l="2", m="x"}': "2",
    'a{l="3", m="y"}': "3",
    'b{l="1"}': "10",
    'b{l="2"}': "0",
    'c{m="x", n="p"}': "5",
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1 + 2 * 3 ^ 2", "19"),
        ("-2 ^ 2", "-4"),
        ("2 ^ 3 ^ 2", "512"),
        ("7 % 4", "3"),
        ("-7 % 4", "-3"),
        ("1 / 0", "Inf"),
        ("1 atan2 1", "0.7853981633974483"),
        ("2 > bool 1", "1"),
        ("2 == bool 1", "0"),
        ("0x1F + 1_000 + 1h", "4631"),
        ("-(3 - 5)", "2"),
        ("NaN == bool NaN", "0"),
    ],
)
def test_scalars(query: str, expected: str) -> None:
    """Precedence and results are those of Prometheus."""
    assert_values(at({}, query), {"scalar": expected})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("b + 1", {'{l="1"}': "11", '{l="2"}': "1"}),
        ("1 - b", {'{l="1"}': "-9", '{l="2"}': "1"}),
        ("b > 5", {'b{l="1"}': "10"}),
        ("5 < b", {'b{l="1"}': "10"}),
        ("b > bool 5", {'{l="1"}': "1", '{l="2"}': "0"}),
        ("-b", {'{l="1"}': "-10", '{l="2"}': "-0"}),
        ("b * time()", {'{l="1"}': "0", '{l="2"}': "0"}),
        ("a + on(l) b", {'{l="1"}': "11", '{l="2"}': "2"}),
        ("a - ignoring(m) b", {'{l="1"}': "-9", '{l="2"}': "2"}),
        ("a / on(l) b", {'{l="1"}': "0.1", '{l="2"}': "Inf"}),
        ("a < on(l) b", {'{l="1"}': "1"}),
        ("a < bool on(l) b", {'{l="1"}': "1", '{l="2"}': "0"}),
        ("a * on(m) group_left c", {'{l="1", m="x"}': "5", '{l="2", m="x"}': "10"}),
        ("a * on(m) group_left(n) c", {'{l="1", m="x", n="p"}': "5", '{l="2", m="x", n="p"}': "10"}),
        ("c * on(m) group_right(n) a", {'{l="1", m="x", n="p"}': "5", '{l="2", m="x", n="p"}': "10"}),
        ("c > on(m) group_right a", {'a{l="1", m="x"}': "5", 'a{l="2", m="x"}': "5"}),
        ("a and on(l) b", {'a{l="1", m="x"}': "1", 'a{l="2", m="x"}': "2"}),
        ("a unless on(l) b", {'a{l="3", m="y"}': "3"}),
        ("b or on(l) a", {'b{l="1"}': "10", 'b{l="2"}': "0", 'a{l="3", m="y"}': "3"}),
        ("a and on() vector(1)", {'a{l="1", m="x"}': "1", 'a{l="2", m="x"}': "2", 'a{l="3", m="y"}': "3"}),
        ("a unless ignoring(l, m) c{n=''}", {'a{l="1", m="x"}': "1", 'a{l="2", m="x"}': "2", 'a{l="3", m="y"}': "3"}),
        ("a + on(l) fill(100) b", {'{l="1"}': "11", '{l="2"}': "2", '{l="3"}': "103"}),
        ("b + on(l) fill_left(100) a", {'{l="1"}': "11", '{l="2"}': "2", '{l="3"}': "103"}),
        ("b + on(l) fill_right(100) a", {'{l="1"}': "11", '{l="2"}': "2"}),
        ("a * on(m) group_left fill_right(1) c", {
            '{l="1", m="x"}': "5", '{l="2", m="x"}': "10", '{l="3", m="y"}': "3",
        }),
        ("unknown + b", {}),
    ],
)  # fmt: skip
def test_vectors(query: str, expected: dict[str, str]) -> None:
    """Names go where a value is computed; series match by labels."""
    assert_values(at(SERIES, query, 0), expected)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "c + on(m) a",
            (
                'found duplicate series for the match group {m="x"} on the right hand-side of the operation: '
                '[{__name__="a", l="1", m="x"}, {__name__="a", l="2", m="x"}];'
                "many-to-many matching not allowed: matching labels must be unique on one side"
            ),
        ),
        (
            "a + on(m) c",
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
        ),
        (
            'label_replace(a, "l", "", "l", ".*") * on(m) group_left c',
            "vector cannot contain metrics with the same labelset",
        ),
        (
            '{__name__=~"[ad]"} + on(l, m, __name__) {__name__=~"[ad]"}',
            "vector cannot contain metrics with the same labelset",
        ),
        ("-{l='1'}", "vector cannot contain metrics with the same labelset"),
        ("topk(NaN, a)", "Parameter value is NaN"),
        ("topk(1e20, a)", "Scalar value 1e+20 overflows int64"),
    ],
)
def test_errors_of_evaluation(query: str, message: str) -> None:
    """What cannot be evaluated is an error of execution, in Prometheus' words."""
    series = {'a{l="1", m="x"}': "1", 'a{l="2", m="x"}': "2", 'c{m="x"}': "5", 'd{l="1", m="x"}': "3"}
    error = error_of(series, query)
    assert (error.kind, error.message) == ("execution", message)


def test_series_that_follow_one_another() -> None:
    """Two series of one group are no duplicates if they are never there at the same time."""
    series = {'a{l="1"}': "1x9", 'b{l="1", v="old"}': "10 10 stale", 'b{l="1", v="new"}': "_ _ 20x7"}
    assert_range(series, "a + on(l) b", {'{l="1"}': "11 11 21 21 21 21"})
    expected = {'{l="1", v="old"}': "11 11", '{l="1", v="new"}': "_ _ 21 21 21 21"}
    assert_range(series, "a + on(l) group_left(v) b", expected)


def test_series_of_one_match_must_differ_though_a_comparison_keeps_none() -> None:
    """A label that is taken from the other side makes them alike: an error, whatever their values."""
    error = error_of({'f{a="1"}': "1x5", 'f{a="2"}': "2x5"}, "f > on() group_left(a) vector(100)")
    assert error.message == "multiple matches for labels: grouping labels must ensure unique matches"
