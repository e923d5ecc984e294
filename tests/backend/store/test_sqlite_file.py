"""Files that keep what nothing can derive again."""

from __future__ import annotations

import pytest

from spanglass_server.store.segment_files.catalog import Change, Digests, LocalCatalog
from spanglass_server.store.sqlite_file import SqliteFile, Wording

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
