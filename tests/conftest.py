"""Tests that share a server or a page's data stay on one worker, so that it is started once."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
# Here fixtures of a module start processes; one start of the server is 1.7 s of a core.
_SHARING = tuple(_HERE / folder for folder in ("browser", "e2e", "backend/api"))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make a group of each file whose tests share what a fixture started, unless they name their own."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None and any(item.path.is_relative_to(each) for each in _SHARING):
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(_HERE))))
