"""``/heartbeat/TOKEN``: the URLs that jobs call. No login: who knows the token may call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from spanglass_server.health.checkers.outcome import shortened
from spanglass_server.health.model import Call

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from spanglass_server.health.desk import HealthDesk

PREFIX: Final = "/heartbeat/"
#: Of what a job says about itself.
_MAX_BYTES: Final = 10_000
_MOST_CODE: Final = 255
_NO_STORE: Final = {"cache-control": "no-store"}


def heartbeat_routes(desk: HealthDesk, clock_ns: Callable[[], int]) -> list[BaseRoute]:
    """The routes. ``/start`` says that a job begins, ``/fail`` and ``/CODE`` that it has failed, or with 0 has not."""

    async def call(request: Request) -> Response:
        kind = _kind(request.path_params.get("how", ""))
        if kind is None:
            hint = "call the address itself, or with /start, /fail or an exit code behind it"
            return PlainTextResponse(f"There is nothing here: {hint}.\n", 404, _NO_STORE)
        try:
            text = await _text(request)
        except ClientDisconnect:
            return PlainTextResponse("", 400)
        how = request.path_params.get("how", "")
        if kind == "fail" and how.isdigit():
            text = f"exit code {how}{f': {text}' if text else ''}"
        made = Call(clock_ns(), kind, shortened(text))
        try:
            taken = await asyncio.to_thread(desk.called, request.path_params["token"], made)
        except OSError:
            return PlainTextResponse("The call can't be kept: see to the server's disk. Try again.\n", 503, _NO_STORE)
        if not taken:
            return PlainTextResponse("No heartbeat has this address.\n", 404, _NO_STORE)
        return PlainTextResponse("OK\n", 200, _NO_STORE)

    methods = ["GET", "HEAD", "POST"]
    return [
        Route(PREFIX + "{token}", call, methods=methods, include_in_schema=False),
        Route(PREFIX + "{token}/{how}", call, methods=methods, include_in_schema=False),
    ]


def _kind(how: str) -> Literal["start", "ok", "fail"] | None:
    if how in {"start", "fail"}:
        return "start" if how == "start" else "fail"
    if not how or how == "0":
        return "ok"
    return "fail" if how.isascii() and how.isdigit() and int(how) <= _MOST_CODE else None


async def _text(request: Request) -> str:
    """What a job says about itself in the body, as one line; what is too long is cut."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            break
    return shortened(bytes(body[:_MAX_BYTES]).decode("utf-8", "replace"))
