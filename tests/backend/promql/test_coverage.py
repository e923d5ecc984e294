"""Which records stand in for which time."""

from __future__ import annotations

import pytest

from spanglass_server.promql.stored.coverage import Covered, Stretch, stretches
from spanglass_server.signals import Signal

MINUTE, HOUR = 60_000, 3_600_000
POINTS, FINE, COARSE = Signal.METRICS, Signal.ROLLUPS_5M, Signal.ROLLUPS_1H
COVERED = {FINE: [(0, 6 * HOUR), (6 * HOUR, 12 * HOUR)], COARSE: [(0, 6 * HOUR), (6 * HOUR, 12 * HOUR)]}


@pytest.mark.parametrize(
    ("grid_ms", "expected"),
    [
        (0, [(POINTS, 2, 20)]),
        (MINUTE, [(POINTS, 2, 20)]),
        (10 * MINUTE, [(FINE, 2, 12), (POINTS, 12, 20)]),
        (2 * HOUR, [(COARSE, 2, 12), (POINTS, 12, 20)]),
    ],
)
def test_the_coarsest_level_that_the_grid_allows_is_read_as_far_as_it_goes(grid_ms, expected):
    """The rest is read from points; ranges side by side are one."""
    found = stretches((2 * HOUR, 20 * HOUR), grid_ms, Covered(COVERED, COVERED, 0))
    assert found == [Stretch(signal, start * HOUR, end * HOUR) for signal, start, end in expected]


def test_where_points_are_gone_rollups_are_read_whatever_the_grid():
    """The finest that is there; where only the coarse one is left, that one."""
    covered = {FINE: [(6 * HOUR, 12 * HOUR)], COARSE: [(0, 6 * HOUR), (6 * HOUR, 12 * HOUR)]}
    found = stretches((2 * HOUR, 20 * HOUR), 0, Covered(covered, covered, 12 * HOUR + 1))
    assert found == [
        Stretch(COARSE, 2 * HOUR, 6 * HOUR),
        Stretch(FINE, 6 * HOUR, 12 * HOUR),
        Stretch(POINTS, 12 * HOUR, 20 * HOUR),
    ]


def test_hours_that_are_not_rolled_up_are_read_from_points():
    """A gap in the rollups is no gap in the answer."""
    covered = {FINE: [], COARSE: [(0, 6 * HOUR), (12 * HOUR, 18 * HOUR)]}
    found = stretches((0, 20 * HOUR), HOUR, Covered(covered, covered, 0))
    assert [(each.signal, each.after_ms // HOUR, each.until_ms // HOUR) for each in found] == [
        (COARSE, 0, 6),
        (POINTS, 6, 12),
        (COARSE, 12, 18),
        (POINTS, 18, 20),
    ]


def test_nothing_stored_is_nothing_read():
    """No stretch without points and rollups."""
    assert stretches((0, HOUR), HOUR, Covered({FINE: [], COARSE: []}, {FINE: [], COARSE: []}, None)) == []


def test_rollups_that_lack_a_late_point_are_read_only_where_points_are_gone():
    """Until they are made again, points answer for their range."""
    current = {FINE: [(6 * HOUR, 12 * HOUR)], COARSE: [(6 * HOUR, 12 * HOUR)]}
    found = stretches((0, 12 * HOUR), HOUR, Covered(current, COVERED, 0))
    assert found == [Stretch(POINTS, 0, 6 * HOUR), Stretch(COARSE, 6 * HOUR, 12 * HOUR)]
    found = stretches((0, 12 * HOUR), HOUR, Covered(current, COVERED, 6 * HOUR + 1))
    assert found == [Stretch(COARSE, 0, 6 * HOUR), Stretch(COARSE, 6 * HOUR, 12 * HOUR)]
