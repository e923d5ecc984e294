"""Stacks of JavaScript: V8 (Node, Deno, Chrome), Firefox and Safari (Bun), with causes and members where they are told.

Frames stand with the innermost first, in the file's own coordinates or those of a bundler.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from spanglass_core.stacks import in_app
from spanglass_core.stacks.model import MAX_CHAIN, MAX_FRAMES, Frame, Raised

#: ``at fn (file:1:2)``, ``at async file:1:2``, ``at JSON.parse (<anonymous>)``, ``at async Promise.all (index 0)``.
_V8 = re.compile(
    r"\s+at (?:async )?(?:(?P<function>[^\n(]*) \((?P<inner>[^\n]*)\)|(?P<bare>\S[^\n]*?:\d{1,9}:\d{1,9}))(?:,| \{)?$"
)
_PLACE = re.compile(r"(?P<file>.*?):(?P<line>\d{1,9})(?::\d{1,9})?$")
_EVAL = re.compile(r"eval at [^\n]*?\((?P<place>[^()\n]*:\d+:\d+)\)")
_NO_FILE = re.compile(r"<anonymous>$|native(?: code)?$|index \d+$|unknown location$")
#: ``fn@https://host/app.js:1:2``, ``async*fn@...``, ``[native code]``, ``global code@...``.
_AT = re.compile(
    r"\s*(?:async\*)?(?P<function>[^@\n]{0,200})@(?P<place>[^\s@][^\n]*?(?::\d{1,9}){1,2}|\[native code\])$"
)
_FIREFOX_EVAL = re.compile(r" line \d+ > (?:eval|Function).*$")

_CAUSE = re.compile(r"\s*(?:\[cause\]: |caused by: |Caused by: )(?P<head>\S.*)$")
_MEMBERS = re.compile(r"\s*\[errors\]: \[$")
_HEAD = re.compile(
    r"(?:Uncaught )?(?P<type>[A-Za-z_$][\w$.]*)(?: \[(?P<code>\w+)\])?(?:: (?P<message>.*))?$", re.DOTALL
)
_MEMBER = re.compile(r"\s+(?:[A-Z][\w$]*)?(?:Error|Exception)(?: \[\w+\])?(?:: |$)")
#: Names that say nothing, and how long those are that a minifier made up.
_GENERAL = ("Error", "DOMException", "Exception")
_MINIFIED = 2
_SYSTEM_ERROR = re.compile(r"\bE[A-Z]{3,20}\b")  # ENOENT, ECONNREFUSED: in the message of what Node calls Error
_MAX_LINE = 1000
_ALIAS = re.compile(r" \[as [^\]\n]*\]$")


@dataclass(slots=True)
class _One:
    """One exception while its lines are read."""

    relation: str
    parent: int | None
    indent: int
    head: list[str] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


def read(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - a reader's form
    """Return the exceptions of a stack of JavaScript; None for a text that is none.

    What was caught is called by its name in the text, as some senders send the name and others a code; where that is
    only ``Error``, by the code. Its message is the text's, as some senders join those of its causes.
    """
    found = _read_lines(text.split("\n"))
    if not any(one.frames for one in found):
        return None
    chain = [_raised(one) for one in found]
    first = chain[0]
    chain[0] = Raised(_type(first, type), first.message or message, first.frames)
    return tuple(chain)


def _type(first: Raised, sent: str) -> str:
    if len(first.type) > _MINIFIED and first.type not in _GENERAL:
        return first.type
    code = _SYSTEM_ERROR.search(first.message[:_MAX_LINE])
    return code[0] if code else sent or first.type


def _read_lines(lines: list[str]) -> list[_One]:
    found = [_One("", None, 0)]
    group: int | None = None  # the exception whose members are listed
    for line in lines:
        one = found[-1]
        frame = _frame(line)
        if frame is not None:
            if len(one.frames) < MAX_FRAMES:
                one.frames.append(frame)
            continue
        cause = _CAUSE.match(line)
        if _MEMBERS.match(line):
            group = len(found) - 1
        elif len(found) >= MAX_CHAIN:
            continue
        elif cause and (one.frames or len(found) > 1):
            indent = len(line) - len(line.lstrip())
            within = (at for at in range(len(found) - 1, -1, -1) if not indent or found[at].indent <= indent)
            parent = next(within, 0)
            found.append(_One("cause", parent, indent + 1, [cause["head"]]))
        elif group is not None and _MEMBER.match(line):
            found.append(_One("member", group, len(line) - len(line.lstrip()), [line.strip()]))
        elif not one.frames:
            one.head.append(line)
    return found


def _raised(one: _One) -> Raised:
    text = "\n".join(one.head).strip()
    head = _HEAD.match(text)
    if head is None and "\n\n" in text:  # an uncaught one is printed below the line of its source
        text = text.rsplit("\n\n", 1)[1]
        head = _HEAD.match(text)
    kind, message = (head["type"], head["message"] or "") if head else ("", text)
    return Raised(kind, message, tuple(reversed(one.frames)), one.relation, one.parent)


def _frame(line: str) -> Frame | None:
    if " at " in line[:80] or line[:1] == "\t":
        match = _V8.match(line)
        return _v8(match) if match else None
    if "@" in line:
        match = _AT.match(line)
        if match:
            return _placed(match["function"].strip(), _FIREFOX_EVAL.sub(":1:1", match["place"]))
    return None


def _v8(match: re.Match[str]) -> Frame | None:
    if match["bare"] is not None:
        return _placed("", match["bare"])
    function = _ALIAS.sub("", match["function"]).removeprefix("async ").removeprefix("new ")
    inner = match["inner"]
    if _NO_FILE.match(inner):
        return Frame(function, "", "", None, in_app=False)
    evaluated = _EVAL.match(inner)
    return _placed(function, evaluated["place"] if evaluated else inner)


def _placed(function: str, text: str) -> Frame | None:
    place = _PLACE.match(text)
    if place is None:
        return Frame(function, "", "", None, in_app=False) if text == "[native code]" else None
    file = place["file"]
    return Frame(function, "", file, int(place["line"]), in_app.javascript(file))
