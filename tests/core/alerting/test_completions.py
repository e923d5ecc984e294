"""What an editor offers while a condition is typed."""

from __future__ import annotations

import pytest

from spanglass_core.alerting.conditions.completing import Names, completions

NAMES = Names(
    measures=("error_rate", "response_time"),
    metrics=("process.memory.usage", "weird-name"),
    labels=("service", "route"),
)

OFFERED = {
    # what is typed, with | where the cursor is: what it becomes with the first offers
    "|": ["error_rate", "response_time", "avg("],
    "err|": ["error_rate"],
    "x > 1 and err|or": ["x > 1 and error_rate"],
    "mem|": ["process.memory.usage"],
    "weird|": ['"weird-name"'],
    "absen|": ["absent("],
    "p9|": ["p95(", "p99("],
    "max(re|": ["max(response_time"],
    "count(sp|": ["count(spans"],
    'max(x{se|="a"}) > 3': ['max(x{service="a"}) > 3'],
    "max(x) by (|": ["max(x) by (service", "max(x) by (route"],
    "max(x) b|": ["max(x) by"],
    "error_rate |": ["error_rate by", "error_rate over", "error_rate offset", "error_rate >"],
    "x > 3|": ["x > 3ns", "x > 3us"],
    "x > 3m|": ["x > 3ms"],
    "x > 3 an|": ["x > 3 and"],
    "x > base|": ["x > baseline"],
    "x over |": ["x over 5m"],
    "base|": [],
    'count(spans "serv|': [],
    "x > > |": [],
}


@pytest.mark.parametrize("typed", OFFERED)
def test_what_may_come_next_is_offered(typed):
    """Offers fit the place, are put where the word that is typed stands, and nothing is offered where all is wrong."""
    at = typed.index("|")
    text = typed.replace("|", "")

    found = completions(text, at, NAMES)

    become = [text[: found.start] + each.text + text[found.end :] for each in found.items]
    expected = OFFERED[typed]
    assert become[: len(expected)] == expected if expected else not become


def test_only_so_many_are_offered():
    """Thousands of metrics become a list that can be read, those that begin as typed first."""
    found = completions("m9", 2, Names(metrics=[f"{letter}m{number}" for letter in ("x", "") for number in range(999)]))

    assert len(found.items) == 50
    assert [each.text for each in found.items[:3]] == ["m90", "m91", "m92"]
