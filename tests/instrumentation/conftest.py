"""Failures of our own code are loud in these tests; a PostgreSQL and a Redis for those that ask."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.instrumentation._semconv import _OpenTelemetrySemanticConventionStability

sys.path.insert(0, str(Path(__file__).parent))

from certificates import certificate  # found on the path that the line above sets
from servers import postgres, redis_server, shared_redis  # found on the path that the line above sets

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "answered",
    "certificate",
    "conventions",
    "loggers",
    "no_garbage",
    "postgres",
    "redis_server",
    "shared_redis",
    "strict",
]


@pytest.fixture(autouse=True)
def answered() -> Iterator[None]:
    """Wait until no thread of ``runtime_metrics.background`` is asking a server any more: the test's last is answered.

    Such a question outlives what asked it. In the next test, a worker's queue that RQ is asked about over Redis was a
    command of that test's own.
    """
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("spanglass: "):
            thread.join()


@pytest.fixture
def no_garbage() -> None:
    """Collect what earlier tests left, for a test that tells what a collection of its own brings to light."""
    gc.collect()


@pytest.fixture(autouse=True)
def loggers() -> None:
    """Begin with loggers as in a new process: on, which dictConfig turns all off that it does not name, at WARNING."""
    logging.root.setLevel(logging.WARNING)
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger):
            logger.disabled = False
            if name.startswith(("spanglass", "opentelemetry", "django")):
                logger.setLevel(logging.NOTSET)
                logger.propagate = True


@pytest.fixture(autouse=True)
def conventions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let instrumentations read anew which conventions are asked for: they do so once a process."""
    monkeypatch.setattr(_OpenTelemetrySemanticConventionStability, "_initialized", False)


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let exceptions of our own code through, here and in the processes that a test starts."""
    monkeypatch.setenv("SPANGLASS_STRICT", "1")
