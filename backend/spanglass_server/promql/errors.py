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
