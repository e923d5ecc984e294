"""The one error of the filter language."""

from __future__ import annotations


class FilterError(ValueError):
    """A filter that can't be understood, or asks for something a field can't do.

    ``column`` counts characters from 1 and points at the first one that is wrong (one past the end when something is
    missing there). ``expected`` lists what could stand in its place, ``hint`` says what to do; both may be empty.
    """

    def __init__(self, message: str, column: int, expected: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.expected = expected
        self.hint = hint
