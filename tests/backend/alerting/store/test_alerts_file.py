"""The file of alerts: what is said of one that can't be used, and a disk that is full."""

from __future__ import annotations

import json
import sqlite3

import pytest
from made_alerts import fired, made

from spanglass_server.alerting.model import Entry
from spanglass_server.alerting.ports import AlertFilter, AlertStoreDamagedError, AlertStoreVersionError
from spanglass_server.alerting.store.database import SCHEMA_VERSION
from spanglass_server.alerting.store.sqlite import SqliteAlertStore


def test_a_newer_file(tmp_path):
    """The message names both versions and says what to do."""
    SqliteAlertStore(tmp_path / "alerts").close()
    connection = sqlite3.connect(tmp_path / "alerts")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()

    with pytest.raises(AlertStoreVersionError, match=r"version 3 of the alert store, this server knows 2: start the"):
        SqliteAlertStore(tmp_path / "alerts")


def test_a_damaged_file(tmp_path):
    """The message says that it is damaged, what is lost without it and what stays."""
    (tmp_path / "alerts").write_bytes(b"not a database" * 1000)

    with pytest.raises(AlertStoreDamagedError, match=r"is damaged .* rules and telemetry are kept, but alerts"):
        SqliteAlertStore(tmp_path / "alerts")
    with pytest.raises(OSError, match=r"the alert store .* can't be read"):
        SqliteAlertStore(tmp_path / "nowhere" / "alerts")


def test_a_full_disk(tmp_path):
    """A tick that can't be written raises ``OSError`` and changes nothing; the next one is taken."""
    store = SqliteAlertStore(tmp_path / "alerts")
    store.commit(fired(made("a")))
    before = store.version(), list(store.states()), list(store.entries_after(0, 9))
    pages = store._file._writer.execute("PRAGMA page_count").fetchone()[0]
    store._file._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OSError, match="the alert store could not be written"):
        store.commit(fired(made("b", description="x" * 100_000)))
    assert (store.version(), list(store.states()), list(store.entries_after(0, 9))) == before
    store._file._writer.execute("PRAGMA max_page_count = 1000000")
    store.commit(fired(made("b", description="x" * 100_000)))

    assert store.count(AlertFilter()) == 2
    store.close()


def test_long_evidence(tmp_path):
    """It takes a fraction of its JSON, is found as it was, stays when the alert changes, and tells its traces.

    So does that of an older file, which lies there as it is.
    """
    ids = [f"{number:032x}" for number in range(60)]
    evidence = {
        "examples": [{"trace_id": each, "operation": "GET /cart"} for each in ids[:50]],
        "cause": "\u00e4 \u2026",
    }
    older = {"examples": [{"trace_id": each} for each in ids[50:]]}
    path = tmp_path / "alerts"
    store = SqliteAlertStore(path)
    store.commit(fired(made("a", evidence=evidence)))
    store.commit(fired(made("b")))
    store.close()
    with sqlite3.connect(path) as connection:
        packed = connection.execute("SELECT evidence FROM alerts WHERE fingerprint = ?", (made("a").fingerprint,))
        packed_bytes = len(packed.fetchone()[0])
        connection.execute("UPDATE alerts SET evidence = ? WHERE id = ?", (json.dumps(older), made("b").id))
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    store = SqliteAlertStore(path)
    for alert in (made("a"), made("b")):
        store.note(alert.id, Entry(110, "note", "ann", "seen before"))

    assert 3 * packed_bytes < len(json.dumps(evidence))
    assert [store.alert(made(name).id).evidence for name in "ab"] == [evidence, older]
    assert store.evidence_traces() == {bytes.fromhex(each) for each in ids}
    store.close()
