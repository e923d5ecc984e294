"""A store of issues with the occurrences that it knows, for tests of what is asked about them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from known_occurrences import World


@pytest.fixture
def world(tmp_path, open_tables):
    """Return an empty world: ``world.see(...)`` adds occurrences, ``world.session()`` asks about them."""
    world = World(tmp_path / "issues.sqlite", open_tables)
    yield world
    world.store.close()
