"""After a crash at any moment every acknowledged record is there, once."""

from __future__ import annotations

import logging
import shutil
import threading

import pytest
from nodes import NOW_NS, Clock, open_node, spans

from spanglass_server.ingest import shredding
from spanglass_server.ingest.journal.file import Entry, JournalFile
from spanglass_server.ingest.journal.flushing import FlushPace
from spanglass_server.ingest.journal.folder import journal_path
from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.signals import Signal
from spanglass_server.supervision import Backoff

SECOND_NS = 10**9


@pytest.fixture
def crash(tmp_path):
    """Return a function that copies a data directory, as a crash would leave it."""
    taken = []

    def copy(node):
        taken.append(tmp_path / f"crash {len(taken)}")
        shutil.copytree(node.data_dir, taken[-1])
        return taken[-1]

    return copy


def names_after(data_dir):
    """The spans that a new node finds in a directory, at once and after it has flushed them."""
    with open_node(data_dir) as node:
        at_once = node.names()
    with open_node(data_dir) as node:
        return at_once, node.names(), node.journals()


def test_a_crash_after_the_acknowledgement(tmp_path, crash):
    """Records only in the journal are in the answer of the next start, and in a segment after it."""
    with open_node(tmp_path / "data") as node:
        node.submit(spans("a", "b"), spans("c"))
        node.submit(spans("d"))
        left = crash(node)

    assert names_after(left) == (["a", "b", "c", "d"], ["a", "b", "c", "d"], [])


def test_crashes_around_a_flush(tmp_path, crash, monkeypatch):
    """With the segment written and not committed, or committed and the journal not deleted: each record once."""
    left = {}
    with open_node(tmp_path / "data") as node:
        catalog = node.real.store.catalog
        commit = catalog.commit

        def watched(change):
            left["before the commit"] = crash(node)
            commit(change)
            left["after the commit"] = crash(node)

        monkeypatch.setattr(catalog, "commit", watched)
        node.submit(spans("a", "b"), spans("c"))

    files = {
        moment: (
            len(list(path.glob(f"segments/spans/{'[0-9]' * 12}.parquet"))),
            len(list(path.glob("journal/*.journal"))),
        )
        for moment, path in left.items()
    }
    assert files == {"before the commit": (1, 1), "after the commit": (1, 1)}
    for path in (*left.values(), tmp_path / "data"):
        assert names_after(path) == (["a", "b", "c"], ["a", "b", "c"], [])


def test_a_torn_journal_loses_only_what_was_not_acknowledged(tmp_path, crash, caplog):
    """Bytes after the last whole record are left out, said in the log, and do not come back."""
    with open_node(tmp_path / "data") as node:
        node.submit(spans("a"))
        left = crash(node)
    (journal,) = left.glob("journal/*.journal")
    with journal.open("ab") as file:
        file.write(journal.read_bytes()[8:-1])
    found = names_after(left)

    assert found == (["a"], ["a"], [])
    assert "bytes at its end are no whole record and are left out" in caplog.text


def test_a_turned_bit_keeps_the_file_as_evidence(tmp_path, crash, caplog):
    """What stands before and behind the damage is stored, the log says what is lost, and the file stays."""
    with open_node(tmp_path / "data") as node:
        for name in ("a", "lost", "b", "c"):
            node.submit(spans(name))
        left = crash(node)
    (journal,) = left.glob("journal/*.journal")
    content = journal.read_bytes()
    journal.write_bytes(content.replace(b"lost", b"lose"))
    size = len(spans("lost")) + 36

    assert names_after(left) == (["a", "b", "c"], ["a", "b", "c"], ["000000000001.damaged"])
    assert f"{size} bytes in 1 places are damaged" in caplog.text
    assert "no whole record" not in caplog.text


def test_an_entry_written_twice_is_stored_once(tmp_path):
    """A request whose first write was not acknowledged and could not be undone comes back once."""
    directory = tmp_path / "data" / "journal"
    directory.mkdir(parents=True)
    entries = [Entry(Signal.SPANS, NOW_NS + number, b"1" * 16, spans("a")) for number in range(3)]
    for generation, batch in ((1, entries[:2]), (2, entries[2:])):
        journal = JournalFile(journal_path(directory, generation))
        journal.append(batch)
        journal.close()

    assert names_after(tmp_path / "data") == (["a"], ["a"], [])


