"""What holds for all statements that stand in files."""

from __future__ import annotations

import re
from pathlib import Path

import spanglass_server

SERVER = Path(spanglass_server.__file__).parent
#: Places of conditions that come from filters and settings.
PLACE = r"\{(?:where|after|is_event|is_run|sampled)\}"
BARE = re.compile(rf"\b(?:AND|OR|NOT)\s+{PLACE}|{PLACE}\s+(?:AND|OR)\b")


def test_conditions_stand_in_brackets():
    """A condition that is put beside others is in brackets: it may be one with ``or``, which binds less."""
    bare = [path.relative_to(SERVER).as_posix() for path in SERVER.rglob("*.sql") if BARE.search(path.read_text())]
    assert bare == []
