"""What can be wrong with a report that is asked for, and with the questions that it is made of."""

from __future__ import annotations


class AskError(Exception):
    """The API's answer to a question of a report was an error; ``code`` is its machine-readable code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ReportFailedError(Exception):
    """No section of a report could be made."""


class RefusedError(Exception):
    """What is asked for is refused: ``field`` is at fault, ``hint`` says what to do next."""

    def __init__(self, message: str, field: str, hint: str) -> None:
        super().__init__(message)
        self.field, self.hint = field, hint


class TooManyError(RefusedError):
    """More reports wait already than may."""


class UnknownReportError(Exception):
    """There is no report with that id."""


class NotDoneError(Exception):
    """The report has no content: it waits, is being made, or could not be made."""


class ReportStoreError(Exception):
    """The store of reports can't be used; the message says what to do."""
