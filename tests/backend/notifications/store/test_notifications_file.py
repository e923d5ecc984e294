"""The file of notifications: what is said of one that can't be used, a full disk, and how groups of thousands fit."""

from __future__ import annotations

import sqlite3

import pytest
from made_notifications import alert, told

from spanglass_server.notifications.ports import (
    Decision,
    DeliveryFilter,
    NotificationStoreDamagedError,
    NotificationStoreVersionError,
)
from spanglass_server.notifications.store.codec import packed, unpacked
from spanglass_server.notifications.store.database import SCHEMA_VERSION
from spanglass_server.notifications.store.sqlite import SqliteNotificationStore


def test_files_that_cant_be_used(tmp_path):
    """One of a newer server, and one that is damaged: the message says what to do, and what is lost."""
    SqliteNotificationStore(tmp_path / "newer").close()
    connection = sqlite3.connect(tmp_path / "newer")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    (tmp_path / "damaged").write_bytes(b"not a database" * 1000)

    with pytest.raises(NotificationStoreVersionError, match=r"version 2 of the notification store, this server knows"):
        SqliteNotificationStore(tmp_path / "newer")
    with pytest.raises(NotificationStoreDamagedError, match=r"is damaged .* alerts and settings are kept, but the"):
        SqliteNotificationStore(tmp_path / "damaged")


def test_a_full_disk(tmp_path):
    """A decision that can't be written raises ``OSError`` and changes nothing; taken again, it is kept."""
    store = SqliteNotificationStore(tmp_path / "notifications")
    decision = Decision(
        cursor=5, groups={"g": {}}, notifications=tuple(told(f"n{number}", why="x" * 400) for number in range(500))
    )
    pages = store._file._writer.execute("PRAGMA page_count").fetchone()[0]
    store._file._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(OSError, match="the notification store could not be written"):
        store.decide(decision)
    assert (store.cursor(), store.groups(), store.deliveries(DeliveryFilter(), limit=9)) == (0, {}, [])
    store._file._writer.execute("PRAGMA max_page_count = 1000000")
    store.decide(decision)

    assert (store.cursor(), len(store.waiting(100, 1000))) == (5, 500)
    store.close()


def test_a_group_of_thousands_is_small():
    """2,000 alerts that are alike take less than 60 bytes each, and are read as they were."""
    alerts = tuple(alert(f"alert-{number:06}", labels={"host": f"h{number}"}) for number in range(2000))
    body = packed(told(alerts=alerts))

    assert len(body) < 60 * len(alerts)
    assert unpacked(body).alerts == alerts
