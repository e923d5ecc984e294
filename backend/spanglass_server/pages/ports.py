"""What the pages need from the outside: the HTTP API, called in this process, and what it tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict

from spanglass_core.model_prices import Prices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Health = Callable[[], str | None]
    FirstTime = Callable[[], int | None]
    #: Saved views that a reader of this name sees, each as ``GET /api/v1/views`` has it.
    SeenViews = Callable[[str], Sequence[Mapping[str, Any]]]
    #: Note, actor and time of a pinned trace, by its id in hex; None for one that is not pinned.
    Pinned = Callable[[str], Mapping[str, str] | None]


class Server(TypedDict):
    """What pages know of the server they belong to; each is asked for every page, and answers at once."""

    clock_ns: Callable[[], int]  # nanoseconds since 1970
    version: str
    health: Health  # why no records are taken in, in words for people; None while they are
    firing: NotRequired[Callable[[], int]]  # how many alerts are open; without it, no alerts are kept
    prices: NotRequired[Prices]  # of language models; without them, calls cost nothing that is known
    views: NotRequired[SeenViews]  # without it, none are kept
    pinned: NotRequired[Pinned]  # without it, nothing is
    first_time: FirstTime  # when the earliest record that is stored was, in nanoseconds since 1970; None without any


class ApiError(Exception):
    """The API's answer was an error; ``error`` is the object under ``"error"`` in its one error shape (docs/api.md)."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(str(error.get("message", "")))
        self.status = status
        self.error = error

    @property
    def code(self) -> str:
        """The machine-readable code, ``bad_filter`` for example."""
        return str(self.error.get("code", "internal"))


class Api(Protocol):
    """The API as pages call it.

    ``path`` is an API path as it stands in a URL (``/api/v1/services/a%2Fb/series``: parts are percent-encoded),
    ``params`` the query parameters, decoded, a list for one that is repeated. With ``body``, a JSON object, the request
    is a POST, as questions are that need one; pages change nothing. Returns the decoded JSON body of a 2xx answer and
    raises ``ApiError`` for any other. Cancelling the call stops the query. Calls may run at the same time.
    """

    async def __call__(
        self, path: str, params: Mapping[str, str | list[str]], body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the answer to one request."""
        ...
