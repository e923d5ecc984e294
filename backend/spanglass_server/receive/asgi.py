"""What endpoints of receivers share: the headers of a request, and its answer, in bare ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from spanglass_server.receive.rejections import Sender

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Scope, Send

    from spanglass_server.receive.cors import Headers
    from spanglass_server.receive.upload import Upload

NO_CONTENT: Final = 204


class Head(NamedTuple):
    """The request headers that matter here."""

    media_type: bytes  # small letters, without parameters
    content_type: str  # as it was sent
    content_encoding: str
    content_length: int | None
    authorization: str | None
    origin: str | None


def head_of(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Read the headers that matter."""
    found = dict(headers)
    length = found.get(b"content-length", b"")
    authorization = found.get(b"authorization")
    origin = found.get(b"origin")
    return Head(
        found.get(b"content-type", b"").partition(b";")[0].strip().lower(),
        found.get(b"content-type", b"").decode("latin-1"),
        found.get(b"content-encoding", b"").decode("latin-1"),
        int(length) if length.isdigit() else None,
        None if authorization is None else authorization.decode("latin-1"),
        None if origin is None else origin.decode("latin-1"),
    )


def sender_of(scope: Scope) -> Sender:
    """Who sent a request, by what it says of itself and where it comes from."""
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    client = scope.get("client")
    return Sender(agent.decode("latin-1"), client[0] if client else "")


async def respond(send: Send, status: int, body: bytes, headers: Headers, *, more: bool = False) -> None:
    """Send a whole response; with ``more`` its end, which lets the server close, is left to the caller."""
    if status != NO_CONTENT:  # which must not say how long nothing is (RFC 9110, section 8.6)
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def refuse(send: Send, upload: Upload, status: int, body: bytes, headers: Headers) -> None:
    """Answer a request that is refused, let the client finish sending, and close the connection if it doesn't."""
    if upload.complete:
        await respond(send, status, body, headers)
        return
    await respond(send, status, body, [*headers, (b"connection", b"close")], more=True)
    await upload.discard()
    await send({"type": "http.response.body"})
