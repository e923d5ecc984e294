"""Stack traces in the layout of Java's ``printStackTrace``: the JVM's own, and those that OpenTelemetry PHP writes.

Headers (``Caused by:``, ``Suppressed:``, logback's ``Wrapped by:``) open sections, ``at`` lines are their frames,
``... n more`` stands for frames that are those of the enclosing section. Indentation tells what a header belongs to.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from spanglass_core.stacks.lines import Section, add_to_message, lines_of
from spanglass_core.stacks.model import MAX_CHAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from spanglass_core.stacks.model import Frame

_HEADER = re.compile(r"(\s{0,200})(Caused by|Suppressed|Wrapped by): ?(.*)")
# "... 12 more", logback: "... 12 common frames omitted"; others leave frames out that no other section has
_COMMON = re.compile(r"\s{0,200}\.\.\. (\d{1,6}) (?:more|common frames omitted)\b")
_LEFT_OUT = re.compile(r"\s{0,200}(?:\.\.\. (?:suppressed )?\d+ (?:lines|frames)\b|\[\d+ frames? truncated\])")
_CIRCULAR = re.compile(r"\s{0,200}\[CIRCULAR REFERENCE: ?(.*)")


class JavaText:
    """Reads lines into sections. ``frame`` gives the frame of a line, None if it is none."""

    def __init__(self, frame: Callable[[str], Frame | None]) -> None:
        self._frame = frame
        self.sections: list[Section] = [Section()]
        self._indents: list[int] = [0]
        self.found = 0  # frames, of all sections
        self._reading_header = True
        self._ignoring = False
        self.root_first = False

    def read(self, text: str, message: str) -> None:
        """Read a text whose first message is known, if it is sent: it may look like anything, even like frames."""
        head, rest = _split_message(text, message)
        if head:
            self.sections[0].header.append(head)
        for line in lines_of(rest):
            self._line(line)
        if self.root_first:
            self._turn_root_first()

    def _line(self, line: str) -> None:
        frame = self._frame(line)
        if frame is not None:
            self._reading_header = False
            if not self._ignoring:
                self.found += 1
                self.sections[-1].add(frame)
        elif header := _HEADER.match(line):
            self._open(len(header[1]), header[2], header[3])
        elif common := _COMMON.match(line):
            self._reading_header = False
            if not self._ignoring:
                self.sections[-1].omitted = int(common[1])
        elif _CIRCULAR.match(line) or _LEFT_OUT.match(line):
            self._reading_header = False
        elif self._reading_header:
            add_to_message(self.sections[-1], line)

    def _open(self, indent: int, label: str, told: str) -> None:
        self._reading_header = True
        self._ignoring = bool(_CIRCULAR.match(told)) or len(self.sections) >= MAX_CHAIN
        if self._ignoring:
            self._reading_header = False
            return
        self.root_first = self.root_first or label == "Wrapped by"
        parent = self._enclosing(indent, inner=label == "Suppressed")
        self.sections.append(Section([told], "suppressed" if label == "Suppressed" else "cause", parent))
        self._indents.append(indent)

    def _enclosing(self, indent: int, *, inner: bool) -> Section:
        """The last section that a header of this indentation belongs to; the last of all if nobody kept indentation."""
        for section, other in zip(reversed(self.sections), reversed(self._indents), strict=True):
            if other < indent or (other == indent and not inner):
                return section
        return self.sections[-1]

    def _turn_root_first(self) -> None:
        """Put the outermost exception first: ``Wrapped by:`` sections tell their cause before themselves."""
        chain = [section for section in self.sections if section.relation != "suppressed"]
        chain.reverse()
        for outer, inner in pairwise(chain):
            inner.parent, inner.relation = outer, "cause"
        chain[0].parent, chain[0].relation = None, ""
        self.sections = chain + [section for section in self.sections if section.relation == "suppressed"]


def _split_message(text: str, message: str) -> tuple[str, str]:
    """Return the first header with a message of several lines, and the rest; no header if the message isn't there."""
    start = text.find(message, 0, len(message) + 1000) if "\n" in message else -1
    if start < 0 or "\n" in text[:start].strip():
        return "", text
    end = start + len(message)
    return text[:end].lstrip(), text[end:].lstrip("\r\n")
