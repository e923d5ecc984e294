"""One route of Alertmanager's API as an ASGI endpoint: errors are a JSON string, as its clients expect them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from spanglass_server.access.client_left import CLIENT_LEFT, unless_client_left
from spanglass_server.api.errors import INTERNAL, problem_of
from spanglass_server.api.request_bodies import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from spanglass_server.api.endpoint import Context

_LOG = logging.getLogger(__name__)
ROOT = "/alertmanager"
PREFIX = f"{ROOT}/api/v2"
#: Prometheus sends 64 alerts at a time, whose annotations may be long.
MAX_BODY_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: parameters of the path, all values of each parameter of the address, the body's JSON, the time.

    ``base_url`` is the address that the client used, for links.
    """

    path: dict[str, str]
    query: dict[str, list[str]]
    body: Any
    now_ns: int
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerRoute:
    """One route; ``answer`` runs in a thread of queries, and gives what becomes JSON, None for an empty body."""

    path: str
    method: str = "GET"
    summary: str
    parameters: tuple[str, ...] = ()
    answer: Callable[[Asked], Any]

    @property
    def full_path(self) -> str:
        """The path with its prefix."""
        return PREFIX + self.path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Serves one route."""

    route: AlertmanagerRoute
    context: Context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            self.context.authorize(request)
            response = await self._answer(request)
        except Exception as error:  # noqa: BLE001 - nothing may leave without the shape of errors
            response = failed(error)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        asked = Asked(
            path={name: str(value) for name, value in request.path_params.items()},
            query=self._query(request),
            body=await read_json(request, MAX_BODY_BYTES, "send fewer alerts at once")
            if self.route.method == "POST"
            else None,
            now_ns=self.context.clock_ns(),
            base_url=str(request.base_url).rstrip("/"),
        )
        run = self.context.engine.run(
            lambda _: _encode(self.route.answer(asked)),
            deadline_s=self.context.deadline_s,
        )
        body = await unless_client_left(request, run)
        return _json(body) if body is not None else Response(status_code=CLIENT_LEFT)

    def _query(self, request: Request) -> dict[str, list[str]]:
        given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            if name in self.route.parameters:  # others are left alone, as there
                given.setdefault(name, []).append(value)
        return given


def _encode(answer: Any) -> bytes:
    return b"" if answer is None else orjson.dumps(answer)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, {"cache-control": "no-store"}, media_type="application/json" if body else None)


def failed(error: BaseException) -> Response:
    """Make the response for an error; an unforeseen one goes to the log with its trace."""
    problem = problem_of(error)
    if problem is INTERNAL:
        _LOG.error("a request failed", exc_info=error)
    parts = [
        f"{problem.field}: " if problem.field else "",
        problem.message,
        f"; {problem.hint}" if problem.hint else "",
    ]
    response = _json(orjson.dumps("".join(parts)), problem.status)
    if problem.code == "unauthorized":
        response.headers["www-authenticate"] = "Bearer"
    return response
