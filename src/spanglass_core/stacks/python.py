"""Tracebacks of Python, as ``traceback`` prints them: chains, groups, notes, syntax errors.

What is printed last was caught; what stands above it is its cause or context.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from spanglass_core.stacks import in_app
from spanglass_core.stacks.model import MAX_CHAIN, MAX_FRAMES, Frame, Raised

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = "Traceback (most recent call last):"
_GROUP_HEADER = "Exception Group " + _HEADER
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"
#: Rubies before 3.1 print the same heading.
_RUBY = re.compile(r"^\s+\d+: from ", re.MULTILINE)
_REMOTE = "RemoteTraceback"
_QUOTES = '"""'
_RELATIONS = {_CAUSE: "cause", _CONTEXT: "context"}

_BETWEEN = re.compile(f"^({re.escape(_CAUSE)}|{re.escape(_CONTEXT)})\n", re.MULTILINE)
_FRAME = re.compile(r'^[ >] *File "([^"\n]*)", line (\d+)(?:, in ([^\n]+))?', re.MULTILINE)
_LOCATION = re.compile(r'^ +File "[^"\n]*", line \d+', re.MULTILINE)
_NOT_INDENTED = re.compile(r"^[^\s>]", re.MULTILINE)  # loguru marks the frame that caught with >
_TYPE = re.compile(r"([^\W\d][\w.<>]*)(?:: |:?\n|:?$)")
#: The line between members of a group: where its content stands, and whether a deeper level begins or a member does.
_MEMBER = re.compile(r"( *)\+(-\+)?-{4,}( (?:\d+|\.\.\.) -{4,})?$")
_IN_GROUP = re.compile(r"( *)(?:\| ?|\+ (?=Exception Group ))")
_INSTALLED = re.compile(r".*/(?:site-packages|dist-packages|lib/python\d\.\d+)/([^/]+(?:/[^/]+)*?)(?:/__init__)?\.py$")


_MAX_PATH = 500


@dataclass(slots=True)
class _Block:
    """One exception as printed: its text, how it belongs to the one below it, and its members if it is a group."""

    text: str
    relation: str = ""
    members: list[list[_Block]] = field(default_factory=list)


def read(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002, ARG001 - a reader's form
    """Return the exceptions of a traceback; None for a text that is none."""
    located = _LOCATION.search(text) is not None
    if _HEADER not in text and not (located and _is_error(text)):
        return None
    if not located and _RUBY.search(text):
        return None
    blocks = _grouped(text) if _GROUP_HEADER in text else _chain(text)
    chain: list[Raised] = []
    _tell(blocks, "", None, chain)
    return tuple(chain)


def _is_error(text: str) -> bool:
    """Whether the last line that is not indented begins like an exception: a syntax error has no header by itself."""
    lines = [line for line in text.rstrip("\n").split("\n") if line and not line.startswith(" ")]
    return bool(lines) and "Error: " in lines[-1]


def _chain(text: str) -> list[_Block]:
    """Return the exceptions of a text without groups, in the order in which they are printed."""
    if _CAUSE not in text and _CONTEXT not in text:
        return [_Block(text)]
    parts = _BETWEEN.split(text)
    blocks = [_Block(part) for part in parts[::2]]
    for block, separator in zip(blocks, parts[1::2], strict=False):
        block.relation = _RELATIONS[separator]
    return blocks


def _grouped(text: str) -> list[_Block]:
    """Return the exceptions of a text with groups, the members within their groups."""
    root: list[_Block] = []
    levels: list[tuple[int, list[_Block]]] = [(-1, root)]
    lines: list[str] = []
    for line in text.split("\n"):
        between = _MEMBER.match(line)
        if between is None:
            content = _IN_GROUP.match(line)
            column, rest = (len(content[1]), line[content.end() :]) if content else (0, line)
            if len(levels) > 1 and levels[-1][0] > column:
                _close(levels[-1][1], lines)
                while len(levels) > 1 and levels[-1][0] > column:
                    levels.pop()
            lines.append(rest)
            continue
        _close(levels[-1][1], lines)
        _next_member(levels, len(between[1]) + (2 if between[2] else 0), opens=bool(between[3]))
    _close(levels[-1][1], lines)
    return root


def _next_member(levels: list[tuple[int, list[_Block]]], column: int, *, opens: bool) -> None:
    while len(levels) > 1 and levels[-1][0] >= column:
        levels.pop()
    group = levels[-1][1]
    if opens and group and len(levels) < MAX_CHAIN:
        members: list[_Block] = []
        group[-1].members.append(members)
        levels.append((column, members))


def _close(blocks: list[_Block], lines: list[str]) -> None:
    """Add what was read of a level to its exceptions."""
    if not any(lines):
        lines.clear()
        return
    text = "\n".join(lines)
    lines.clear()
    above = _BETWEEN.match(text.lstrip("\n"))
    if above and blocks:  # what stands above it was a group, whose members lie between
        blocks[-1].relation = _RELATIONS[above[1]]
        text = text.lstrip("\n")[above.end() :]
    blocks.extend(_chain(text))


def _tell(blocks: list[_Block], relation: str, parent: int | None, chain: list[Raised]) -> None:
    """Append the exceptions of one chain, what was caught first, each followed by its members."""
    for block in reversed(blocks):
        if len(chain) >= MAX_CHAIN:
            return
        index = len(chain)
        chain.append(_raised(block.text, relation if block is blocks[-1] else block.relation, parent))
        for members in block.members:
            _tell(members, "member", index, chain)
        parent = index


def _raised(text: str, relation: str, parent: int | None) -> Raised:
    start = text.find(_HEADER)
    quoted = text.find(_QUOTES, 0, max(start, 0))
    if quoted >= 0 and _REMOTE not in text[:quoted]:
        start = -1  # the traceback is part of a message
    end = start + len(_HEADER) if start >= 0 else 0
    location = _LOCATION.search(text) if start < 0 and quoted < 0 else None
    found = _NOT_INDENTED.search(text, location.end() if location else end)
    last = found.start() if found else len(text)
    kind, message = _told(text[last:].rstrip("\n"))
    if quoted >= 0 and start >= 0:  # of another process, which is told in the message of an exception without frames
        message = message.removesuffix(_QUOTES).rstrip("\n")
    return Raised(kind, message, tuple(_frames(text, end, last)), relation, parent)


def _frames(text: str, start: int, end: int) -> Iterator[Frame]:
    """Give the frames of a part of the text; the place of a syntax error is one, at the top level of its file."""
    found = list(_FRAME.finditer(text, start, end))
    for match in found[-MAX_FRAMES:]:
        file, line, function = match.groups()
        module, own = _belongs(file) if len(file) <= _MAX_PATH else ("", False)
        yield Frame(function or "<module>", module, file, int(line[:9]), own)


@lru_cache(maxsize=2048)
def _belongs(file: str) -> tuple[str, bool]:
    """Return the module of an installed file, by its path, and whether it is the application's, which has none here."""
    if in_app.python(file):
        return "", True
    installed = _INSTALLED.match(file)
    return (installed[1].replace("/", ".") if installed else ""), False


def _told(text: str) -> tuple[str, str]:
    """Return type and message of what stands below the frames."""
    kind = _TYPE.match(text)
    return (kind[1], text[kind.end() :].strip("\n")) if kind else ("", text)
