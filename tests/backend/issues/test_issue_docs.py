"""docs/issues.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spanglass_server.issues import escalation
from spanglass_server.issues.model import EventKind
from spanglass_server.issues.sqlite_store import FILE_NAME
from spanglass_server.issues.states import NEW_FOR_NS, OPEN_STATES, IgnoredUntil, ResolvedIn, State

TEXT = (Path(__file__).parents[3] / "docs" / "issues.md").read_text(encoding="utf-8")


def section(title):
    """Return the first column of the table under a heading, in order."""
    part = re.split(rf"^## {title}$", TEXT, flags=re.MULTILINE)[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


@pytest.mark.parametrize(
    ("title", "names"),
    [("States", State), ("Resolved", ResolvedIn), ("Ignored", IgnoredUntil), ("Events", EventKind)],
)
def test_each_table_has_all(title, names):
    """Every state, way to resolve or ignore, and event has its row."""
    assert section(title) == [str(name) for name in names]


def test_open_states():
    """The column says which states are open."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (yes|no) \|$", TEXT, re.MULTILINE)
    assert {name for name, is_open in rows if is_open == "yes"} == OPEN_STATES


def test_numbers():
    """The numbers of the rules, and the file's name, are those of the code."""
    assert f"less than {NEW_FOR_NS // 86_400_000_000_000} days ago" in TEXT
    assert f"at least {escalation.LEAST_EVENTS} occurrences" in TEXT
    assert (escalation.TIMES_BUSIEST, escalation.HOURS) == (2, 7 * 24)
    assert f"`{FILE_NAME}`" in TEXT
