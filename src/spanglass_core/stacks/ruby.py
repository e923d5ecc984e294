"""Stack traces of Ruby: ``full_message`` in either order, plain backtraces, and what Rails writes to its log."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace
from itertools import pairwise

from spanglass_core.stacks import in_app
from spanglass_core.stacks.lines import Section, add_to_message, lines_of, raised
from spanglass_core.stacks.model import MAX_CHAIN, MAX_FRAMES, Frame, Raised

_ESCAPES = re.compile(r"\x1b\[[\d;]{0,20}m")
# "file:12:in `take'", since 3.4 "file:12:in 'Stock#take'"; "from " or " 3: from " in front but for the first.
_PLACE = r"((?:[^\s:(<\"']|\(eval|<internal)[^\n]{0,700}?|-e):(\d{1,9})"
_FRAME = re.compile(
    r"(\s{0,40}(?:\d{1,6}: )?from |\s{0,40})" + _PLACE + r"(?::in (?:`([^']{1,400})'|'([^\n]{1,400})'))"
)
_BARE_FRAME = re.compile(r"(\s{0,40}(?:\d{1,6}: )?from )" + _PLACE)
_TYPE_AT_END = re.compile(r"(.*?)\s?\(([A-Z]\w{0,200}(?:::\w{1,200}){0,20}|#<Class:0x[0-9a-f]{1,20}>)\)")
_BARE_TYPE = re.compile(r"[A-Z]\w{0,200}(?:::\w{1,200}){0,20}")
_LOGGED = re.compile(  # Rails: "Stock::Empty (no tea left):", causes behind "Caused by: "
    r"(Caused by: |Information for(?: cause)?: )?([A-Z]\w{0,200}(?:::\w{1,200}){0,20})(?: \((.*)\):?|: (.*))"
)
_PLACE_GROUPS = 3
_QUALIFIED = re.compile(r"([A-Z][\w:]{0,300})[#.]([^#.\s]{1,200})")  # Stock#take, since Ruby 3.4
_LABELS = re.compile(r"(?:(?:block(?: \(\d+ levels\))?|rescue|ensure) in )+")
_TEMPLATE = re.compile(r"_{2,3}-?\d+_\d+$")  # _app_views_stock_show_html_erb___123_456
_ADDRESS = re.compile(r":0x[0-9a-f]+")


def read(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - the attribute's name
    """Return the chain that Ruby printed, None if there is no frame of Ruby in the text."""
    if (":in `" not in text and ":in '" not in text) or '\n  File "' in text:  # the latter is Python
        return None
    reader = _Reader()
    for line in lines_of(_ESCAPES.sub("", text)):
        reader.line(line)
    if not reader.found:
        return None
    chain: list[Raised] = []
    for index, section in enumerate(reader.chain()):
        _mark_native(section.frames)
        section.relation = "cause" if index else ""
        told = _type_and_message(section, *((type, message) if index == 0 else ("", "")))
        chain.append(raised(section, *told, index - 1 if index else None))
    return tuple(chain)


class _Reader:
    """A place with a message behind it opens an exception; other places are frames of the exception that is open."""

    def __init__(self) -> None:
        self.found = 0
        self._sections = [Section()]
        self._bottom = False  # order :bottom: what was caught comes last, and the frames of each before its message
        self._before: deque[Frame] = deque(maxlen=MAX_FRAMES)
        self._in_message = True

    def chain(self) -> list[Section]:
        """What was read, what was caught first."""
        sections = [section for section in self._sections if section.header or section.frames]
        return sections[::-1] if self._bottom else sections

    def line(self, line: str) -> None:
        """Read one more line."""
        if line.startswith("Traceback (most recent call last)"):
            self._bottom = True
        elif (found := _FRAME.match(line) or _BARE_FRAME.fullmatch(line)) and self._place(found, line[found.end() :]):
            pass
        elif not line[:1].isspace() and (logged := _LOGGED.fullmatch(line)) and (logged[1] or not self.found):
            self._logged(logged)
        elif self._in_message:
            add_to_message(self._sections[-1], line)

    def _place(self, found: re.Match[str], rest: str) -> bool:
        """Take a line that begins with a place; False if what follows shows that it is something else."""
        if rest and (found[1].strip() or not rest.startswith(": ")):
            return False
        if rest:
            self._open(rest[2:])
        self._in_message = bool(rest)
        self.found += 1
        frame = _frame(found)
        if self._bottom and not rest:
            self._before.append(frame)
            return True
        self._sections[-1].add(frame)
        while self._before:
            self._sections[-1].add(self._before.pop())
        return True

    def _logged(self, found: re.Match[str]) -> None:
        """Take a header of Rails: the chain first in short, then each with its frames."""
        if found[1] == "Information for: ":
            self._sections = [Section()]
        elif found[1] == "Information for cause: " and not self._sections[-1].frames:
            return
        self._open(f"{found[4] if found[3] is None else found[3]} ({found[2]})")

    def _open(self, told: str) -> None:
        self._in_message = True
        if self._sections[-1].frames or self._sections[-1].header:
            if not self.found and not self._sections[-1].frames:
                self._sections.pop()  # a line of a log in front of it
            if len(self._sections) <= MAX_CHAIN:
                self._sections.append(Section())
        self._sections[-1].header.append(told)


def _mark_native(frames: list[Frame]) -> None:
    """Methods that are not written in Ruby (``each``, ``/``) have the place of their caller: they are not in-app."""
    for index, (inner, outer) in enumerate(pairwise(frames)):
        same = (inner.file, inner.line) == (outer.file, outer.line)
        if (
            same
            and inner.in_app
            and inner.function != outer.function
            and not inner.function.startswith(("<", "block "))
        ):
            frames[index] = replace(inner, in_app=False)


def _type_and_message(section: Section, sent_type: str, sent_message: str) -> tuple[str, str]:
    """The type stands in parentheses at the end of the message's first line, or alone if the message is empty."""
    told = section.told()
    first, _, rest = told.partition("\n")
    if told == "unhandled exception":  # a RuntimeError without a message
        return sent_type or "RuntimeError", sent_message
    if _BARE_TYPE.fullmatch(told) and sent_type in ("", told):
        return told, ""
    found = _TYPE_AT_END.fullmatch(first)
    if found is None:
        return sent_type, sent_message or told
    return sent_type or _ADDRESS.sub("", found[2]), f"{found[1]}\n{rest}".strip()


def _frame(found: re.Match[str]) -> Frame:
    groups = found.groups()
    label = (groups[3] or groups[4] or "") if len(groups) > _PLACE_GROUPS else ""
    owner, function = ruby_function(label)
    file = groups[1]
    return Frame(function, owner, file, int(groups[2]), in_app.ruby(file))


def ruby_function(label: str) -> tuple[str, str]:
    """Return class and name of a frame's label, alike for all versions: ``Stock``, ``block in take``.

    How deep the block is, and whether the frame is in a rescue clause, changes with every edit.
    """
    labels = _LABELS.match(label)
    block = "block in " if labels and "block" in labels[0] else ""
    name = _TEMPLATE.sub("", label[labels.end() :] if labels else label)
    qualified = _QUALIFIED.fullmatch(name)
    if qualified is None:
        return "", block + name
    return "" if qualified[1] == "Object" else qualified[1], block + qualified[2]
