"""What went wrong, in Prometheus' words and statuses; whatever Prometheus has no word for is said in its shape too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.api.errors import INTERNAL, ApiError, Problem
from spanglass_server.promql.errors import PromqlError
from spanglass_server.query.errors import BadQuestionError
from spanglass_server.store.ports import QueryError, QueryMemoryError, QueryTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Every ``errorType`` and its HTTP status.
STATUS_OF_KIND = {
    "bad_data": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "execution": 422,
    "internal": 500,
    "unavailable": 503,
    "timeout": 503,
}
_OF_CODE = {"bad_request": "bad_data", "bad_filter": "bad_data", "out_of_memory": "execution"}


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer without data."""

    kind: str
    message: str

    @property
    def status(self) -> int:
        """The HTTP status that goes with the kind."""
        return STATUS_OF_KIND[self.kind]

    def as_json(self) -> bytes:
        """Return the body of the response."""
        return orjson.dumps({"status": "error", "errorType": self.kind, "error": self.message})


class BadParameterError(ValueError):
    """A parameter that can't be read; the message is Prometheus'."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f'invalid parameter "{name}": {reason}')


def _of_problem(problem: Problem) -> Failure:
    kind = _OF_CODE.get(problem.code, problem.code)
    hint = f"; {problem.hint}" if problem.hint else ""
    return Failure(kind if kind in STATUS_OF_KIND else "internal", problem.message + hint)


def _of_question(error: BadQuestionError) -> Failure:
    return _of_problem(Problem(error.code, error.message, hint=error.hint or None))


def _of_promql(error: PromqlError) -> Failure:
    if error.kind == "bad_data":
        return Failure("bad_data", str(BadParameterError("query", error.message)))
    return Failure(error.kind, error.message)


#: Exceptions of the layers below; the first that fits counts.
_FAILURES: tuple[tuple[type[BaseException], Callable[[Any], Failure]], ...] = (
    (ApiError, lambda error: _of_problem(error.problem)),
    (BadParameterError, lambda error: Failure("bad_data", str(error))),
    (PromqlError, _of_promql),
    (BadQuestionError, _of_question),
    (QueryTimeoutError, lambda error: Failure("timeout", str(error))),
    (QueryMemoryError, lambda error: Failure("execution", f"{error}: choose a shorter range or a longer step")),
    (QueryError, lambda error: Failure("unavailable", f"{error}; try again in a moment")),
)


def failure_of(error: BaseException) -> Failure:
    """Choose the answer for any exception."""
    for kind, make in _FAILURES:
        if isinstance(error, kind):
            return make(error)
    return UNFORESEEN


#: For an exception that nobody foresaw; the log has the reason.
UNFORESEEN = Failure("internal", INTERNAL.message)
