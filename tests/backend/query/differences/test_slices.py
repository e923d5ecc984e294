"""Stretches of time that hold a share of what is stored."""

from __future__ import annotations

from itertools import pairwise

import pytest

from spanglass_server.query.differences.slices import rows_within, slices
from spanglass_server.signals import Signal
from spanglass_server.store.ports import Part, Window

DAY = 86_400 * 1_000_000_000


def part(number, rows, start_ns, end_ns):
    """Make a part whose rows lie in a time."""
    return Part(("segment", number), Signal.SPANS, rows, start_ns, end_ns - 1, frozenset())


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
@pytest.mark.parametrize(
    "parts",
    [
        [part(n, 1000, n * DAY, (n + 1) * DAY) for n in range(7)],  # evenly
        [part(0, 100_000, 6 * DAY + 5, 6 * DAY + 900_000)],  # all of a week in a millisecond
        [part(0, 10, 0, DAY), part(1, 90_000, DAY, DAY + DAY // 9), part(2, 90_000, 3 * DAY, 3 * DAY + DAY // 7),
         part(3, 5_000, 0, 7 * DAY)],  # in bursts, and over one another
    ],
)  # fmt: skip
def test_slices_hold_a_share_of_the_rows(parts, share):
    """However rows lie in time, they hold the share that is asked for, in order and each row once, and no more."""
    window = Window(0, 7 * DAY)
    found = slices(parts, window, share)
    rows = sum(rows_within(parts, one) for one in found)
    assert rows == pytest.approx(share * rows_within(parts, window), rel=0.02)
    assert all(one.end_ns <= two.start_ns for one, two in pairwise(found))
    assert all(window.start_ns <= one.start_ns < one.end_ns <= window.end_ns for one in found)


def test_all_rows_or_none_are_the_window():
    """All rows, and a window in which nothing is stored, are read as they are."""
    window = Window(0, DAY)
    assert slices([part(0, 10, 0, DAY)], window, 1.0) == [window]
    assert slices([part(0, 10, 2 * DAY, 3 * DAY)], window, 0.1) == [window]
