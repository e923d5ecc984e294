"""Styled text: cells of a terminal, cutting, columns, colours only where they are wanted."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from spanglass.terminal.printing import Console, cells, first_cells, text

RED = "\033[31m"


@pytest.mark.parametrize(
    ("content", "width"), [("abc", 3), ("", 0), ("日本", 4), ("e\u0301", 1), ("👍", 2), ("a\u200db", 2), ("é", 1)]
)
def test_cells(content, width):
    """A wide character takes two cells, an accent or a joiner none."""
    assert cells(content) == width


@pytest.mark.parametrize(("width", "shown"), [(9, "abc日本de"), (8, "abc日本…"), (7, "abc日…"), (4, "abc…"), (1, "…")])
def test_cut(width, shown):
    """No more than the width is used, never half a character, and an ellipsis says that something is missing."""
    line = text("abc", "red") + text("日本") + text("de")

    assert line.cut(width).plain == shown
    assert cells(shown) <= width


def test_the_beginning_of_a_text():
    """What fits into a number of cells, without an ellipsis."""
    assert [first_cells("a日b", width) for width in range(5)] == ["", "a", "a", "a日", "a日b"]


def test_columns():
    """A text is as wide as its column, to either side, by cells."""
    assert [text("日").padded(4, right=right).plain for right in (False, True)] == ["日  ", "  日"]


def test_nothing_steers_the_terminal():
    """Escapes of a sender are shown as text."""
    assert text("\033[2J").plain == "\\x1b[2J"


def on_terminal(code, **variables):
    """Run code on a terminal of 20 columns; what it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 20, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR", "TERM"}}
    with os.fdopen(ours, "rb") as read:
        subprocess.run([sys.executable, "-c", code], stdout=theirs, check=True, env=kept | variables)
        os.close(theirs)
        try:
            return read.read1(10_000).decode()
        except OSError:
            return ""


CODE = """
from spanglass.terminal.printing import Console, text
out = Console()
out.line(text("bad ", "red") + text("0123456789" * 3), cut=True)
print(out.width)
"""


@pytest.mark.parametrize(
    ("variables", "beginning"),
    [({}, f"{RED}bad \033[0m"), ({"NO_COLOR": "1"}, "bad "), ({"TERM": "dumb"}, "bad ")],
)
def test_a_terminal(variables, beginning):
    """Colours, unless NO_COLOR or a dumb terminal forbids them; lines are cut to the width."""
    assert on_terminal(CODE, **variables) == f"{beginning}012345678901234…\r\n20\r\n"


def test_a_pipe(capsys):
    """No colours, and nothing is cut."""
    Console().line(text("bad", "red") + text("x" * 500), cut=True)

    assert capsys.readouterr().out == "bad" + "x" * 500 + "\n"