@pytest.mark.parametrize("moment", ["quarantined", "flushed"])
def test_a_stubborn_generation_survives(tmp_path, crash, monkeypatch, moment):
    """Set aside while later ones become segments, its records are found, at once and after a crash, and once."""
    pace = FlushPace(Backoff(0.001, 0.001), Backoff(0.001, 0.001), defects_max=2)
    with open_node(tmp_path / "data", pace=pace, flush_bytes=1) as node:
        flush, dispose = node.real.store.flush, node.real._folder.dispose
        fails = threading.Event()
        fails.set()

        def stubborn(generation, *rest, **how):
            if generation == 1 and fails.is_set():
                raise ValueError("as a defect would")
            flush(generation, *rest, **how)

        def left_behind(generation, *, keep):
            if generation == 1:
                raise PermissionError(1, "Operation not permitted")
            dispose(generation, keep=keep)

        monkeypatch.setattr(node.real.store, "flush", stubborn)
        monkeypatch.setattr(node.real._folder, "dispose", left_behind)
        for name in ("a", "b", "c"):
            node.submit(spans(name))
        node.until(lambda: node.journals() == ["000000000001.quarantined"])
        problems, at_once = node.real.problems, node.names()
        if moment == "flushed":
            fails.clear()
            node.until(lambda: node.states() == {"flushed": 1})
        left = crash(node)

    assert "generation 1 of the journal can't become segments" in problems[0]
    assert at_once == ["a", "b", "c"]
    assert names_after(left) == (["a", "b", "c"], ["a", "b", "c"], [])


def test_replay_judges_times_as_they_were_judged(tmp_path):
    """A record rejected as too far in the future does not slip in when its request is replayed with later ones."""
    directory = tmp_path / "data" / "journal"
    directory.mkdir(parents=True)
    journal = JournalFile(journal_path(directory, 1))
    early = spans("early")
    journal.append([Entry(Signal.SPANS, NOW_NS - 2 * SECOND_NS, b"1" * 16, early)])
    journal.append([Entry(Signal.SPANS, NOW_NS, b"2" * 16, spans("now"))])
    journal.close()
    with open_node(tmp_path / "data", ingest={"max_future_ns": SECOND_NS}) as node:
        found = node.names()

    assert found == ["now"]


def test_an_entry_that_cant_be_decoded_is_kept_aside(tmp_path, caplog):
    """The rest of its generation is stored, and the journal's file stays, under another name."""
    directory = tmp_path / "data" / "journal"
    directory.mkdir(parents=True)
    journal = JournalFile(journal_path(directory, 1))
    journal.append(
        [Entry(Signal.SPANS, NOW_NS, b"1" * 16, b"\xff\xff"), Entry(Signal.SPANS, NOW_NS, b"2" * 16, spans("b"))]
    )
    journal.close()

    assert names_after(tmp_path / "data") == (["b"], ["b"], ["000000000001.damaged"])
    assert "stays in the journal's file" in caplog.text


def test_records_that_cant_become_columns_cost_no_others(tmp_path, monkeypatch, caplog):
    """One part that fails leaves the others of its batch stored, is said in the log, and its file is kept aside."""
    real = shredding.shred

    def failing(parts, budget, limits, families):
        if any(b"bad" in part.batch.column(0).to_pylist().__repr__().encode() for part in parts):
            raise ValueError("as a defect would")
        return real(parts, budget, limits, families)

    monkeypatch.setattr(shredding, "shred", failing)
    with open_node(tmp_path / "data") as node:
        answers = [node.submit(spans(name))[0] for name in ("a", "bad", "c")]
        found = node.names()
    with open_node(tmp_path / "data") as node:
        after = node.names()
        journals = node.journals()

    assert answers == [Accepted(1)] * 3
    assert found == after == ["a", "c"]
    assert journals == ["000000000001.damaged"]
    assert "1 spans can't be shredded" in caplog.text


def test_a_resend_under_way_is_stored_once(tmp_path):
    """The same bytes submitted at once are stored once, and both callers are answered."""
    body = spans("a", "b")
    with open_node(tmp_path / "data") as node:
        answers = node.submit(body, body, body)
        found = node.names()

    assert sorted(answers, key=lambda answer: answer.duplicate) == [Accepted(2), *[Accepted(0, duplicate=True)] * 2]
    assert found == ["a", "b"]


