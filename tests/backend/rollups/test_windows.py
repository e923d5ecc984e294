"""Which ranges are rolled up next."""

from __future__ import annotations

import itertools

from spanglass_server.rollups.windows import GRACE_NS, LEVELS, WINDOW_NS, next_due, window_of, windows_between
from spanglass_server.store.ports import Window


def test_a_window_includes_its_end_and_not_its_start():
    """As PromQL's ranges do, whose times are whole milliseconds, so that whole windows answer whole ranges."""
    assert window_of(WINDOW_NS) == Window(0, WINDOW_NS)
    assert window_of(WINDOW_NS + 10**6) == Window(WINDOW_NS, 2 * WINDOW_NS)
    assert window_of(WINDOW_NS + 10**6 - 1) == Window(0, WINDOW_NS)
    assert list(windows_between(WINDOW_NS, WINDOW_NS + 10**6)) == [0, WINDOW_NS]


def test_the_newest_window_that_is_over_comes_first():
    """Ten minutes after its end, not before; none is due without points."""
    now_ns = 3 * WINDOW_NS + GRACE_NS
    assert next_due({0, WINDOW_NS, 2 * WINDOW_NS, 3 * WINDOW_NS}, now_ns) == Window(2 * WINDOW_NS, 3 * WINDOW_NS)
    assert next_due({0, 2 * WINDOW_NS}, now_ns - 1) == Window(0, WINDOW_NS)
    assert next_due(set(), now_ns) is None


def test_each_step_divides_the_next_and_the_window():
    """So that no step lies in two windows."""
    steps = [*(level.step_ns for level in LEVELS), WINDOW_NS]
    assert all(longer % shorter == 0 for shorter, longer in itertools.pairwise(steps))
