"""Failures of our own code are loud in these tests; a PostgreSQL and a Redis for those that ask."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from servers import postgres, redis_server, shared_redis  # found on the path that the line above sets

__all__ = ["postgres", "redis_server", "shared_redis", "strict"]


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exceptions of our own code through, here and in the processes that a test starts."""
    monkeypatch.setenv("SPANGLASS_STRICT", "1")
