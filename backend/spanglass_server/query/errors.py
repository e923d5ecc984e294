"""What is wrong with a question or a filter, as opposed to with the answering of it (``store.ports.QueryError``)."""

from __future__ import annotations


class BadQuestionError(ValueError):
    """A question that cannot be answered as asked: a wrong parameter, an ambiguous name, a refused statement.

    ``field`` names the parameter at fault, ``hint`` says what to do next (empty when the message does), and
    ``code`` is the API's error code (docs/api.md): ``bad_request`` or ``not_found``.
    """

    def __init__(self, message: str, *, field: str, hint: str = "", code: str = "bad_request") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        self.code = code


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
