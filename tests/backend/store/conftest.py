"""Makes the helper modules of this folder importable, and opens stores and engines over real files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stored_spans import Bench


@pytest.fixture
def bench(tmp_path):
    """Open a store and an engine over an empty directory, closed after the test."""
    opened = Bench(tmp_path / "data")
    yield opened
    opened.close()
