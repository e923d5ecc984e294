"""The file of the local issue store: what is said of one that can't be used, crashes, threads and full disks."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sightings import seen

from spanglass_server.issues.model import IssueChange
from spanglass_server.issues.ports import IssueStoreDamagedError, IssueStoreVersionError
from spanglass_server.issues.sqlite.database import SCHEMA_VERSION
from spanglass_server.issues.sqlite_store import SqliteIssueStore

#: Observes the same hundred batches over and over, and says each that is done.
CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from sightings import seen
from spanglass_server.issues.sqlite_store import SqliteIssueStore
store = SqliteIssueStore(Path(sys.argv[1]), 1000)
for number in range(int(sys.argv[3]), 1000):
    store.observe([seen(number * 3 + key, 100 + number, release=f"1.{number}") for key in range(5)], 5000)
    print(number, flush=True)
"""


def test_a_newer_file(tmp_path):
    """The message names both versions and says what to do."""
    SqliteIssueStore(tmp_path / "issues", 10).close()
    connection = sqlite3.connect(tmp_path / "issues")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()

    with pytest.raises(IssueStoreVersionError, match=rf"version {SCHEMA_VERSION + 1} .* start the newer server"):
        SqliteIssueStore(tmp_path / "issues", 10)


def test_a_damaged_file(tmp_path):
    """The message says that it is damaged, what is lost without it and what stays."""
    (tmp_path / "issues").write_bytes(b"not a database" * 1000)

    with pytest.raises(IssueStoreDamagedError, match=r"is damaged .* restore it from a backup"):
        SqliteIssueStore(tmp_path / "issues", 10)


def test_a_file_cut_short(tmp_path):
    """Half a file is damaged as well."""
    store = SqliteIssueStore(tmp_path / "issues", 1000)
    store.observe([seen(key) for key in range(500)], 200)
    store.close()
    data = (tmp_path / "issues").read_bytes()
    (tmp_path / "issues").write_bytes(data[: len(data) // 2])

    with pytest.raises(IssueStoreDamagedError, match="is damaged"):
        SqliteIssueStore(tmp_path / "issues", 10)


def test_a_file_without_its_tables(tmp_path):
    """A file of this version with other tables can't be read, and the message names the file."""
    connection = sqlite3.connect(tmp_path / "issues")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.close()

    with pytest.raises(OSError, match=r"the issue store .*issues can't be read: no such table"):
        SqliteIssueStore(tmp_path / "issues", 10)


def test_a_place_that_is_none(tmp_path):
    """A directory that is not there is an error of the disk."""
    with pytest.raises(OSError, match="can't be read"):
        SqliteIssueStore(tmp_path / "nowhere" / "issues", 10)


def test_a_failed_change_changes_nothing(tmp_path):
    """A disk that is full in the middle: an ``OSError``, everything as before, and the next change works."""
    store = SqliteIssueStore(tmp_path / "issues", 1000)
    store.observe([seen(1)], 200)
    before = store.snapshot(), store.route(999, "checkout")
    pages = store._database._writer.execute("PRAGMA page_count").fetchone()[0]
    store._database._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OSError, match="the issue store could not be written"):
        store.observe([seen(key, title="x" * 1000) for key in range(2, 300)], 300)
    assert (store.snapshot(), store.route(999, "checkout"), len(store.events())) == (*before, 1)
    store.change(["CHECKOUT-1"], IssueChange(assignee="bob"), "ann", 300)
    assert [issue.assignee for issue in store.snapshot().issues.values()] == ["bob"]
    store._database._writer.execute("PRAGMA max_page_count = 1000000")

    assert len(store.observe([seen(2)], 400)) == 1
    store.close()


@pytest.mark.parametrize("kill_after", [1, 7, 30])
def test_killed_and_observed_again(tmp_path, kill_after):
    """After ``kill -9`` all that was acknowledged is there, and the batches seen again make no issue twice."""
    path, helpers = tmp_path / "issues", str(Path(__file__).parent)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), helpers, "0"], stdout=subprocess.PIPE, text=True
    ) as child:
        last = 0
        while last < kill_after:
            last = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        last = max([last, *(int(line) for line in child.stdout.readlines() if line.endswith("\n"))])
    store = SqliteIssueStore(path, 1000)
    assert set(range(last * 3 + 5)) <= set(store.snapshot().by_key)
    for number in range(last + 3):
        store.observe([seen(number * 3 + key, 100 + number, release=f"1.{number}") for key in range(5)], 6000)
    events, issues = store.events(), store.snapshot().issues.values()

    assert sorted(issue.keys for issue in issues) == [(key,) for key in range((last + 2) * 3 + 5)]
    assert sorted(event.issue for event in events) == sorted(issue.id for issue in issues)
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert all(issue.first_seen_ns == 100 + max(0, (issue.keys[0] - 2) // 3) for issue in issues)
    store.close()


def test_threads_read_while_one_writes(tmp_path):
    """Every snapshot is whole: each key's issue is among the issues, and versions never go back."""
    store = SqliteIssueStore(tmp_path / "issues", 100_000)
    wrong, done = [], threading.Event()

    def read():
        version = 0
        while not done.is_set():
            snapshot = store.snapshot()
            if snapshot.version < version or len(snapshot.by_key) != sum(len(i.keys) for i in snapshot.issues.values()):
                wrong.append(snapshot)
            version = snapshot.version

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(30):
        store.observe([seen(number * 10 + key) for key in range(10)], 200)
        store.merge([f"CHECKOUT-{number * 10 + 1}"], "CHECKOUT-2", "ann", 300)
        store.change([f"CHECKOUT-{number * 10 + 3}"], IssueChange(assignee="bob"), "ann", 300)
    done.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    snapshot = store.snapshot()
    store.close()
    store = SqliteIssueStore(tmp_path / "issues", 100_000)
    assert snapshot == store.snapshot(), "what was made of changes alone is what is read as a whole"
    store.close()
