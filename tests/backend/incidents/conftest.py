"""Opens every implementation of the incident store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from reopened import reopened

sys.path.insert(0, str(Path(__file__).parent))

from spanglass_server.incidents.store.in_memory import MemoryIncidentStore
from spanglass_server.incidents.store.sqlite import SqliteIncidentStore


@pytest.fixture(params=["sqlite", "memory"])
def reopen(request, tmp_path):
    """Return a function that opens the store anew, as a restart does; one in memory stays as it is."""
    with reopened(
        request.param, lambda: SqliteIncidentStore(tmp_path / "incidents.sqlite"), MemoryIncidentStore
    ) as again:
        yield again
