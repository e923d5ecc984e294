"""Reading any stack trace: the language is known by the text itself.

Never raises, and takes time in proportion to what it reads, which is at most ``MAX_TEXT`` characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass_core.stacks import dotnet, golang, javascript, jvm, php, python, ruby, rust
from spanglass_core.stacks.model import MAX_CHAIN, Raised

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[str, str, str], tuple[Raised, ...] | None]

MAX_TEXT = 256 * 1024
_HALF = MAX_TEXT // 2

#: In this order; each gives None for a text that is not of its language.
_READERS: tuple[Reader, ...] = (
    *(ruby.read, python.read, golang.read, jvm.read, dotnet.read, php.read, rust.read, javascript.read),
)


def parse(stacktrace: str, type: str = "", message: str = "") -> tuple[Raised, ...]:  # noqa: A002 - as it is told
    """Return the exceptions that a stack trace tells, what was caught first; at least one.

    ``type`` and ``message`` are what was sent beside it. They stand where the text does not say them; some senders
    have the whole text in the message, where it is looked for too.
    """
    for text in (stacktrace, message):
        if "\n" not in text:
            continue
        cut = _cut(text).replace("\r\n", "\n")
        for read in _READERS:
            chain = read(cut, type, message)
            if chain:
                return chain[:MAX_CHAIN]
    return rust.read_list(stacktrace, type, message) or (Raised(type, message, ()),)


def _cut(text: str) -> str:
    """Return the beginning and the end of a long text: depending on the language, one of them is the innermost part."""
    if len(text) <= MAX_TEXT:
        return text
    head, tail = text[:_HALF], text[-_HALF:]
    return head[: head.rfind("\n") + 1] + tail[tail.find("\n") + 1 :]
