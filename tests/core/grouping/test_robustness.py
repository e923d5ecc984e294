"""Grouping takes anything: enormous, torn and hostile texts."""

from __future__ import annotations

import corpus
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanglass_core.grouping.exception import ExceptionReport
from spanglass_core.grouping.fingerprint import fingerprint
from spanglass_core.stacks.model import MAX_CHAIN, MAX_FRAMES
from spanglass_core.stacks.parse import parse

_SIZE = 1_000_000
_LINES = sorted(
    {
        line
        for path in sorted(corpus.FOLDER.glob("*/*-1.txt"))
        for line in path.read_bytes().decode("utf-8").split("\n")[:40]
    }
)
_CHAIN = (
    'Traceback (most recent call last):\n  File "/a.py", line 1, in f\nE: x\n\n'
    "During handling of the above exception, another exception occurred:\n\n"
)
_GROUP = (
    '  + Exception Group Traceback (most recent call last):\n  |   File "x", line 1, in f\n'
    "  | E: x (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n"
)
#: What patterns might try again and again, and what begins exceptions without end.
_HOSTILE = (
    *(
        "a",
        "\n",
        " ",
        "\t",
        '"',
        "'",
        "(",
        "[",
        "{",
        '{"',
        "1.",
        ":1",
        "0x",
        "a@",
        "a://",
        "/a",
        "a-",
        "<a as b",
        "\ud800",
    ),
    *("@a:1:1", "    at f (", "    at ", "eval at (", "   at A.B(C ", "#0 ", "a.rb:1:in ", " |", "+-+----", "x\n"),
    '  File "',
    "Traceback (most recent call last):\n",
    _CHAIN,
    _GROUP,
    "    at f (/a/b.js:1:2)\n  [cause]: Error: x\n",
    "main.f(0x1)\n\t/a/b.go:1 +0x1\n",
    "goroutine 1 [running]:\n",
    "thread 'm' panicked at 'x\n",
    "   1: a::b\n             at /a/b.rs:1:2\n",
    "\n\nCaused by:\n    0: x",
    "Caused by: a.B: x\n\tat a.b.C.d(C.java:1)\n\t... 3 more\n",
)


@pytest.mark.parametrize("piece", _HOSTILE)
@pytest.mark.parametrize("where", ["stacktrace", "message", "type"])
def test_a_megabyte_of_anything(piece: str, where: str) -> None:
    """What is repeated a million characters long has a fingerprint, and no more is kept than is documented."""
    text = (piece * (_SIZE // len(piece) + 1))[:_SIZE]
    told = {"stacktrace": "Error: x\n    at f (/a.js:1:2)", "message": "x", "type": "E", where: text}
    found = fingerprint(1, ExceptionReport("s", **told))
    assert len(found.title) <= 200
    assert all(len(one.value) <= 500 for one in found.inputs)
    assert len(found.inputs) <= 100
    chain = parse(told["stacktrace"], told["type"], told["message"])
    assert 1 <= len(chain) <= MAX_CHAIN
    assert all(len(raised.frames) <= MAX_FRAMES for raised in chain)


@given(st.lists(st.sampled_from(_LINES), max_size=60))
@settings(derandomize=True, deadline=None)
def test_torn_and_mixed_stacks(lines: list[str]) -> None:
    """Lines of all languages in any order give a chain whose parents come before their children."""
    text = "\n".join(lines)
    for index, raised in enumerate(parse(text)):
        assert (raised.parent is None) == (index == 0)
        assert index == 0 or raised.parent in range(index)
    report = ExceptionReport("s", "", "", text)
    assert fingerprint(1, report) == fingerprint(1, report)


@given(st.data())
@settings(derandomize=True, deadline=None)
def test_line_numbers_never_split(data: st.DataObject) -> None:
    """Any stack of Python in the corpus, with all its lines moved, is the same issue."""
    entry = data.draw(st.sampled_from([one for one in _ENTRIES if one.language == "python"]))
    by = data.draw(st.integers(1, 5000))
    moved = entry.report.stacktrace.replace(", line ", f", line {by}")
    report = ExceptionReport(entry.report.service, entry.report.type, entry.report.message, moved)
    assert fingerprint(1, report).key == entry.key


_ENTRIES = corpus.entries(1)
