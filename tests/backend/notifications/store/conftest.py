"""Makes the helper modules of this folder importable, and opens every implementation of the notification store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from spanglass_server.notifications.store.in_memory import MemoryNotificationStore
from spanglass_server.notifications.store.sqlite import SqliteNotificationStore


@pytest.fixture(params=["sqlite", "memory"])
def reopen(request, tmp_path):
    """Return a function that opens the store anew, as a restart does; one in memory stays as it is."""
    opened = []

    def again():
        if request.param == "sqlite":
            for store in opened:
                store.close()
            opened[:] = [SqliteNotificationStore(tmp_path / "notifications.sqlite")]
        else:
            opened[:] = opened or [MemoryNotificationStore()]
        return opened[0]

    yield again
    for store in opened:
        store.close()
