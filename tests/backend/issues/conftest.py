"""Makes the helper modules of this folder importable, and opens every implementation of the issue store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from spanglass_server.issues.sqlite_store import SqliteIssueStore


@pytest.fixture(params=[SqliteIssueStore], ids=["sqlite"])
def reopen(request, tmp_path):
    """Return a function that opens the store anew, as a restart does; the one before is closed."""
    opened = []

    def again(max_issues=1000):
        if opened:
            opened[-1].close()
        opened.append(request.param(tmp_path / "issues", max_issues))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen):
    """Open an empty store."""
    return reopen()
