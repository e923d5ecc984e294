"""Stack traces of .NET as ``Exception.ToString()`` writes them, by CoreCLR and by Mono."""

from __future__ import annotations

import re

from spanglass_core.stacks import in_app
from spanglass_core.stacks.dotnet_names import source_name, stable_type
from spanglass_core.stacks.lines import Section, add_to_message, lines_of, raised, raised_where_it_was_made
from spanglass_core.stacks.model import MAX_CHAIN, Frame, Raised

# Its first word is in the language of the process on the .NET Framework. Mono has a space
# before the parameters and "[0x00012] in" after them; JavaScript has the space alone.
_FRAME = re.compile(
    r"\s{1,20}(?:at|bei|à|в|en|em) (\(wrapper [\w-]{1,40}\) )?([^\s()\\/][^()\\/]{0,600})"
    r"(?:(?<! )\((?P<clr>[^():]{0,1200})\)|\((?P<mono>[^()]{0,1200})\)(?= (?:\[0x|in )))"
    r"(?: \[0x[0-9a-f]{1,12}\])?"
    r"(?: in (?P<file>.{0,700}?):(?:line |Zeile |ligne |строка )?(?P<line>\d{1,9})"
    r"| in .{1,700}?:token 0x[0-9a-f]{1,12}\+0x[0-9a-f]{1,12}| \+ 0x[0-9a-f]{1,12})?\s*"
)
_NOT_PARAMETERS = frozenset(("Unknown Source", "Native Method"))  # a place, in the layout of Java
_INNER = " ---> "
_MEMBER = re.compile(r"\(Inner Exception #(\d{1,6})\) ")
_END_INNER = re.compile(r"\s{1,20}--- End of inner ")
_PREVIOUS = re.compile(r"\s{0,20}--- .{1,200} ---\s*$")
_TYPE = re.compile(r"([^\W\d][\w.+`]{0,300}(?:\[[\w.,`+\[\] ]{0,300}\])?)(?: \(0x[0-9A-Fa-f]{8}\))?(?::\s|:?$)")


def read(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - the attribute's name
    """Return the chain that a .NET runtime printed, None if there is no frame of one in the text."""
    reader = _Reader()
    head, rest = _split_message(text, type, message)
    if head:
        reader.sections[0].header.append(head)
    for line in lines_of(rest):
        reader.line(line)
    if not reader.found:
        return None
    place = {id(section): index for index, section in enumerate(reader.sections)}
    chain: list[Raised] = []
    for index, section in enumerate(reader.sections):
        told = _type_and_message(section, *((type, message) if index == 0 else ("", "")))
        raised_where_it_was_made(section, told[0], ".")
        chain.append(raised(section, *told, None if section.parent is None else place[id(section.parent)]))
    return tuple(chain)


class _Reader:
    """Opens an exception at every ``--->`` and closes it at its end mark; frames belong to the innermost open one."""

    def __init__(self) -> None:
        self.sections = [Section()]
        self.found = 0
        self._open = [self.sections[0]]
        self._told_before: Section | None = None
        self._reading_header = True

    def line(self, line: str) -> None:
        """Read one more line."""
        ends = line.endswith("<---")
        if ends:
            line = line[:-4]
        frame = _frame(line)
        if frame is not None:
            self._reading_header = False
            self.found += 1
            self._open[-1].add(frame)
        elif line.lstrip().startswith("---> "):
            self._inner(line.lstrip()[5:])
        elif _END_INNER.match(line):
            self._close()
        elif _PREVIOUS.match(line):
            self._reading_header = False
        elif self._reading_header:
            self._header(line)
        if ends:
            self._close()

    def _header(self, line: str) -> None:
        """A line of a header; the .NET Framework puts the inner exceptions on the same line."""
        told, *inner = line.split(_INNER, MAX_CHAIN) if line.count(_INNER) <= MAX_CHAIN else [line]
        add_to_message(self._open[-1], told)
        for one in inner:
            self._inner(one)

    def _inner(self, told: str) -> None:
        member = _MEMBER.match(told)
        if member is not None:
            told = told[member.end() :]
            self._close_to_aggregate()
        outer = self._open[-1]
        section = Section([], "member" if member or _is_aggregate(outer) else "cause", outer)
        self._open.append(section)
        if member and member[1] == "0" and any(other.parent is outer for other in self.sections):
            self._told_before = section  # Mono and the .NET Framework tell the first member twice
        elif len(self.sections) < MAX_CHAIN and self._told_before not in self._open:
            self.sections.append(section)
        self._reading_header = True
        self._header(told)

    def _close(self) -> None:
        self._reading_header = False
        if len(self._open) > 1:
            self._open.pop()

    def _close_to_aggregate(self) -> None:
        """Members are told after everything else of their aggregate."""
        while len(self._open) > 1 and not _is_aggregate(self._open[-1]):
            self._open.pop()


def _is_aggregate(section: Section) -> bool:
    return bool(section.header) and "AggregateException" in section.header[0][:300].partition(":")[0]


def _type_and_message(section: Section, sent_type: str, sent_message: str) -> tuple[str, str]:
    told = section.told()
    found = _TYPE.match(told)
    if found is None:
        return stable_type(sent_type), sent_message or told
    return stable_type(found[1]), told[found.end() :].lstrip()


def _split_message(text: str, type: str, message: str) -> tuple[str, str]:  # noqa: A002 - the attribute's name
    """Return the first header with a message of several lines, and the rest; no header if the message isn't there."""
    start = text.find(message, 0, len(message) + len(type) + 300) if "\n" in message else -1
    if start < 0 or "\n" in text[:start]:
        return "", text
    end = start + len(message)
    return text[:end], text[end:].lstrip("\r\n")


def _frame(line: str) -> Frame | None:
    if "(" not in line or not line[:1].isspace():
        return None
    found = _FRAME.fullmatch(line)
    if found is None or found["clr"] in _NOT_PARAMETERS:
        return None
    module, function = source_name(found[2].rstrip())
    number = int(found["line"]) if found["line"] else 0
    file = found["file"] or ""
    if file.startswith("<") and file.endswith(">"):  # Mono without symbols: a hash of the assembly
        file = ""
    own = in_app.dotnet(f"{module}.{function}" if module else function) and not found[1]
    return Frame(function, module, file, number or None, own)
