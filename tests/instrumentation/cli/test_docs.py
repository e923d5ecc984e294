"""docs/cli.md against the tables in the code."""

from __future__ import annotations

import re
from pathlib import Path

from spanglass.cli.errors import Exit
from spanglass.cli.main import BUILT_IN, FROM_EXTRAS
from spanglass.cli.output import FORMATS

DOCS = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()


def test_commands():
    """The page's table has exactly the commands there are."""
    table = DOCS.partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `spanglass ([\w-]+)", table, re.MULTILINE)) == sorted(BUILT_IN | FROM_EXTRAS)


def test_exit_codes():
    """The page's table has exactly the exit codes there are."""
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", DOCS, re.MULTILINE)] == sorted(Exit)


def test_formats():
    """The page describes exactly the formats there are."""
    assert tuple(re.findall(r"^- `(\w+)`", DOCS, re.MULTILINE)) == FORMATS
