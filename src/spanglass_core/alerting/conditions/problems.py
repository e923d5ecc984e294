"""What is wrong with a condition, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ConditionError(ValueError):
    """A text that is no condition; ``column`` counts from 1. ``hint`` says what was probably meant, "" if unknown."""

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint

    def __str__(self) -> str:
        return f"column {self.column}: {self.message}" + (f"; {self.hint}" if self.hint else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the known word that is most like this one; "" if none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - takes 5 ms to import, and is only for those who mistype

    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else ""
