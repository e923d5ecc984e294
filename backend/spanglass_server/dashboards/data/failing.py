"""Everything that can be wrong with a query of a panel, as one kind of problem."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanglass_server.dashboards.data.formula import FormulaError
from spanglass_server.forms.problems import Problem
from spanglass_server.measures.grammar import MeasureError
from spanglass_server.promql.errors import PromqlError
from spanglass_server.query.errors import BadQuestionError, FilterError
from spanglass_server.store.ports import QueryTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator


class QueryFailedError(Exception):
    """A query that can't be answered as it is written."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@contextmanager
def failing(query_id: str) -> Iterator[None]:
    """Turn what is wrong with a query into ``QueryFailedError``, with its place in the query's text.

    That it takes too long is no fault of its text: ``QueryTimeoutError``, as everywhere.
    """
    try:
        yield
    except PromqlError as error:
        if error.kind == "timeout":
            raise QueryTimeoutError(error.message) from error
        line, column = error.position or (0, 0)
        raise QueryFailedError(Problem(error.message, query_id, line, column)) from error
    except (FilterError, FormulaError, MeasureError) as error:
        raise QueryFailedError(Problem(str(error), query_id, 1, error.column, error.hint)) from error
    except BadQuestionError as error:
        raise QueryFailedError(Problem(error.message, query_id, hint=error.hint)) from error
