"""Answers that are larger than memory should hold: made in parts, each by a question of its own, and sent as they come.

The first part is made before the answer begins, so what is wrong with a request is told in the shape of errors. What
fails later cuts the connection: the client sees that the answer is not whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from spanglass_server.access.client_left import CLIENT_LEFT, unless_client_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from spanglass_server.api.endpoint import Context
    from spanglass_server.api.params import Params
    from spanglass_server.store.ports import QuerySession

#: What a part ended with: where the next one begins, None at the end.
Place = Any


@dataclass(frozen=True, slots=True)
class Streamed:
    """How a route answers in parts: ``part`` gets a session, the parameters and a place, None for the first.

    ``media_types`` are by the parameter ``format``; the file is called ``name``, or what that makes of the parameters,
    with that format behind a dot.
    """

    part: Callable[[QuerySession, Params, Place], tuple[bytes, Place]]
    media_types: dict[str, str]
    name: str | Callable[[Params], str]


async def stream(streamed: Streamed, context: Context, request: Request, params: Params) -> Response:
    """Answer a request; errors of the first part are raised."""

    async def part(place: Place) -> tuple[bytes, Place]:
        return await context.engine.run(
            lambda session: streamed.part(session, params, place), deadline_s=context.deadline_s
        )

    first = await unless_client_left(request, part(None))
    if first is None:
        return Response(status_code=CLIENT_LEFT)
    form = params["format"]
    name = streamed.name if isinstance(streamed.name, str) else streamed.name(params)
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{name}.{form}"',
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_parts(first, part), headers=headers, media_type=streamed.media_types[form])


async def _parts(first: tuple[bytes, Place], part: Callable[[Place], Any]) -> AsyncIterator[bytes]:
    content, place = first
    yield content
    while place is not None:
        content, place = await part(place)
        if content:
            yield content
