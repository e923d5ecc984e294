"""What is wrong with one rule, in words that say what to do, with the place in its condition."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanglass_server.alerting.model import Failure
from spanglass_server.promql.errors import PromqlError
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.store.ports import QueryMemoryError

if TYPE_CHECKING:
    from collections.abc import Iterator


class RuleProblem(Exception):  # noqa: N818 - a rule's problem, no error of the server
    """Why a rule can't be evaluated; ``column`` is the place in its condition, from 1, 0 for none."""

    def __init__(self, message: str, column: int = 0, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.column = column

    @property
    def failure(self) -> Failure:
        """The same as a value."""
        return Failure(str(self), self.column)


@contextmanager
def evaluating(column: int) -> Iterator[None]:
    """Turn what is wrong with an expression, or too much for it, into the problem of the rule that asks for it."""
    try:
        yield
    except PromqlError as error:
        raise RuleProblem(error.message, column) from error
    except BadQuestionError as error:
        raise RuleProblem(error.message, column, error.hint) from error
    except QueryMemoryError as error:
        raise RuleProblem(str(error), column) from error
