"""What the capture of exceptions is given: a scrubber, ids and clocks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scrubber(Protocol):
    """Replaces what looks like a secret. Safe for threads; gives the same object when nothing was found."""

    def attributes(self, attributes: Mapping[str, object]) -> Mapping[str, object]:
        """Scrub values by their keys, and texts by what is in them."""

    def value(self, key: str, value: object) -> object:
        """Scrub one value by its key, and by what is in it."""

    def text(self, text: str) -> str:
        """Scrub running text by what is in it."""


class NoScrubber:
    """Scrubs nothing: the setting ``scrub`` is off."""

    def attributes(self, attributes: Mapping[str, object]) -> Mapping[str, object]:
        """Return the mapping."""
        return attributes

    def value(self, key: str, value: object) -> object:  # noqa: ARG002 - the protocol's
        """Return the value."""
        return value

    def text(self, text: str) -> str:
        """Return the text."""
        return text


def random_id() -> str:
    """Give 16 hexadecimal digits of the system's random numbers, which differ in forked children."""
    return os.urandom(8).hex()
