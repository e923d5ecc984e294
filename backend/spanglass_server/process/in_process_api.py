"""Calling the HTTP API from within the process: the pages see exactly what every other client sees."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

import orjson

from spanglass_server.api.endpoint import TAKEN
from spanglass_server.pages.ports import ApiError
from spanglass_server.query.one_trace.collecting import paused_collector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message

_OK = range(200, 300)
#: While a larger answer is read, the collector of cycles would look at its parts again and again, which takes as long.
_LARGE_BYTES = 1 << 18


class InProcessApi:
    """The ``Api`` of the pages over an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(
        self, path: str, params: Mapping[str, str | list[str]], body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """See ``pages.ports.Api``."""
        taken: list[dict[str, Any]] = []
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET" if body is None else "POST",
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": urlencode(params, doseq=True).encode(),
            "root_path": "",
            "headers": [] if body is None else [(b"content-type", b"application/json")],
            "client": None,
            "server": None,
            TAKEN: taken,
        }
        status = 0
        parts: list[bytes] = []
        was_read = False

        async def receive() -> Message:
            nonlocal was_read
            if was_read:  # the caller stays until it is cancelled
                await asyncio.Event().wait()
            was_read = True
            return {"type": "http.request", "body": b"" if body is None else orjson.dumps(body), "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        if taken:
            return taken[0]
        whole = b"".join(parts)
        with paused_collector() if len(whole) > _LARGE_BYTES else nullcontext():
            answer = _read(whole, status)
        if status not in _OK:
            raise ApiError(status, _error(answer))
        return answer


def _read(body: bytes, status: int) -> dict[str, Any]:
    """The JSON of an answer; a path that no route has is answered in plain words."""
    try:
        return orjson.loads(body)  # type: ignore[no-any-return]
    except orjson.JSONDecodeError:
        if status in _OK:
            raise
        code = "not_found" if status == HTTPStatus.NOT_FOUND else "internal"
        return {"error": {"code": code, "message": body.decode(errors="replace")}}


def _error(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that tells of an error; Prometheus' API has its message and type beside one another instead."""
    error: Mapping[str, Any] | str = body.get("error", {})
    return {"code": body.get("errorType", ""), "message": error} if isinstance(error, str) else error
