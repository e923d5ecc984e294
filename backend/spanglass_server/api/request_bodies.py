"""Bodies of requests: read up to a limit, and as JSON of no other type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from spanglass_server.api.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

_JSON = "application/json"


def media_type_of(request: Request) -> str:
    """The type that a body says it has, without parameters; "" for none."""
    return str(request.headers.get("content-type", "")).partition(";")[0].strip().lower()


async def read_body(request: Request, most: int, hint: str | None = None) -> bytes:
    """Read a body; one of more bytes than ``most`` is refused before it is read to its end (``ApiError``)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ApiError("bad_request", f"the body is longer than {most} bytes", field="body", hint=hint)
    return bytes(body)


async def read_json(request: Request, most: int, hint: str | None = None) -> Any:
    """Read the JSON of a body; only of that type, which no page of another site may send unasked."""
    media_type = media_type_of(request)
    if media_type != _JSON:
        raise ApiError(
            "unsupported_media_type",
            f"the body's Content-Type is {media_type!r}, not {_JSON!r}",
            field="Content-Type",
            hint=f"send the header 'Content-Type: {_JSON}'",
        )
    body = await read_body(request, most, hint)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError("bad_request", f"the body is not JSON: {error}", field="body") from error
