"""Which segments are merged: within the limits of one, to an end, and at a bounded price."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_spans import segment

from spanglass_server.store.segment_files.compaction import DAY_NS, FULL_ROWS, TARGET_ROWS, choose, merge_period_ns

MAX_COLUMNS = 12
SEGMENTS = st.lists(
    st.tuples(
        st.integers(1, TARGET_ROWS),
        st.frozensets(st.sampled_from([f"span.{c}:str" for c in "abcdefghijklmnopqrst"]), max_size=MAX_COLUMNS),
    ),
    max_size=40,
)


def merged(number, chosen):
    """The segment that a merge gives."""
    columns = frozenset().union(*(held.columns for held in chosen))
    arrived_ns = max(held.arrived_ns for held in chosen)
    return segment(number, rows=sum(held.rows for held in chosen), columns=columns, arrived_ns=arrived_ns)


def settle(segments, rewritten=None):
    """Merge until there is nothing to merge; returns what remains and counts the rows that were rewritten."""
    rewritten = Counter() if rewritten is None else rewritten
    number = max((held.id for held in segments), default=0)
    while chosen := choose(segments, MAX_COLUMNS):
        number += 1
        new = merged(number, chosen)
        rewritten["rows"] += new.rows
        gone = {held.id for held in chosen}
        segments = [*(held for held in segments if held.id not in gone), new]
    return segments


@settings(deadline=None)
@given(SEGMENTS)
def test_a_merge_stays_within_the_limits(made):
    """Whatever is chosen came within one day, is in order, and its rows and columns fit into one segment."""
    segments = [
        segment(number, rows=rows, columns=columns, arrived_ns=number // 10 * DAY_NS)
        for number, (rows, columns) in enumerate(made)
    ]
    chosen = choose(segments, MAX_COLUMNS)

    assert len(chosen) != 1
    assert len({held.arrived_ns for held in chosen}) <= 1
    assert [held.id for held in chosen] == sorted({held.id for held in chosen})
    assert sum(held.rows for held in chosen) <= TARGET_ROWS
    assert not chosen or len(merged(0, chosen).columns) <= MAX_COLUMNS


@settings(deadline=None)
@given(SEGMENTS)
def test_merging_ends_and_keeps_every_row(made):
    """Merging comes to an end for any segments, with as many rows as before and no more segments."""
    segments = [segment(number, rows=rows, columns=columns) for number, (rows, columns) in enumerate(made)]
    settled = settle(segments)

    assert sum(held.rows for held in settled) == sum(held.rows for held in segments)
    assert len(settled) <= len(segments)


def test_a_quiet_server_keeps_few_segments():
    """A day of flushes of 50 rows leaves at most three small segments a tier, and rewrites a row 20 times at most."""
    segments, rewritten, rows = [], Counter(), 50
    for flush in range(2880):
        number = max((held.id for held in segments), default=0) + 1
        segments = settle([*segments, segment(number, rows=rows)], rewritten)
        assert len(segments) <= 12, flush

    assert sum(held.rows for held in segments) == 2880 * rows
    assert rewritten["rows"] <= 20 * 2880 * rows


@pytest.mark.parametrize("rows", [500, 5000, 7000, 20_000, 40_000, 65_536, 70_000, FULL_ROWS - 1])
def test_a_busy_server_ends_with_full_segments(rows):
    """Whatever a flush holds, segments become three quarters full on average, and a row is rewritten few times."""
    segments, rewritten, total = [], Counter(), 4_000_000
    for number in range(total // rows):
        segments = settle([*segments, segment(10 * number + 1, rows=rows)], rewritten)
    small = [held.rows for held in segments if held.rows < FULL_ROWS]
    full = [held.rows for held in segments if held.rows >= FULL_ROWS]

    assert len(full) <= 1.34 * total / TARGET_ROWS
    assert len(small) <= 12
    assert rewritten["rows"] <= (6 if rows < 4096 else 3) * total


@pytest.mark.parametrize("rows", [FULL_ROWS, 110_000, 131_071, TARGET_ROWS])
def test_flushes_under_full_load_stay_as_they_are(rows):
    """What is a third full is not written again: that would cost a third of all ingest and save half of the files."""
    segments = [segment(number, rows=rows) for number in range(1, 20)]
    assert settle(segments) == segments


def test_segments_of_another_day_are_not_merged():
    """What came on two days stays two segments; a day that is over becomes as few segments as fit."""
    day = [segment(number, rows=30_000, arrived_ns=DAY_NS - 1) for number in range(1, 12)]
    before = settle(day[:3])
    after = settle([*day, segment(12, rows=50, arrived_ns=DAY_NS)])

    assert [held.rows for held in before] == [30_000] * 3
    assert sorted((held.arrived_ns, held.rows) for held in after) == [
        *[(DAY_NS - 1, 90_000), (DAY_NS - 1, 240_000)],
        (DAY_NS, 50),
    ]


def test_the_period_follows_a_short_retention():
    """A signal that is kept for an hour is merged within a quarter of an hour; a day is the most."""
    hour = DAY_NS // 24

    assert [merge_period_ns(age) for age in (0, hour, 7 * DAY_NS, 1)] == [DAY_NS, hour // 4, DAY_NS, 1]
