"""One route as an ASGI endpoint: authorise, read the form, ask, answer as Prometheus does."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from spanglass_server.access.client_left import CLIENT_LEFT, unless_client_left
from spanglass_server.access.packing import GZIP_FROM_BYTES, accepts_gzip, pack
from spanglass_server.api.prometheus.params import Form
from spanglass_server.api.prometheus.problems import UNFORESEEN, BadParameterError, failure_of
from spanglass_server.api.prometheus.routing import Question
from spanglass_server.api.request_bodies import media_type_of, read_body
from spanglass_server.store.ports import QueryTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection
    from starlette.types import Receive, Scope, Send

    from spanglass_server.api.endpoint import QueryRunner
    from spanglass_server.api.prometheus.routing import PrometheusRoute, Reply
    from spanglass_server.promql.stored.source import StoredSeries
    from spanglass_server.store.ports import QuerySession

_LOG = logging.getLogger(__name__)
_MAX_FORM_BYTES = 1 << 20
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Context:
    """What all endpoints share; ``series`` opens what is stored as Prometheus' series, for one query."""

    engine: QueryRunner
    series: Callable[[QuerySession], StoredSeries]
    clock_ns: Callable[[], int]
    authorize: Callable[[HTTPConnection], None]  # raises ApiError("unauthorized") or ApiError("forbidden")
    deadline_s: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Serves one route."""

    route: PrometheusRoute
    context: Context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; every failure has Prometheus' shape."""
        request = Request(scope, receive)
        try:
            self.context.authorize(request)
            response = await self._answer(request, await self._form(request))
        except Exception as error:  # noqa: BLE001 - nothing may leave without the shape of errors
            response = failed(error)
        await response(scope, receive, send)

    async def _form(self, request: Request) -> Form:
        """Read the parameters of the body, of the address and of the path."""
        posted = await _posted(request) if request.method == "POST" else []
        pairs = [*request.path_params.items(), *posted, *request.query_params.multi_items()]
        return Form.of(pairs, self.context.clock_ns())

    async def _answer(self, request: Request, form: Form) -> Response:
        """Make the response; writing and compressing it happen in the query's thread."""
        packs = accepts_gzip(request)
        route, context = self.route, self.context
        if route.query is None:
            assert route.reply is not None, "a route has query or reply"  # noqa: S101 - a mistake in the table
            return _json(*_encode(route.reply(form), packs=packs))
        query = route.query
        timeout_ms = form.duration_ms("timeout")
        if timeout_ms is not None and timeout_ms <= 0:
            raise BadParameterError("timeout", f"timeout must be positive, got {timeout_ms / 1000:g}s")
        deadline_s = context.deadline_s if timeout_ms is None else min(context.deadline_s, timeout_ms / 1000)
        until_s = time.monotonic() + deadline_s
        run = context.engine.run(
            lambda session: _encode(query(Question(form, context.series(session), until_s, session)), packs=packs),
            deadline_s=deadline_s,
        )
        try:
            encoded = await unless_client_left(request, run)
        except QueryTimeoutError as error:
            if deadline_s < context.deadline_s:
                raise QueryTimeoutError(f"the query was stopped after {deadline_s:g} s (parameter timeout)") from error
            raise
        return _json(*encoded) if encoded is not None else Response(status_code=CLIENT_LEFT)


async def _posted(request: Request) -> list[tuple[str, str]]:
    """Read the fields of a form that was posted; a body of another type is left alone, as Prometheus does."""
    body = await read_body(request, _MAX_FORM_BYTES)
    if media_type_of(request) != _FORM:
        return []
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _encode(reply: Reply, *, packs: bool) -> tuple[list[bytes], bool]:
    """Encode the body, and say whether it is packed."""
    parts = reply.parts()
    if packs and sum(map(len, parts)) > GZIP_FROM_BYTES:
        return [pack(b"".join(parts))], True
    return parts, False


def _json(parts: list[bytes], packed: bool, status: int = 200) -> Response:  # noqa: FBT001 - unpacked from _encode
    headers = {"cache-control": "no-store", "vary": "accept-encoding"}
    if packed:
        headers["content-encoding"] = "gzip"
    return _Parts(parts, status, headers)


class _Parts(Response):
    """A response of JSON whose body is sent in parts: each is gone from memory when it is on its way."""

    media_type = "application/json"

    def __init__(self, parts: list[bytes], status: int, headers: dict[str, str]) -> None:
        super().__init__(None, status, {**headers, "content-length": str(sum(map(len, parts)))})
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        self._parts.reverse()
        while self._parts:
            part = self._parts.pop()
            await send({"type": "http.response.body", "body": part, "more_body": bool(self._parts)})


def failed(error: BaseException) -> Response:
    """Make the response for an error; an unforeseen one goes to the log with its trace."""
    failure = failure_of(error)
    if failure is UNFORESEEN:
        _LOG.error("a request failed", exc_info=error)
    response = _json([failure.as_json()], packed=False, status=failure.status)
    if failure.kind == "unauthorized":
        response.headers["www-authenticate"] = "Bearer"
    return response
