"""Stack traces of PHP: its own form, innermost exception first, and the Java-like one of OpenTelemetry PHP."""

from __future__ import annotations

import re

from spanglass_core.stacks import in_app
from spanglass_core.stacks.java_text import JavaText
from spanglass_core.stacks.lines import Section, add_to_message, lines_of, raised, raised_where_it_was_made
from spanglass_core.stacks.model import MAX_CHAIN, Frame, Raised
from spanglass_core.stacks.php_names import of_dots, of_php, source_type

_CALL = re.compile(r"#\d{1,6} (?:(\[internal function\])|(.{1,700}?)\((\d{1,9})\)(?: : [^:]{1,100})?): (.+)")
_MAIN = re.compile(r"#\d{1,6} \{main\}\s*")
_PLACE = re.compile(r"(?P<told>.*) in (?P<file>.{1,700}?)(?::| on line )(?P<line>\d{1,9})\s*")
_FATAL = re.compile(r"(?:PHP )?(?:Fatal error|Warning|Notice|Recoverable fatal error): {1,3}(?:Uncaught )?")
_TYPE = re.compile(r"([^\W\d][\w\\]{0,300}(?:@anonymous\x00?[^:]{0,600}(?::\d+\$[0-9a-f]+)?)?)(?:: |:?$)")
_DOTTED_TYPE = re.compile(r"([^\W\d][\w.]{0,300}(?:@anonymous\x00?[^:]{0,600}(?::\d+\$[0-9a-f]+)?)?)(?:: |$)")
_LOGGED = re.compile(  # Monolog, and so Laravel: [object] (App\\Empty(code: 0): no tea at /app/x.php:12)
    r"\[object\] \(([\w\\@]{1,300})\(code: [^()]{1,40}\): (.*) at (\S{1,700}):(\d{1,9})\)\s*$", re.DOTALL
)
_STACK = ("Stack trace:", "[stacktrace]")
_DOTTED = re.compile(
    r"\tat ([^\s()][^()]{0,600}|[^()]{0,300}\{closure[^{}]{0,300}\})"
    r"\(([^():]{1,300}\.\w{1,12}(?::\d{1,9})?|[^():]{1,300}:\d{1,9}|Unknown Source)\)\s*"
)
_DOTTED_PHP = re.compile(r"\.(?:php|phtml|inc)(?::\d+)?\)\s*$", re.MULTILINE)


