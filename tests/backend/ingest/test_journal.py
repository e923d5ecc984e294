"""The journal: what was appended is read back; whatever happens to its end costs no whole record."""

from __future__ import annotations

import resource
import signal as signals
import zlib
from itertools import pairwise

import pytest

from spanglass_server.ingest.journal.file import Entry, JournalError, JournalFile, Survey, read_entries, survey
from spanglass_server.ingest.journal.folder import journal_files, journal_path
from spanglass_server.signals import SENT

ENTRIES = [
    Entry(signal, 10**18 + number, bytes([number]) * 16, bytes([number]) * size)
    for number, (signal, size) in enumerate(zip(list(SENT) * 2, (0, 1, 300, 5000, 7, 64), strict=True))
]


def written(path, *batches):
    """Write a journal of these batches, and return the file's size after each."""
    journal = JournalFile(path)
    sizes = [journal.size]
    for batch in batches:
        journal.append(batch)
        sizes.append(journal.size)
    journal.close()
    return sizes


def test_entries_read_back_equal(tmp_path):
    """Signals, times, digests and bodies of any size come back, in order, however they were batched."""
    path = tmp_path / "1.journal"
    size = written(path, ENTRIES[:1], ENTRIES[1:])[-1]

    assert list(read_entries(path)) == ENTRIES
    assert (survey(path), path.stat().st_size) == (Survey(), size)


def test_a_checksum_is_the_same_as_ever(tmp_path):
    """Files of other versions are read: it is the CRC-32 of the header without it, and of the body, of any size."""
    bodies = [bytes(number % 251 for number in range(size)) for size in (0, 4999, 5000, 12_345, 524_289)]
    written(tmp_path / "1.journal", [Entry(SENT[0], 10**18, bytes(16), body) for body in bodies])

    content, place = (tmp_path / "1.journal").read_bytes(), 8
    for body in bodies:
        header, place = content[place : place + 36], place + 36 + len(body)
        assert int.from_bytes(header[4:8], "little") == zlib.crc32(header[:4] + header[8:] + body)


def test_a_batch_of_more_parts_than_one_call_takes(tmp_path):
    """A thousand entries, more than one writev can take, are one batch all the same."""
    entries = ENTRIES * 200
    written(tmp_path / "1.journal", entries)

    assert list(read_entries(tmp_path / "1.journal")) == entries


def test_a_torn_tail_loses_the_last_record_only(tmp_path):
    """Cut at any byte of the last record, the ones before it are read; nothing is made up."""
    path = tmp_path / "1.journal"
    *_, before, size = written(path, ENTRIES[:3], ENTRIES[5:])
    whole = path.read_bytes()

    for end in range(before, size):
        path.write_bytes(whole[:end])
        assert list(read_entries(path)) == ENTRIES[:3], end
        assert survey(path) == Survey(torn_bytes=end - before), end


def test_a_turned_bit_loses_the_last_record_only(tmp_path):
    """Any single bit turned in the last record is noticed, its length and checksum included."""
    path = tmp_path / "1.journal"
    *_, before, size = written(path, ENTRIES[:3], ENTRIES[5:])
    whole = path.read_bytes()

    for bit in range(8 * before, 8 * size):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        assert list(read_entries(path)) == ENTRIES[:3], bit


def test_a_turned_bit_in_the_middle_loses_one_record(tmp_path):
    """Any bit turned in a record costs that record alone: those behind it are found, and how much is lost is known."""
    path = tmp_path / "1.journal"
    _, first, before, after = written(path, ENTRIES[:1], ENTRIES[2:3], ENTRIES[3:])[:4]
    whole = path.read_bytes()
    assert first < before < after

    for bit in range(8 * first, 8 * before):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        assert list(read_entries(path)) == [ENTRIES[0], *ENTRIES[3:]], bit
        assert survey(path) == Survey(damaged_bytes=before - first, damaged_places=1), bit


def test_damage_at_the_beginning_loses_nothing(tmp_path):
    """A file whose first bytes are broken is read all the same, and known to be damaged."""
    path = tmp_path / "1.journal"
    written(path, ENTRIES)
    path.write_bytes(b"\xff" + path.read_bytes()[1:])

    assert list(read_entries(path)) == ENTRIES
    assert survey(path) == Survey(damaged_bytes=8, damaged_places=1)


def test_a_long_stretch_of_zeros_is_searched_in_bounded_time(tmp_path):
    """A journal that the disk filled with zeros, where each byte may begin a record, is torn, and read in seconds."""
    path = tmp_path / "1.journal"
    *_, size = written(path, ENTRIES[:3])
    with path.open("ab") as file:
        file.truncate(64 << 20)

    assert list(read_entries(path)) == ENTRIES[:3]
    assert survey(path) == Survey(torn_bytes=(64 << 20) - size)


def test_a_length_of_gigabytes_is_not_asked_for(tmp_path):
    """A broken length of 4 GB reads as the journal's end, without a buffer of that size."""
    path = tmp_path / "1.journal"
    *_, before, _ = written(path, ENTRIES[:2], ENTRIES[2:3])
    broken = bytearray(path.read_bytes())
    broken[before : before + 4] = b"\xff" * 4
    path.write_bytes(broken)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + (1 << 30), limits[1]))
    try:
        read = list(read_entries(path))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)

    assert read == ENTRIES[:2]


def _address_space():
    """The bytes of address space in use."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a path of ours
        return int(file.read().split()[0]) * resource.getpagesize()


@pytest.fixture
def file_size_limit():
    """Yield a function that limits the size of files this process may write; undone after the test."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signals.signal(signals.SIGXFSZ, signals.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signals.signal(signals.SIGXFSZ, handler)


def test_a_failed_write_leaves_no_trace(tmp_path, file_size_limit):
    """A batch that the disk takes in part is undone: the records before stay, and later ones follow them."""
    path = tmp_path / "1.journal"
    journal = JournalFile(path)
    journal.append(ENTRIES[:2])
    whole = journal.size
    file_size_limit(whole + 2000)
    with pytest.raises(JournalError):
        journal.append(ENTRIES[2:4])
    torn = path.stat().st_size
    file_size_limit(resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    journal.append(ENTRIES[4:])
    journal.close()

    assert torn == whole
    assert list(read_entries(path)) == [*ENTRIES[:2], *ENTRIES[4:]]


def test_a_file_that_cant_begin_is_an_error(tmp_path, file_size_limit):
    """A disk that takes half of a new file's first bytes means an error, not a file that can't be read later."""
    file_size_limit(4)
    with pytest.raises(OSError, match="File too large"):
        JournalFile(tmp_path / "1.journal")


def test_another_file_has_no_entries(tmp_path):
    """What is no journal, an empty file included, reads as one without entries."""
    for content in (b"", b"SGJ", b"something else entirely"):
        (tmp_path / "1.journal").write_bytes(content)
        assert list(read_entries(tmp_path / "1.journal")) == []


def test_files_come_in_the_order_of_their_generations(tmp_path):
    """Generations are numbers, oldest first; files of other names are none."""
    for generation in (9, 10, 1_000_000_000_000_0, 2):
        journal_path(tmp_path, generation).touch()
    (tmp_path / "000000000003.damaged").touch()
    (tmp_path / "notes.journal").touch()
    numbers = list(journal_files(tmp_path))

    assert sorted(numbers) == numbers == [2, 9, 10, 10_000_000_000_000]
    assert all(a < b for a, b in pairwise(numbers))
