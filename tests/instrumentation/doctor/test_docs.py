"""The pages of documentation against the tables in the code."""

from __future__ import annotations

import re
from pathlib import Path

from spanglass.instrumentors.status import State
from spanglass.instrumentors.table import DRIVERS, REPLACED

DOCS = Path(__file__).parents[3] / "docs" / "app"


def test_states():
    """The page of doctor lists exactly the states there are."""
    page = (DOCS / "doctor.md").read_text()

    assert re.findall(r"^\| `([a-z-]+)` \|", page.partition("## States")[2], re.MULTILINE) == [
        each.value for each in State
    ]


def test_replaced():
    """The page of libraries lists exactly what is replaced, with the reason that states() gives."""
    page = (DOCS / "libraries.md").read_text()

    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)) == REPLACED


def test_drivers():
    """The page of libraries names every driver that is left to SQLAlchemy."""
    page = (DOCS / "libraries.md").read_text()

    assert [name for name in DRIVERS if name not in page] == []
