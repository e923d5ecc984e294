"""One route as an ASGI endpoint: authorise, read parameters, run the query, answer in JSON, or with a file."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from spanglass_server.access.client_left import CLIENT_LEFT, unless_client_left
from spanglass_server.access.packing import accepts_gzip, is_worth_packing, pack
from spanglass_server.api.errors import INTERNAL, ApiError, Problem, problem_of
from spanglass_server.api.params import RANGE, read_params
from spanglass_server.api.request_bodies import read_json
from spanglass_server.api.streaming import stream
from spanglass_server.query.one_trace.collecting import paused_collector

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection
    from starlette.types import Receive, Scope, Send

    from spanglass_server.api.params import Params
    from spanglass_server.api.routing import Answer, Route
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")

#: The part of a request's scope that holds a list, of callers in the process: an answer of many objects is put there as
#: it is. To write 12 MB of JSON and to read them takes 0.1 s, for which nothing else is answered.
TAKEN = "spanglass.taken"
#: A body of ``POST`` longer than this is refused before it is read to its end.
MAX_BODY_BYTES = 1 << 20
#: Errors of queries that were too large, and what helps where they have a range and where they have none.
_TOO_MUCH = frozenset({"timeout", "out_of_memory"})
_NARROWER = "choose a shorter time range or a narrower filter"
_TRY_LATER = "try again when the server has less to do, or raise the setting that it names"


class QueryRunner(Protocol):
    """The part of the query engine that the API needs."""

    async def run(self, query: Callable[[QuerySession], _T], *, deadline_s: float) -> _T:
        """Run ``query`` with a session in a thread. Cancelling the caller interrupts the query.

        Raises QueryTimeoutError past the deadline, QueryMemoryError past the limit of memory, and what it raises.
        """


@dataclass(frozen=True, slots=True)
class Context:
    """What all endpoints share."""

    engine: QueryRunner
    clock_ns: Callable[[], int]
    authorize: Callable[[HTTPConnection], None]  # raises ApiError("unauthorized") or ApiError("forbidden")
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Serves one route."""

    route: Route
    context: Context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every failure becomes the one JSON shape of errors."""
        request = Request(scope, receive)
        try:
            self.context.authorize(request)
            params = await self._params(request)
            response = await self._answer(request, params)
        except Exception as error:  # noqa: BLE001 - nothing may leave without the shape of errors
            response = failure(self._advised(problem_of(error)), error)
        await response(scope, receive, send)

    def _advised(self, problem: Problem) -> Problem:
        """Add what makes a question smaller, which depends on what can be asked."""
        if problem.code not in _TOO_MUCH:
            return problem
        ranged = set(RANGE) <= set(self.route.parameters)
        return replace(problem, hint=_NARROWER if ranged else _TRY_LATER)

    async def _params(self, request: Request) -> Params:
        """Read the route's parameters, and its body's JSON as ``body``."""
        for name, text in request.path_params.items():
            if not text.strip():  # such as %20: read_params would take it as not given
                raise ApiError("bad_request", f"the path has no {name}", field=name)
        given = [*request.path_params.items(), *request.query_params.multi_items(), *self._headers(request)]
        params = read_params(self.route.parameters, given, self.context.clock_ns())
        if self.route.body is not None:
            params["body"] = await read_json(request, MAX_BODY_BYTES)
        return params

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        """Return the headers that are parameters of the route."""
        names = [param.name for param in self.route.parameters if param.header]
        return [(name, request.headers[name]) for name in names if name in request.headers]

    async def _answer(self, request: Request, params: Params) -> Response:
        """Make the response of the handler; encoding and compressing happen in the query's thread."""
        packs = accepts_gzip(request)
        route = self.route
        if route.streamed is not None:
            return await stream(route.streamed, self.context, request, params)
        if route.query is None:
            assert route.reply is not None, "a route has query or reply"  # noqa: S101 - a mistake in the table
            answer = route.reply(params)
            status = route.status if route.status_of is None else route.status_of(answer)
            return _json(*_encode(answer, packs=packs), status)
        query = route.query
        taken: list[Answer] | None = request.scope.get(TAKEN) if route.many_objects else None

        def encoded_answer(session: QuerySession) -> tuple[bytes, bool]:
            # until the answer is bytes: of what is left then, there is hardly anything to look at
            with paused_collector() if route.many_objects else nullcontext():
                answer = query(session, params)
                if taken is None:
                    return _encode(answer, packs=packs)
                taken.append(answer)
                return b"", False

        run = self.context.engine.run(encoded_answer, deadline_s=self.context.deadline_s)
        encoded = await unless_client_left(request, run)
        return _json(*encoded, route.status) if encoded is not None else Response(status_code=CLIENT_LEFT)


def _encode(answer: Answer, *, packs: bool) -> tuple[bytes, bool]:
    """Encode the body, and say whether it is packed."""
    body = orjson.dumps(answer)
    if packs and is_worth_packing(body):
        return pack(body), True
    return body, False


def _json(body: bytes, packed: bool, status: int = 200) -> Response:  # noqa: FBT001 - unpacked from _encode
    """Make a JSON response that no cache keeps."""
    headers = {"cache-control": "no-store", "vary": "accept-encoding"}
    if packed:
        headers["content-encoding"] = "gzip"
    return Response(body, status, headers, media_type="application/json")


def failure(problem: Problem, error: BaseException | None = None) -> Response:
    """Make the response for a problem; an unforeseen error goes to the log with its trace."""
    if problem is INTERNAL:
        _LOG.error("a request failed", exc_info=error)
    response = _json(orjson.dumps(problem.as_json()), packed=False, status=problem.status)
    if problem.code == "unauthorized":
        response.headers["www-authenticate"] = "Bearer"
    return response
