"""The one JSON shape of every failure, and the table of its codes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from spanglass_server.query.errors import BadQuestionError, FilterError
from spanglass_server.store.ports import QueryError, QueryMemoryError, QueryTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Every code an answer can carry and its HTTP status.
STATUS_OF_CODE = {
    "bad_request": 400,
    "bad_filter": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "precondition_failed": 412,
    "unsupported_media_type": 415,
    "internal": 500,
    "unavailable": 503,
    "timeout": 504,
    "out_of_memory": 507,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in the fields of the ``error`` object; those that are None are left out.

    ``column`` is the place in ``field``'s text, counted from 1; ``hint`` says what to do next.
    """

    code: str
    message: str
    field: str | None = None
    column: int | None = None
    expected: Sequence[str] | None = None
    hint: str | None = None

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUS_OF_CODE[self.code]

    def as_json(self) -> dict[str, object]:
        """Return the body of the response."""
        return {"error": {name: value for name, value in asdict(self).items() if value is not None}}


class ApiError(Exception):
    """Raised anywhere below a handler to answer with a problem."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        column: int | None = None,
        expected: Sequence[str] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = Problem(code, message, field, column, expected, hint)


INTERNAL = Problem(
    "internal", "the server failed to answer; its log has the reason", hint="try again, and report it if it stays"
)


def _of_question(error: BadQuestionError) -> Problem:
    return Problem(error.code, error.message, field=error.field, hint=error.hint or None)


def _of_filter(error: FilterError) -> Problem:
    expected, hint = error.expected or None, error.hint or None
    return Problem("bad_filter", error.message, "filter", error.column, expected, hint)


#: Exceptions of the layers below and the problems they are answered with; the first that fits counts.
_PROBLEMS: tuple[tuple[type[BaseException], Callable[[Any], Problem]], ...] = (
    (ApiError, lambda error: error.problem),
    (BadQuestionError, _of_question),
    (FilterError, _of_filter),
    (QueryTimeoutError, lambda error: Problem("timeout", str(error))),
    (QueryMemoryError, lambda error: Problem("out_of_memory", str(error))),
    (QueryError, lambda error: Problem("unavailable", str(error), hint="try again in a moment")),
)


def disk_error(error: Exception, what: str = "the change could not be kept") -> ApiError:
    """The error of a disk that can't be used; ``what`` says what was not done."""
    hint = "free some space or see to the disk of the data directory, and try again"
    return ApiError("unavailable", f"{what}: {error}", hint=hint)


@contextmanager
def refusals(unknown: type[Exception], what: str, field: str, hint: str) -> Iterator[None]:
    """Turn what a store refuses into errors of the API; ``field`` is the one of an id that is ``unknown`` to it."""
    try:
        yield
    except unknown as error:
        raise ApiError("not_found", str(error), field=field, hint=hint) from error
    except OSError as error:
        raise disk_error(error, f"{what} can't be read or changed") from error


def problem_of(error: BaseException) -> Problem:
    """Choose the problem to answer with for any exception; ``INTERNAL`` for one that nobody foresaw."""
    for kind, make in _PROBLEMS:
        if isinstance(error, kind):
            return make(error)
    return INTERNAL