def test_a_resend_of_a_partly_rejected_request_hears_why_again(tmp_path):
    """Whoever waits for the same bytes is told of what was rejected, too."""
    body = spans("a", "far too long for an id")
    with open_node(tmp_path / "data") as node:
        answers = node.submit(body, body)

    assert sorted(answers, key=lambda answer: answer.duplicate) == [
        Accepted(1, 1, "1 rejected: trace_id must have 16 bytes"),
        Accepted(0, 1, "1 rejected: trace_id must have 16 bytes", duplicate=True),
    ]


def test_a_resend_is_recognised_across_flush_and_restart(tmp_path, crash):
    """In memory, in a segment, after an orderly restart and after a crash: stored once, until the window is over."""
    clock, body = Clock(), spans("a")
    duplicate = [Accepted(0, duplicate=True)]
    with open_node(tmp_path / "data", clock) as node:
        first, again = node.submit(body), node.submit(body)
        left = crash(node)
    with open_node(left, clock) as node:
        after_crash = node.submit(body)
    with open_node(tmp_path / "data", clock) as node:
        after_restart = node.submit(body)
        found = node.names()

    assert (first, again, after_crash, after_restart) == ([Accepted(1)], duplicate, duplicate, duplicate)
    assert found == ["a"]


def test_a_resend_is_recognised_whatever_seals_its_generation(tmp_path):
    """Digests of a request that fills its generation reach the catalog with the segment, not after it."""
    with open_node(tmp_path / "data", flush_bytes=1) as node:
        for name in "abc":
            node.submit(spans(name))
    with open_node(tmp_path / "data") as node:
        answers = [node.submit(spans(name)) for name in "abc"]

    assert answers == [[Accepted(0, duplicate=True)]] * 3


def test_the_window_of_resends_ends(tmp_path):
    """Past the window, and once something else was flushed, the same bytes are a new request."""
    clock, body = Clock(), spans("a")
    with open_node(tmp_path / "data", clock, ingest={"dedupe_window_ns": 10 * SECOND_NS}, flush_bytes=1) as node:
        node.submit(body)
    clock.now_ns += 11 * SECOND_NS
    with open_node(tmp_path / "data", clock, ingest={"dedupe_window_ns": 10 * SECOND_NS}, flush_bytes=1) as node:
        node.submit(spans("b"))
    with open_node(tmp_path / "data", clock) as node:
        answers = node.submit(body)
        found = node.names()

    assert answers == [Accepted(1)]
    assert found == ["a", "a", "b"]


def test_good_records_survive_bad_company(tmp_path):
    """Bodies submitted together, malformed and wholly rejected ones among them: every good record is stored."""
    bodies = [spans("far too long for an id"), spans("a"), b"\xff\xff", spans("b", "c")]
    with open_node(tmp_path / "data") as node:
        answers = node.submit(*bodies, b"")
        found = node.names()

    assert answers[0] == Accepted(0, 1, "1 rejected: trace_id must have 16 bytes")
    assert [answers[1], answers[3], answers[4]] == [Accepted(1), Accepted(2), Accepted(0)]
    assert isinstance(answers[2], IngestError)
    assert answers[2].refusal is Refusal.MALFORMED
    assert found == ["a", "b", "c"]


def test_a_disk_without_room_is_refused_and_recovers(tmp_path, caplog):
    """Below the reserve nothing is taken in and health says why; nothing that was stored is lost."""
    caplog.set_level(logging.ERROR)
    with open_node(tmp_path / "data") as node:
        node.submit(spans("a"))
    with open_node(tmp_path / "data", min_free_disk_bytes=1 << 60) as node:
        node.real._generations.tick()
        (answer,) = node.submit(spans("b"))
        health, found = node.real.ingest.health, node.names()
    with open_node(tmp_path / "data") as node:
        later = node.submit(spans("b"))

    assert isinstance(answer, IngestError)
    assert answer.refusal is Refusal.UNAVAILABLE
    assert "storage.min_free_disk_bytes" in str(answer)
    assert "storage.min_free_disk_bytes" in health
    assert found == ["a"]
    assert later == [Accepted(1)]
