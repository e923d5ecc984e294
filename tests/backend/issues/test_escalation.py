"""When an ignored error escalates."""

from __future__ import annotations

import random

import pytest

from spanglass_server.issues.escalation import escalates


@pytest.mark.parametrize(
    ("before", "now", "answer"),
    [
        ([], 19, False),
        ([], 20, True),
        ([0] * 168, 19, False),
        ([0] * 168, 20, True),
        ([5] * 168, 25, True),
        ([10] * 168, 28, False),  # twice as many, but within scatter
        ([10] * 168, 29, True),
        ([100] * 168, 200, False),
        ([100] * 168, 201, True),
        ([1000] * 10, 1500, False),
        ([500, *[1] * 24], 40, True),  # one old burst hides nothing
        ([500, *[1] * 23], 40, False),  # a burst of the last day counts
        ([*[0] * 167, 500], 40, False),
        ([500, 500, *[1] * 100], 40, False),
        ([9999, 9999, *[1] * 168], 40, True),  # more than a week ago
        ([*[0] * 23, 60] * 7, 70, False),  # a daily job
    ],
)
def test_the_rule(before, now, answer):
    """At least 20, more than twice the busiest hour of the week, and more than it by six times its square root."""
    assert escalates(before, now) is answer


@pytest.mark.parametrize("mean", [0.5, 3, 10, 40, 300])
def test_scatter_is_no_escalation(mean):
    """Hours of one steady rate never escalate, whatever the rate."""
    chance = random.Random(7)  # noqa: S311 - made counts
    hours = [sum(chance.random() < mean / 3000 for _ in range(3000)) for _ in range(400)]

    assert [hour for hour in range(48, 400) if escalates(hours[:hour], hours[hour])] == []
