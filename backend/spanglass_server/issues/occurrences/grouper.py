"""Fingerprints of exceptions as they come in, remembered by what they are made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from spanglass_core.grouping.exception import ExceptionReport
from spanglass_core.grouping.fingerprint import CURRENT_VERSION, Fingerprint, fingerprint_of
from spanglass_core.grouping.rules import NO_RULES, Rules
from spanglass_core.stacks.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_core.stacks.model import Raised
    from spanglass_server.issues.occurrences.told import Told

_EPOCHS = 1_000_000
#: Stacks whose group is remembered, about 2 kB each.
_REMEMBERED = 20_000
_FRAMES_MAX = 64


@dataclass(frozen=True, slots=True)
class Grouped:
    """The group of an exception, and where it was raised.

    The fingerprint's title and message may be those of another exception of the group.
    """

    fingerprint: Fingerprint
    raised_in: str  # file, line and function of the innermost frame: the same wherever the exception is told
    frames: bytes  # those of the application, innermost first, 4 bytes each
    told_message: str  # as the stack says it
    has_app_frames: bool  # whether the stack reaches the application
    stack_hash: int


class Grouper:
    """Groups by the current version and one set of rules. Belongs to one thread.

    ``epoch`` is that of the rules; ``grouping`` says version and epoch, and is stored with each key.
    """

    def __init__(self, rules: Rules = NO_RULES, epoch: int = 0) -> None:
        self.grouping = CURRENT_VERSION * _EPOCHS + epoch
        self.keys = tuple(sorted(rules.attribute_keys))
        self._rules = rules
        self._rules_read_messages = any(rule.match.message for rule in rules.rules)
        self._known: dict[bytes, Grouped | None] = {}  # None: there it depends on the message too

    def group(self, one: Told) -> Grouped:
        """Return the group of an exception.

        A message stands in its stack too and is seldom the same twice: without it most stacks are known already. With
        the colon before it, it can't be mistaken for a part of a function's name.
        """
        stack = without_message(one)
        parts = (one.service, one.type, stack, *one.fingerprint, *map("=".join, one.attributes.items()))
        key = _digest(parts)
        found = self._known.get(key)
        if found is None and (self._rules_read_messages or key in self._known):
            key = _digest((*parts, one.message))
            found = self._known.get(key)
        return self._grouped(one, parts, key) if found is None else found

    def _grouped(self, one: Told, parts: Iterable[str], key: bytes) -> Grouped:
        report = ExceptionReport(one.service, one.type, one.message, one.stacktrace, one.fingerprint, one.attributes)
        stack_hash = int.from_bytes(key[:8], "big", signed=True)
        chain = parse(one.stacktrace, one.type, one.message)
        has_app_frames = any(frame.in_app for raised in chain for frame in raised.frames)
        group = fingerprint_of(CURRENT_VERSION, report, chain, self._rules)
        found = Grouped(group, *_places(chain[0]), chain[0].message, has_app_frames, stack_hash)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        if any(given.kind == "message" for given in found.fingerprint.inputs):
            self._known[key] = None
            key = _digest((*parts, one.message))
        self._known[key] = found
        return found


def without_message(one: Told) -> str:
    """Return the stack without the message of the exception, where a line ends with it."""
    if not has_message_in_stack(one):
        return one.stacktrace
    stack = one.stacktrace.replace(f": {one.message}\n", ":\n")
    return stack.removesuffix(one.message) if stack.endswith(f": {one.message}") else stack


def has_message_in_stack(one: Told) -> bool:
    """Return whether a line of the stack ends with the message of the exception."""
    end = f": {one.message}"
    return bool(one.message) and (one.stacktrace.endswith(end) or f"{end}\n" in one.stacktrace)


def _places(raised: Raised) -> tuple[str, bytes]:
    """Return the innermost frame, and all of the application."""
    texts = [f"{frame.file}:{frame.line}:{frame.function}" for frame in raised.frames]
    ours = [text for text, frame in zip(texts, raised.frames, strict=True) if frame.in_app][-_FRAMES_MAX:]
    frames = b"".join(crc32(text.encode("utf-8", "surrogatepass")).to_bytes(4, "big") for text in reversed(ours))
    return texts[-1] if texts else "", frames


def _digest(parts: Iterable[str]) -> bytes:
    return hashlib.blake2b("\1".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
