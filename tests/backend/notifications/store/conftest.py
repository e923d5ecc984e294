"""Makes the helper modules of this folder importable, and opens every implementation of the notification store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from reopened import reopened

sys.path.insert(0, str(Path(__file__).parent))

from spanglass_server.notifications.store.in_memory import MemoryNotificationStore
from spanglass_server.notifications.store.sqlite import SqliteNotificationStore


@pytest.fixture(params=["sqlite", "memory"])
def reopen(request, tmp_path):
    """Return a function that opens the store anew, as a restart does; one in memory stays as it is."""
    with reopened(
        request.param, lambda: SqliteNotificationStore(tmp_path / "notifications.sqlite"), MemoryNotificationStore
    ) as again:
        yield again
