"""Failures of our own code are loud in these tests; a PostgreSQL and a Redis for those that ask."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parent))

from certificates import certificate  # found on the path that the line above sets
from servers import postgres, redis_server, shared_redis  # found on the path that the line above sets

__all__ = ["certificate", "loggers", "postgres", "redis_server", "shared_redis", "strict"]


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Turn loggers on again that a test has turned off: dictConfig does that to all that it does not name."""
    yield
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exceptions of our own code through, here and in the processes that a test starts."""
    monkeypatch.setenv("SPANGLASS_STRICT", "1")
