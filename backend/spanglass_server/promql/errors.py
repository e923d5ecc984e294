"""What is wrong with a PromQL expression, or with evaluating it."""

from __future__ import annotations

from typing import Literal

Kind = Literal["bad_data", "execution", "timeout"]


class PromqlError(ValueError):
    """An expression that cannot be parsed (``bad_data``) or evaluated, with Prometheus' type of error.

    ``position`` is (line, column), both counted from 1, if the place in the expression is known.
    """

    def __init__(self, kind: Kind, message: str, position: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.position = position


def execution_error(message: str) -> PromqlError:
    """An error of evaluation."""
    return PromqlError("execution", message)


class BadFilterError(PromqlError):
    """A label ``__filter__`` that cannot be understood; ``column``, from 1, is the place in its value."""

    def __init__(self, reason: str, filter_text: str = "", column: int = 1) -> None:
        super().__init__("bad_data", reason)
        self.filter_text = filter_text
        self.column = column

    def placed(self, text: str, selector: int) -> PromqlError:
        """The same in an expression whose selector begins at a place; there, if the filter is written with escapes."""
        begin = text.find(self.filter_text, selector) if self.filter_text else -1
        place = selector if begin < 0 else begin + self.column - 1
        line = text.count("\n", 0, place) + 1
        column = place - text.rfind("\n", 0, place)
        return PromqlError("bad_data", f"{line}:{column}: {self.message}", (line, column))
