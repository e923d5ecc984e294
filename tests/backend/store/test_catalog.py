"""What every catalog must do, run for each implementation."""

from __future__ import annotations

import sqlite3
import threading

import numpy as np
import pytest
from stored_spans import segment

from spanglass_server.signals import Signal
from spanglass_server.store.minute_counts import MinuteCounts
from spanglass_server.store.segment_files.catalog import (
    SCHEMA_VERSION,
    CatalogVersionError,
    Change,
    Digests,
    LocalCatalog,
)
from spanglass_server.store.segment_files.trace_filter import TraceFilter


@pytest.fixture(params=[LocalCatalog], ids=["local"])
def reopen(request, tmp_path):
    """Yield a function that opens the catalog anew, as a restart does; the one before is closed."""
    opened = []

    def again():
        if opened:
            opened[-1].close()
        opened.append(request.param(tmp_path / "catalog"))
        return opened[-1]

    yield again
    opened[-1].close()


class TestCatalog:
    """The battery."""

    def test_a_new_one_is_empty(self, reopen):
        """No segments and no digests; the journal begins at generation 1."""
        catalog = reopen()

        assert (catalog.segments(), catalog.recent_digests(), catalog.journal_start()) == ([], [], 1)

    def test_a_change_is_there_after_a_restart(self, reopen):
        """Every field of segments, the journal's start and digests come back as they were committed."""
        hashes = np.arange(100, dtype=np.uint64) << np.uint64(40)
        first = segment(1, trace_filter=TraceFilter.build(hashes), max_time_ns=2**62)
        second = segment(2, signal=Signal.METRICS, columns=frozenset({'point.a"b:str', "point.ü:int"}))
        digests = Digests(7, 123, frozenset({b"a" * 16, b"b" * 16}))
        reopen().commit(Change(add=[first, second], journal_start=8, digests=digests))
        catalog = reopen()

        assert catalog.segments() == [first, second]
        assert catalog.segments()[0].trace_filter.bits.tolist() == first.trace_filter.bits.tolist()
        assert catalog.segments()[1].trace_filter is None
        assert catalog.journal_start() == 8
        assert catalog.recent_digests() == [digests]

    def test_a_swap_is_one_change(self, reopen):
        """Added and removed segments change places at once; the rest of the catalog stays."""
        catalog = reopen()
        catalog.commit(Change(add=[segment(1), segment(2)], journal_start=5))
        catalog.commit(Change(add=[segment(3)], remove=[1, 2]))

        assert [held.id for held in catalog.segments()] == [3]
        assert catalog.journal_start() == 5

    def test_a_failed_change_changes_nothing(self, reopen):
        """Of a change that can't be made as a whole, no part is made, and the next one works."""
        catalog = reopen()
        catalog.commit(Change(add=[segment(1)], journal_start=2))
        with pytest.raises(OSError, match="the catalog could not be written"):
            catalog.commit(Change(add=[segment(2), segment(1)], remove=[1], journal_start=9))
        before = catalog.segments(), catalog.journal_start()
        catalog.commit(Change(add=[segment(2)]))

        assert before == ([segment(1)], 2)
        assert [held.id for held in catalog.segments()] == [1, 2]

    def test_old_digests_are_forgotten(self, reopen):
        """Digests whose newest request is older than the given time go; those of that very time stay."""
        catalog = reopen()
        for generation in (1, 2, 3):
            catalog.commit(Change(digests=Digests(generation, 100 * generation, frozenset())))
        catalog.commit(Change(forget_digests_before_ns=200))

        assert [held.generation for held in catalog.recent_digests()] == [2, 3]

    def test_ids_are_never_given_twice(self, reopen):
        """Ids grow, also past a restart, and also when the segment with the highest one is gone."""
        catalog = reopen()
        ids = [catalog.next_segment_id() for _ in range(3)]
        catalog.commit(Change(add=[segment(ids[-1])]))
        catalog.commit(Change(remove=[ids[-1]]))
        ids.append(reopen().next_segment_id())

        assert ids == sorted(set(ids))

    def test_threads_may_commit_at_once(self, reopen):
        """Changes from many threads are all made, each with an id of its own."""
        catalog = reopen()

        def work():
            for _ in range(20):
                catalog.commit(Change(add=[segment(catalog.next_segment_id())]))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(catalog.segments()) == len({held.id for held in catalog.segments()}) == 80


def test_a_newer_version_is_refused(tmp_path):
    """A catalog that a newer server wrote is left alone, and the error says what to do."""
    path = tmp_path / "catalog"
    LocalCatalog(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()

    with pytest.raises(CatalogVersionError, match="start the newer server that wrote it, or choose another data"):
        LocalCatalog(path)


def test_counts_of_minutes_stay_and_older_catalogs_have_none(tmp_path):
    """What a segment has in each minute is there after a restart; a catalog of the version before is read without."""
    path = tmp_path / "catalog"
    counts = MinuteCounts.of(np.array([9, 7, 9, 2**31]), np.array([9]))
    catalog = LocalCatalog(path)
    catalog.commit(Change(add=[segment(1, minute_counts=counts)]))
    catalog.close()
    catalog = LocalCatalog(path)
    found = catalog.segments()[0].minute_counts
    catalog.close()
    assert found is not None
    assert [column.tolist() for column in (found.minutes, found.spans, found.failed)] == [
        [7, 9, 2**31], [1, 2, 1], [0, 1, 0],
    ]  # fmt: skip
    connection = sqlite3.connect(path)
    connection.executescript("ALTER TABLE segments DROP COLUMN minute_counts; PRAGMA user_version = 4;")
    connection.close()
    catalog = LocalCatalog(path)
    assert [held.minute_counts for held in catalog.segments()] == [None]
    catalog.close()
