"""What tests of receivers share: an ingest and counters that remember; and the folder's helper modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode leaves it alone

from receivers import CountingCounters, RecordingIngest


@pytest.fixture
def ingest() -> RecordingIngest:
    """Make an ingest that takes everything and keeps it."""
    return RecordingIngest()


@pytest.fixture
def counters() -> CountingCounters:
    """Make counters of what receivers count."""
    return CountingCounters()
