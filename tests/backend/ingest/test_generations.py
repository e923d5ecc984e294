"""The open generation: what it takes is on disk and visible, and what fails leaves it as it was."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from nodes import NOW_NS, Clock

from spanglass_server.ingest.digests import DigestWindow
from spanglass_server.ingest.journal.file import Entry, JournalError, read_entries
from spanglass_server.ingest.journal.folder import JournalFolder
from spanglass_server.ingest.journal.generations import GenerationLimits, Generations
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.signals import Signal
from spanglass_server.store.disk import Disk

SECOND_NS = 10**9


class BrokenDisk(Disk):
    """A disk of which the named operations fail."""

    def __init__(self):
        self.broken = {}

    def write(self, descriptor, parts):
        """Write half of the first part, and fail."""
        if error := self.broken.get("write"):
            super().write(descriptor, [parts[0][:5]])
            raise error
        return super().write(descriptor, parts)

    def truncate(self, descriptor, size):
        """Fail, or truncate."""
        if error := self.broken.get("truncate"):
            raise error
        super().truncate(descriptor, size)

    def close(self, descriptor):
        """Close, and fail."""
        super().close(descriptor)
        if error := self.broken.get("close"):
            raise error


class Pending:
    """Where records go: a list, or an error."""

    def __init__(self):
        self.added = []
        self.error = None
        self.waited = []  # what was asked for, and how much had been added then

    def wait_for_room(self, most_bytes, seconds):
        """Note that nothing goes on until there is room."""
        self.waited.append((most_bytes, seconds, len(self.added)))

    def add(self, generation, decoded):
        """Take records."""
        if self.error is not None:
            raise self.error
        self.added.append((generation, decoded))


class Journal:
    """Generations over a real directory; sealed ones are only counted."""

    def __init__(self, directory, flush_bytes=1 << 20):
        self.disk, self.clock, self.pending, self.sealed = BrokenDisk(), Clock(), Pending(), []
        self.digests = DigestWindow(SECOND_NS)
        flushing = SimpleNamespace(waiting=0, problem=None, add=self.sealed.append, wait_for_room=lambda *_: None)
        self.flushing = flushing
        self.folder = JournalFolder(directory / "journal", self.disk)
        self.generations = Generations(
            *(self.folder, 7, flushing, self.pending, self.digests),
            *(GenerationLimits(flush_bytes, 30 * SECOND_NS, 0), Telemetry(), self.clock),
        )

    def append(self, *bodies):
        """Append an entry of each body, of one batch."""
        entries = [Entry(Signal.SPANS, NOW_NS, body.ljust(16), body) for body in bodies]
        self.generations.append(entries, list(bodies))

    @property
    def content(self):
        """The bodies on disk, by generation."""
        return {number: [entry.body for entry in read_entries(path)] for number, path in self.folder.files().items()}


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path)


def test_what_is_appended_is_on_disk_and_handed_on(journal):
    """Entries stand in the file, their digests are known, and their records are pending, in the open generation."""
    journal.append(b"a", b"b")

    assert journal.content == {7: [b"a", b"b"]}
    assert journal.pending.added == [(7, [b"a", b"b"])]
    assert journal.digests.of(7) == (NOW_NS, frozenset({b"a".ljust(16), b"b".ljust(16)}))


def test_an_answer_waits_for_room_among_what_is_not_columns_yet(journal):
    """For two seconds at most, before anything of it is stored: so senders slow down where columns come later."""
    journal.append(b"a")
    journal.append(b"b")

    assert journal.pending.waited == [(16 << 20, 2.0, 0), (16 << 20, 2.0, 1)]


def test_a_generation_is_sealed_by_size_age_or_word(tmp_path):
    """Once it has the bytes, once it is old enough, or when it is asked to be; an empty one never is."""
    journal = Journal(tmp_path, flush_bytes=100)
    journal.append(b"x" * 100)
    journal.append(b"a")
    journal.clock.now_ns += 30 * SECOND_NS - 1
    journal.generations.tick()
    young = list(journal.sealed)
    journal.clock.now_ns += 1
    journal.generations.tick()
    journal.generations.tick()
    journal.append(b"b")
    journal.generations.seal()
    journal.generations.seal()

    assert young == [7]
    assert journal.sealed == [7, 8, 9]
    assert journal.content == {7: [b"x" * 100], 8: [b"a"], 9: [b"b"]}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError()])
def test_a_failed_write_is_undone(journal, error):
    """Nothing of the batch is in the file, known or pending, and what comes later stands behind what was before."""
    journal.append(b"a")
    journal.disk.broken["write"] = error
    with pytest.raises(JournalError if isinstance(error, OSError) else MemoryError):
        journal.append(b"lost")
    journal.disk.broken.clear()
    journal.generations.tick()
    journal.append(b"b")

    assert [body for bodies in journal.content.values() for body in bodies] == [b"a", b"b"]
    assert [records for _, records in journal.pending.added] == [[b"a"], [b"b"]]
    assert b"lost".ljust(16) not in journal.digests


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError()])
def test_nothing_is_written_behind_what_cant_be_undone(journal, error):
    """A file with a torn end is sealed at once: what comes later stands in the next one, where a crash finds it."""
    journal.append(b"a")
    journal.disk.broken = {"write": error, "truncate": OSError(5, "Input/output error")}
    with pytest.raises((JournalError, MemoryError)):
        journal.append(b"lost")
    journal.disk.broken.clear()
    journal.generations.tick()
    journal.append(b"b")

    assert journal.content == {7: [b"a"], 8: [b"b"]}
    assert journal.sealed == [7]


def test_records_that_cant_be_handed_on_are_not_stored(journal):
    """An error after the write takes the entries out of the file again: the caller is told that nothing is stored."""
    journal.append(b"a")
    journal.pending.error = MemoryError()
    with pytest.raises(MemoryError):
        journal.append(b"lost")
    journal.pending.error = None
    journal.append(b"b")

    assert journal.content == {7: [b"a", b"b"]}
    assert b"lost".ljust(16) not in journal.digests


def test_a_disk_that_refuses_is_tried_each_tick(journal):
    """While it refuses, nothing is taken and the reason is known; the first tick that can write ends it."""
    journal.disk.broken["write"] = OSError(28, "No space left on device")
    problems = [journal.generations.problem]
    with pytest.raises(JournalError):
        journal.append(b"lost")
    for _ in range(2):
        problems.append(journal.generations.problem)
        journal.generations.tick()
    with pytest.raises(JournalError, match="the data directory can't be written"):
        journal.append(b"lost too")
    journal.disk.broken.clear()
    journal.generations.tick()
    problems.append(journal.generations.problem)
    journal.append(b"a")

    assert problems == [
        None,
        "the journal can't be written (No space left on device)",
        "the data directory can't be written (No space left on device)",
        None,
    ]
    assert journal.content == {7: [b"a"]}
    assert [path.suffix for path in journal.folder.directory.iterdir()] == [".journal"]


def test_an_error_at_closing_changes_nothing(journal):
    """All of a file is synced before it is closed: what was acknowledged stays so, and the generation is sealed."""
    journal.append(b"a")
    journal.disk.broken["close"] = OSError(5, "Input/output error")
    journal.generations.seal()

    assert (journal.sealed, journal.content) == ([7], {7: [b"a"]})


def test_senders_are_told_why_they_must_wait(journal):
    """From the third generation that waits on, with what went wrong if something did."""
    reasons = []
    for waiting, problem in ((2, "full"), (3, None), (3, "segments can't be written (full)")):
        journal.flushing.waiting, journal.flushing.problem = waiting, problem
        reasons.append(journal.generations.behind)

    assert reasons == [None, "the disk is slower than what comes in", "segments can't be written (full)"]


def test_the_size_of_the_journal_is_asked_while_files_go(journal, monkeypatch):
    """A file that is deleted between being listed and being measured is no error."""
    journal.append(b"abc")
    files = journal.folder.files()
    gone = {**files, 1: journal.folder.directory / "000000000001.journal"}
    monkeypatch.setattr(journal.folder, "files", lambda: gone)

    assert journal.folder.size_bytes == files[7].stat().st_size
