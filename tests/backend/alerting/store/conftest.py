"""Makes the helper modules of this folder importable, and opens every implementation of the alert store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from reopened import reopened

sys.path.insert(0, str(Path(__file__).parent))

from spanglass_server.alerting.store.in_memory import MemoryAlertStore
from spanglass_server.alerting.store.sqlite import SqliteAlertStore


@pytest.fixture(params=["sqlite", "memory"])
def reopen(request, tmp_path):
    """Return a function that opens the store anew, as a restart does; one in memory stays as it is."""
    with reopened(request.param, lambda: SqliteAlertStore(tmp_path / "alerts.sqlite"), MemoryAlertStore) as again:
        yield again
