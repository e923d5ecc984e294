"""Backtraces of Rust: panics, anyhow and eyre, ``std::backtrace``; also the list of causes that tracing sends.

Two lines a frame, the innermost first: a number and the function, then ``at`` and the file, if it is known.
"""

from __future__ import annotations

import json
import re

from spanglass_core.stacks import in_app
from spanglass_core.stacks.model import MAX_CHAIN, MAX_FRAMES, Frame, Raised

_FUNCTION = re.compile(r"\s*\d{1,5}: +(?:0x[0-9a-f]+ - )?(?P<function>[^\s\d][^\n]*)$")
_AT = re.compile(r"\s+at (?P<file>[^\n]+?):(?P<line>\d{1,9})(?::\d{1,9})?$")
_BACKTRACE = re.compile(r"^(?:stack backtrace|Stack backtrace|Backtrace):?\s*$", re.MULTILINE | re.IGNORECASE)
_PANICKED = re.compile(
    r"thread '[^'\n]*'(?: \(\d+\))? panicked at (?:'(?P<old>.{0,2000}?)', )?"
    r"(?P<place>[^\n]{0,1000}?:\d+:\d+):?\n?(?P<new>.*)",
    re.DOTALL,
)
_CAUSED = re.compile(r"^Caused by:\s*$", re.MULTILINE)
_NUMBERED = re.compile(r"^\s+(?:\d{1,3}: )?(?P<message>\S[^\n]*)", re.MULTILINE)
_HASH = re.compile(r"::h[0-9a-f]{16}$")
_INHERENT = re.compile(r"^<([\w:]+)>::")  # <shop::Shelf>::take, of newer compilers
_CRATE = re.compile(r"[A-Za-z_]\w*(?=::)")
_SELF = re.compile(r"<(?:&|mut |dyn )*(?P<type>.+?) as (?P<trait>.+?)>(?:::|$)")
#: An error without a backtrace, as anyhow and eyre print it with ``{:?}``.
_ONLY_CAUSES = re.compile(r"\n\nCaused by:\n {4}", re.MULTILINE)
_MAX_LINE = 1000
_MAX_SAID = 8000

#: The machinery of a panic: what stands before and including it, seen from the inside, is no part of the failure.
_PANICS = ("core::panicking::", "std::panicking::begin_panic", "rust_begin_unwind", "__rustc::rust_begin_unwind")
_PANICS_TOO = (
    "std::panicking::panic_with_hook",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::result::unwrap_failed",
)
#: What makes a backtrace or an error that keeps one.
_TELLING = (
    "anyhow::",
    "eyre::",
    "std::backtrace",
    "std::backtrace_rs",
    "backtrace::",
    "color_eyre::",
    "<E as anyhow::",
    "tracing_error::",
)


def read(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - a reader's form
    """Return the errors of a backtrace of Rust; None for a text that is none. Causes have no frames of their own."""
    frames = _frames(text)
    if not any(frame.file or frame.module for frame in frames):
        if not _ONLY_CAUSES.search(text):
            return None
        frames = []
    said = (text[: _said(text)] if frames else text)[:_MAX_SAID].strip()
    panicked = _PANICKED.search(said)
    if panicked:
        kind, told = "panic", panicked["old"] or panicked["new"].strip()
        causes: list[str] = []
    else:
        kind = ""
        told, causes = _causes(said)
    chain = [Raised(type or kind, told or message, tuple(reversed(_without_telling(frames))))]
    for index, cause in enumerate(causes[: MAX_CHAIN - 1]):
        chain.append(Raised("", cause, (), "cause", index))
    return tuple(chain)


def read_list(text: str, type: str, message: str) -> tuple[Raised, ...] | None:  # noqa: A002 - a reader's form
    """Return an error and its causes from a JSON list of their messages; None for a text that is none."""
    try:
        given = json.loads(text) if text.startswith('["') else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        return None
    causes = [Raised("", one, (), "cause", index) for index, one in enumerate(given[: MAX_CHAIN - 1])]
    return (Raised(type, message, ()), *causes)


def _said(text: str) -> int:
    """Return where the frames begin."""
    heading = _BACKTRACE.search(text)
    if heading:
        return heading.start()
    at = 0
    for line in text.split("\n"):
        if _FUNCTION.match(line):
            return at
        at += len(line) + 1
    return at


def _causes(said: str) -> tuple[str, list[str]]:
    heading = _CAUSED.search(said)
    if heading is None:
        return said, []
    return said[: heading.start()].strip(), [match["message"] for match in _NUMBERED.finditer(said, heading.end())]


def _frames(text: str) -> list[Frame]:
    heading = _BACKTRACE.search(text)
    lines = text[heading.end() if heading else 0 :].split("\n")
    frames: list[Frame] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        found = _FUNCTION.match(line[:_MAX_LINE])
        if found is None:
            continue
        at = _AT.match(following)
        function = found["function"]
        if at is None and " " in function and "::" not in function:
            continue  # a numbered message
        frames.append(_frame(_plain(function), at["file"] if at else "", int(at["line"]) if at else None))
        if len(frames) == MAX_FRAMES:
            break
    return frames


def _plain(function: str) -> str:
    """Return a function without its hash and its type arguments, which newer compilers print: ``take::<u32>``."""
    name = _HASH.sub("", function)
    if "::<" not in name:
        return _INHERENT.sub(r"\1::", name)
    kept: list[str] = []
    depth = at = 0
    while at < len(name):
        if name.startswith("::<", at) or (depth and name[at] == "<"):
            at += 3 if not depth else 1
            depth += 1
            continue
        if depth and name[at] == ">" and name[at - 1] != "-":
            depth -= 1
        elif not depth:
            kept.append(name[at])
        at += 1
    return _INHERENT.sub(r"\1::", "".join(kept) or name)


def _frame(function: str, file: str, line: int | None) -> Frame:
    implemented = _SELF.match(function)
    where = function
    if implemented:  # of the type, unless that is a parameter or a primitive
        where = implemented["type"] if "::" in implemented["type"] else implemented["trait"]
    crate = _CRATE.search(where)
    name = crate[0] if crate else ""
    return Frame(function, name, file, line, in_app.rust(name, file))


def _without_telling(frames: list[Frame]) -> list[Frame]:
    start = 0
    for index, frame in enumerate(frames):
        if frame.function.startswith(_PANICS) or frame.function.startswith(_PANICS_TOO):
            start = index + 1
    while start < len(frames) - 1 and frames[start].function.startswith(_TELLING):
        start += 1
    return frames[start:] or frames
