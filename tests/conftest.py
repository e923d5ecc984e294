"""The tests of a file stay on one worker, so that what its fixtures make is made once, and long files come first.

Hypothesis tries the same examples in each run, and none fails for the 0.2 s that it took on a busy machine.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.load_profile("ci")  # before any test is imported: each takes its settings from this one

_HERE = Path(__file__).parent
#: Marks of tests that take seconds: such a file at the end would leave the other workers without work.
_LONG = ("slow", "browser", "collector")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make a group of each file, unless its tests name their own, and put files with long tests before the others.

    A group for each of twelve thousand tests takes pytest-xdist half a minute of a core, and each fixture of a module
    would be made on every worker; one start of the server is 1.5 s of a core.
    """
    long = {item.path for item in items if any(map(item.get_closest_marker, _LONG))}
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(os.path.relpath(item.path, _HERE)))
    items.sort(key=lambda item: item.path not in long)
