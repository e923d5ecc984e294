"""Prometheus remote write, 1.0 and 2.0: POST /prometheus/api/v1/write (Prometheus: remote write specifications).

Senders retry 5xx and 429 and drop the data on any other refusal. A request some of whose records can't be stored is
answered 400 with the reasons, as both specifications ask; the others of it are stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from spanglass_server.ingest.ports import Form
from spanglass_server.receive.asgi import NO_CONTENT, head_of, refuse, respond, sender_of
from spanglass_server.receive.compression import SnappyBlock, new_body, too_large
from spanglass_server.receive.status import RETRY_AFTER_S, Reason, RequestRefusedError
from spanglass_server.receive.upload import ClientLeftError, Upload
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from spanglass_server.ingest.ports import Accepted
    from spanglass_server.receive.asgi import Head
    from spanglass_server.receive.compression import Body
    from spanglass_server.receive.cors import Headers
    from spanglass_server.receive.intake import Intake

PATH: Final = "/prometheus/api/v1/write"

_TRANSPORT: Final = "http"
_MEDIA_TYPE: Final = b"application/x-protobuf"
_FORMS: Final = {
    "": Form.REMOTE_WRITE_1,
    "prometheus.WriteRequest": Form.REMOTE_WRITE_1,
    "io.prometheus.write.v2.Request": Form.REMOTE_WRITE_2,
}
#: Kinds of records, by the header of 2.0 that says how many were stored.
_WRITTEN: Final = {
    b"x-prometheus-remote-write-samples-written": ("samples",),
    b"x-prometheus-remote-write-histograms-written": ("histograms", "custom_histograms"),
    b"x-prometheus-remote-write-exemplars-written": ("exemplars",),
}
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_EXTRA_HEADERS: Final[dict[Reason, Headers]] = {
    Reason.UNAUTHENTICATED: [(b"www-authenticate", b"Bearer")],
    Reason.METHOD: [(b"allow", b"POST")],
}
_LEFT: Final = RequestRefusedError(Reason.DISCONNECTED, "the sender closed the connection before its request was whole")
#: The fields of a request of each version, of which one comes first in it; the versions have none in common.
_FIELDS: Final = {Form.REMOTE_WRITE_1: (1, 3), Form.REMOTE_WRITE_2: (4, 5)}
_NOTHING: Final = (
    "the body holds no samples, histograms, exemplars or metadata; is its Content-Type that of its version? "
    "2.0 is application/x-protobuf;proto=io.prometheus.write.v2.Request"
)


def remote_write_routes(intake: Intake) -> list[BaseRoute]:
    """Make the routes of a receiver of remote write; it shares limits, tokens and counts with those of OTLP."""
    return [Route(PATH, _Endpoint(intake))]


class _Endpoint:
    """The path, as an ASGI application."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = head_of(scope["headers"])
        upload = Upload(receive)
        try:
            form, accepted = await self._take(scope, head, upload)
        except RequestRefusedError as error:
            self._intake.refuse(Signal.METRICS, _TRANSPORT, error, sender_of(scope))
            await self._refuse(error, head, upload, send)
        except ClientLeftError:
            self._intake.refuse(Signal.METRICS, _TRANSPORT, _LEFT, sender_of(scope))
        else:
            written = _written(accepted) if form is Form.REMOTE_WRITE_2 else []
            if accepted.rejected:
                await respond(send, 400, f"{accepted.message}\n".encode(), [_TEXT, *written])
            else:
                await respond(send, NO_CONTENT, b"", written)

    async def _take(self, scope: Scope, head: Head, upload: Upload) -> tuple[Form, Accepted]:
        """Take a request; what became of it."""
        if scope["method"] != "POST":
            raise RequestRefusedError(Reason.METHOD, f"{scope['method']} is not possible here; send series with POST")
        intake, limit = self._intake, self._intake.limits.max_body_bytes
        intake.check_sender(head.authorization)
        form = _form(head)
        body = _new_body(head.content_encoding, limit)
        if head.content_length is not None and head.content_length > body.max_wire_bytes:
            raise too_large(limit)
        with intake.admit(head.content_length or 0) as reservation:
            content = await upload.read(body, reservation, timeout_s=intake.limits.body_timeout_s)
            accepted = await intake.submit(Signal.METRICS, content, reservation, form)
        if content and _is_nothing(accepted) and content[0] >> 3 not in _FIELDS[form]:
            raise RequestRefusedError(Reason.MALFORMED, _NOTHING)
        intake.accept(Signal.METRICS, _TRANSPORT, form.value, body.wire_bytes, accepted, sender_of(scope))
        return form, accepted

    async def _refuse(self, error: RequestRefusedError, head: Head, upload: Upload, send: Send) -> None:
        """Answer with the reason in words, which senders write into their logs."""
        headers = [_TEXT, *_EXTRA_HEADERS.get(error.reason, ())]
        if "v2" in head.content_type:
            headers += [(name, b"0") for name in _WRITTEN]
        if error.reason.codes.retryable:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        await refuse(send, upload, error.reason.codes.http, f"{error.message}\n".encode(), headers)


def _form(head: Head) -> Form:
    """The version that a Content-Type names: its parameter ``proto``, and 1.0 without one."""
    parameters = (part.partition("=") for part in head.content_type.split(";")[1:])
    message = next((value.strip().strip('"') for name, _, value in parameters if name.strip().lower() == "proto"), "")
    if head.media_type != _MEDIA_TYPE or message not in _FORMS:
        raise RequestRefusedError(
            Reason.UNSUPPORTED,
            f"Content-Type {head.content_type[:80]!r} is not supported; send application/x-protobuf (remote write "
            "1.0) or application/x-protobuf;proto=io.prometheus.write.v2.Request (2.0)",
        )
    return _FORMS[message]


def _new_body(content_encoding: str, limit_bytes: int) -> Body:
    """A block of snappy, as the specifications want it; some agents can send zstd or gzip too."""
    if content_encoding.strip().lower() in ("", "snappy"):
        return SnappyBlock(limit_bytes)
    return new_body(content_encoding, limit_bytes)


def _written(accepted: Accepted) -> Headers:
    """What is stored of a request, for its sender's counts."""
    return [
        (header, str(sum(accepted.kinds.get(kind, 0) for kind in kinds)).encode()) for header, kinds in _WRITTEN.items()
    ]


def _is_nothing(accepted: Accepted) -> bool:
    """Whether nothing of a request was stored: of series without samples, and of a body of the other version."""
    return not (accepted.accepted or accepted.rejected or accepted.duplicate or accepted.kinds.get("metadata"))
