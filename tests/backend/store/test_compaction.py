"""Which segments are merged: within the limits of one, to an end, and at a bounded price."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from stored_spans import segment

from spanglass_server.store.compaction import TARGET_ROWS, choose

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
    return segment(number, rows=sum(held.rows for held in chosen), columns=columns)


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
    """Whatever is chosen are at least four segments, in order, whose rows and columns fit into one."""
    segments = [segment(number, rows=rows, columns=columns) for number, (rows, columns) in enumerate(made)]
    chosen = choose(segments, MAX_COLUMNS)

    assert not chosen or len(chosen) >= 4
    assert [held.id for held in chosen] == sorted({held.id for held in chosen})
    assert sum(held.rows for held in chosen) <= TARGET_ROWS
    assert len(merged(0, chosen).columns) <= MAX_COLUMNS


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


def test_large_segments_are_rewritten_a_few_times_at_most():
    """A busy server's flushes of 5000 rows are rewritten three times at most on their way to full segments."""
    segments, rewritten = [], Counter()
    for _ in range(500):
        number = max((held.id for held in segments), default=0) + 1
        segments = settle([*segments, segment(number, rows=5000)], rewritten)

    assert rewritten["rows"] <= 3 * 500 * 5000
    assert len(segments) < 40
