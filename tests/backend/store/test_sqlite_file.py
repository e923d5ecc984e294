"""Files that keep what nothing can derive again."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from spanglass_server.store.segment_files.catalog import Change, Digests, LocalCatalog
from spanglass_server.store.sqlite_file import SqliteFile, Wording, cut_logs

WORDING = Wording("the file", "all of it", ValueError, ValueError)
#: What the log may take, its header and those of its pages included.
MOST_BYTES = 320 << 10


def fill_file(path):
    """Change a file in 100 steps, one of which is larger than all others."""
    file = SqliteFile(path, ["CREATE TABLE notes (id INTEGER PRIMARY KEY, words TEXT);"], WORDING)
    for number in range(100):
        with file.write() as connection:
            text = "x" * (2_000_000 if number == 50 else 10_000)
            connection.execute("INSERT INTO notes (words) VALUES (?)", (text,))
    return file


def fill_catalog(path):
    """Commit the digests of 100 generations to a catalog, one by one."""
    catalog = LocalCatalog(path)
    for number in range(100):
        digests = frozenset((500 * number + at).to_bytes(16, "big") for at in range(500))
        catalog.commit(Change(digests=Digests(number, number, digests)))
    return catalog


@pytest.mark.parametrize("fill", [fill_file, fill_catalog])
def test_the_log_beside_a_file_stays_short(fill, tmp_path):
    """Of many changes, and after a large one, the log takes as much disk as a few small ones, while it is open."""
    path = tmp_path / "kept.sqlite"
    opened = fill(path)
    log_bytes, file_bytes = (tmp_path / "kept.sqlite-wal").stat().st_size, path.stat().st_size
    opened.close()

    assert 0 < log_bytes < MOST_BYTES < file_bytes


COUNTS = {fill_file: "SELECT count(*) FROM notes", fill_catalog: "SELECT count(*) FROM digests"}


def log_bytes(folder):
    """How long the log of the file in a folder is."""
    return (folder / "kept.sqlite-wal").stat().st_size


@pytest.mark.parametrize("fill", [fill_file, fill_catalog])
def test_a_log_at_rest_is_cut(fill, tmp_path):
    """Of a log that was last written before the time nothing is left, and what it held is in the file by itself."""
    opened = fill(tmp_path / "kept.sqlite")
    written_ns = (tmp_path / "kept.sqlite-wal").stat().st_mtime_ns
    cut_logs(tmp_path, written_ns)
    bytes_before = log_bytes(tmp_path)
    cut_logs(tmp_path, written_ns + 1)
    (tmp_path / "copy").write_bytes((tmp_path / "kept.sqlite").read_bytes())
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        rows = copy.execute(COUNTS[fill]).fetchone()[0]

    assert (bytes_before > 0, log_bytes(tmp_path), rows) == (True, 0, 100)
    opened.close()


def test_a_log_in_use_is_not_cut(tmp_path):
    """While somebody reads or changes a file its log stays, nobody fails, and later it is cut."""
    file = fill_file(tmp_path / "kept.sqlite")
    at_ns = (tmp_path / "kept.sqlite-wal").stat().st_mtime_ns
    with file.write() as connection:
        connection.execute("DELETE FROM notes WHERE id = 1")
        cut_logs(tmp_path, 2 * at_ns)
    assert log_bytes(tmp_path) > 0
    with file.read() as connection:
        count = "SELECT count(*) FROM notes"
        seen = connection.execute(count).fetchone()
        with file.write() as other:
            other.execute("DELETE FROM notes WHERE id = 2")
        cut_logs(tmp_path, 2 * at_ns)
        assert (seen, connection.execute(count).fetchone()) == ((99,), (99,))
    assert log_bytes(tmp_path) > 0
    cut_logs(tmp_path, 2 * at_ns)
    with file.read() as connection:
        assert (log_bytes(tmp_path), connection.execute(count).fetchone()) == (0, (98,))
    file.close()


def test_a_log_of_no_file(tmp_path):
    """A log whose file can't be read is an error that names the file."""
    (tmp_path / "kept.sqlite").mkdir()
    (tmp_path / "kept.sqlite-wal").write_bytes(b"x")
    with pytest.raises(OSError, match=r"the log of .*kept.sqlite can't be taken over"):
        cut_logs(tmp_path, 2**62)