def read(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - the attribute's name
    """Return the chain that PHP or its SDK printed, None if the text has neither form."""
    if "\n\tat " in text and _DOTTED_PHP.search(text):
        return _read_dotted(text, type, message)
    if "#0 " not in text:
        return None
    if "[stacktrace]" in text:  # Monolog writes it as JSON
        text = text.replace("\\\\", "\\")
    reader = _Reader()
    for line in lines_of(text):
        reader.line(line)
    return reader.chain(type, message) if reader.found else None


class _Reader:
    """Reads headers up to "Stack trace:" and calls behind it; a call's place is where the next outer frame is."""

    def __init__(self) -> None:
        self.found = 0
        self._sections: list[Section] = []
        self._types: list[tuple[str, str]] = []
        self._header = Section()
        self._place = ("", 0)
        self._in_stack = False
        self._outermost_first = False

    def line(self, line: str) -> None:
        """Read one more line."""
        if line.startswith(_STACK):
            self._start()
        elif line.startswith("#") and (call := _CALL.match(line)):
            self._call(call)
        elif line.startswith("#") and _MAIN.fullmatch(line):
            self._add("", "{main}")
            self._in_stack = False
        elif line.startswith(("Next ", "[previous exception] ")):
            self._outermost_first = self._outermost_first or line.startswith("[")
            self._header, self._in_stack = Section([line.removeprefix("Next ")]), False
        elif not self._in_stack:
            add_to_message(self._header, line)

    def chain(self, type: str, message: str) -> tuple[Raised, ...]:  # noqa: A002 - the attribute's name
        """What was read, what was caught first."""
        sections, told = self._sections, self._types
        if not self._outermost_first:
            sections, told = sections[::-1], told[::-1]
        told[0] = (told[0][0] or source_type(type), told[0][1] or message)
        for index, section in enumerate(sections):
            section.relation = "cause" if index else ""
            raised_where_it_was_made(section, told[index][0], "::")
        return tuple(
            raised(section, *told[index], index - 1 if index else None) for index, section in enumerate(sections)
        )

    def _start(self) -> None:
        """Begin the stack of the exception whose header was read."""
        self._in_stack = True
        if len(self._sections) >= MAX_CHAIN:
            return
        type_name, message, self._place = _read_header(self._header.told())
        self._types.append((type_name, message))
        self._sections.append(Section())
        self._header = Section()

    def _call(self, call: re.Match[str]) -> None:
        if not self._in_stack:
            self._start()
        place = ("", 0) if call[1] else (call[2], int(call[3]))
        module, function = of_php(call[4])
        if place == self._place and not self._sections[-1].frames and _has_no_place(self._types[-1][0], module):
            self._place = ("", 0)
        self._add(module, function)
        self._place = place

    def _add(self, module: str, function: str) -> None:
        if not self._in_stack:
            self._start()
        self.found += 1
        file, line = self._place
        self._sections[-1].add(Frame(function, module, file, line or None, in_app.php(file)))


def _has_no_place(type: str, module: str) -> bool:  # noqa: A002 - of the exception
    """Whether a function with its caller's place, to which PHP sets the exception's, executes somewhere else.

    PHP's own functions do, and handlers that make warnings exceptions; not a function whose call is on its own line.
    """
    return not module or type == "ErrorException" or not in_app.php("/", module)


def _read_header(told: str) -> tuple[str, str, tuple[str, int]]:
    """Return type, message and place of what stands before a stack."""
    if logged := _LOGGED.search(told):
        return source_type(logged[1]), logged[2], (logged[3], int(logged[4]))
    if fatal := _FATAL.search(told[:300]):
        told = told[fatal.end() :]
    first, newline, last = told.rpartition("\n")
    placed = _PLACE.fullmatch(last)
    place = (placed["file"], int(placed["line"])) if placed else ("", 0)
    if placed:
        told = first + newline + placed["told"]
    found = _TYPE.match(told)
    if found is None:
        return "", told, place
    return source_type(found[1]), told[found.end() :], place


def _read_dotted(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - the attribute's name
    reader = JavaText(_dotted_frame)
    reader.read(text, message)
    if not reader.found:
        return None
    chain: list[Raised] = []
    for index, section in enumerate(reader.sections):
        found = _DOTTED_TYPE.match(section.told())
        told = (found[1].replace(".", "\\"), section.told()[found.end() :]) if found else ("", section.told())
        if not index:
            told = (source_type(type) or told[0], message or told[1])
        _without_place(section, told[0])
        section.restore()
        raised_where_it_was_made(section, told[0], "::")
        chain.append(raised(section, source_type(told[0]), told[1], index - 1 if index else None))
    return tuple(chain)


def _without_place(section: Section, type: str) -> None:  # noqa: A002 - of the exception
    """Take the place from a function that has its caller's, as above."""
    if len(section.frames) > 1:
        thrown, caller = section.frames[:2]
        if (thrown.file, thrown.line) == (caller.file, caller.line) and _has_no_place(type, thrown.module):
            section.frames[0] = Frame(thrown.function, thrown.module, "", None, in_app=False)


def _dotted_frame(line: str) -> Frame | None:
    found = _DOTTED.fullmatch(line)
    if found is None:
        return None
    module, function = of_dots(found[1])
    if found[2] == "Unknown Source":
        return Frame(function, module, "", None, in_app=False)
    file, _, number = found[2].partition(":")
    return Frame(function, module, file, int(number) if number else None, in_app.php(file, module))
