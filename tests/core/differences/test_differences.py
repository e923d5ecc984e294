"""What sets records apart, by cases worked out by hand."""

from __future__ import annotations

import pytest

from spanglass_core.differences.ranking import LIKELY, Group, Tally, measure, rank
from spanglass_core.differences.shares import difference
from spanglass_core.differences.splits import Split, best_split, readable, thresholds

HUNDRED = Group(100, 100)


def values(key, *counts):
    """Make tallies of a key's values: name, count of the selected, count of the others."""
    return [Tally(key, "=", value, selected, baseline) for value, selected, baseline in counts]


def told(ranked):
    """Write differences as keys with values and signs."""
    return [
        (each.key, [f"{'+' if one.size > 0 else '-'}{one.tally.value}" for one in each.differences]) for each in ranked
    ]


def test_the_gap_is_between_the_intervals():
    """90 of 100 beside 10 of 100 at z=3: Wilson gives 0.7747 and 0.2253, so at least 0.5493; swapped, its negative."""
    found = measure(HUNDRED, HUNDRED, Tally("k", "=", "a", 90, 10))
    assert found.size == pytest.approx(0.5493, abs=1e-4)
    assert (found.selected_share, found.baseline_share, found.lift) == (0.9, 0.1, pytest.approx(9.0))
    assert measure(HUNDRED, HUNDRED, Tally("k", "=", "a", 10, 90)).size == pytest.approx(-0.5493, abs=1e-4)
    assert difference(90, 100, 10, 100) > found.size  # a narrower interval


@pytest.mark.parametrize(
    ("selected", "baseline", "tally"),
    [
        (Group(2, 2), Group(1000, 1000), Tally("k", "=", "a", 2, 500)),  # two cases beside one half
        (Group(500, 1), Group(9000, 900), Tally("k", "=", "a", 500, 90)),  # five hundred spans of one trace
        (Group(400, 400), Group(400, 400), Tally("k", "=", "a", 200, 180)),  # 50 % beside 45 % of 400
        (Group(0, 0), HUNDRED, Tally("k", "=", "a", 0, 90)),  # nothing is selected
        (HUNDRED, Group(0, 0), Tally("k", "=", "a", 90, 0)),  # there is nothing else
    ],
)
def test_few_cases_prove_nothing(selected, baseline, tally):
    """Groups that are small, of few traces, alike or empty differ in nothing."""
    assert rank(selected, baseline, [tally]) == []


def test_what_is_only_likely_is_asked_for():
    """12 of 18 beside 20 of 100 is not certain at three standard deviations, at two it is likely."""
    few, tallies = Group(18, 18), [Tally("tenant", "=", "a", 12, 20)]
    assert rank(few, HUNDRED, tallies) == []
    (found,) = rank(few, HUNDRED, tallies, LIKELY)
    assert found.size == pytest.approx(0.4375 - 0.2888, abs=1e-3)


def test_keys_are_ranked_by_their_largest_difference():
    """The key with the largest gap comes first; ids of which each record has its own are not there at all."""
    tallies = [
        *values("tenant", ("a", 60, 20), ("b", 20, 30), ("c", 20, 50)),
        *values("version", ("2.0", 100, 30), ("1.9", 0, 70)),
        *values("user.id", *((f"u{n}", 1, 0) for n in range(100))),
        *values("host", ("x", 50, 50), ("y", 50, 50)),
    ]
    assert told(rank(HUNDRED, HUNDRED, tallies)) == [("version", ["+2.0"]), ("tenant", ["+a"])]


def test_what_is_missing_is_told_where_nothing_else_says_it():
    """A value that only the others have is told if the selected ones have nothing instead; so is a key they lack."""
    cache = [*values("cache", ("hit", 0, 80)), Tally("cache", "exists", None, 0, 100)]
    assert told(rank(HUNDRED, HUNDRED, cache)) == [("cache", ["-None"])]
    retry = [*values("retry", ("1", 90, 2)), Tally("retry", "exists", None, 92, 4)]
    assert told(rank(HUNDRED, HUNDRED, retry)) == [("retry", ["+1"])]
    many = [*values("error", *((f"e{n}", 8, 0) for n in range(10))), Tally("error", "exists", None, 80, 0)]
    assert told(rank(HUNDRED, HUNDRED, many)) == [("error", ["+None"])]


def test_keys_that_say_the_same_are_one():
    """Keys of as many records of both groups are told as one, by the one with a value; so is what is lacked."""
    tallies = [
        Tally("url", "exists", None, 90, 10),
        *values("kind", ("server", 90, 10), ("client", 10, 90)),
        Tally("db", "exists", None, 10, 90),
        *values("tenant", ("a", 89, 10)),
    ]
    ranked = rank(HUNDRED, HUNDRED, tallies)
    assert [(each.key, [one.key for one in each.alike]) for each in ranked] == [
        ("kind", ["db", "url"]), ("tenant", []),
    ]  # fmt: skip


def test_thresholds_are_numbers_that_people_read():
    """They have two digits, are whole where they can be, and no two are the same."""
    assert [readable(value) for value in (1234, 0.0567, -15.5, 0, 7, 0.07, 99.9, 100)] == [
        1200, 0.056, -16, 0, 7, 0.07, 99, 100,
    ]  # fmt: skip
    assert isinstance(readable(7.0), int)
    assert (readable(3e-308), readable(-5e-324)) == (0, 0)
    assert thresholds([3.14159, 3.1111, float("nan"), 12, float("inf"), 1.0]) == [1, 3.1, 12]


def test_the_best_split_is_where_shares_lie_furthest_apart():
    """Of carts with more than 5, 10 or 20 lines, 10 parts best; a key that is smaller is told with ``<=``."""
    splits = [Split(5, 95, 5, 60, 40), Split(10, 80, 20, 10, 90), Split(20, 20, 80, 2, 98)]
    assert best_split("lines", splits, HUNDRED, HUNDRED) == Tally("lines", ">", 10, 80, 10)
    smaller = [Split(each.threshold, each.baseline_above, each.baseline_below, each.selected_above, each.selected_below)
               for each in splits]  # fmt: skip
    assert best_split("lines", smaller, HUNDRED, HUNDRED) == Tally("lines", "<=", 10, 90, 20)
    assert best_split("lines", [Split(1, 50, 50, 50, 50)], HUNDRED, HUNDRED) is None
