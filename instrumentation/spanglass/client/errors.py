"""What a call of the client raises: one base, and a class for each thing that a caller does about it.

ClientError (a MonitorError)
├── UnreachableError        no answer came: no connection, or not in time
└── AnswerError             the server answered, and not with what was asked; ``status``, ``code``, ``field``, ``hint``
    ├── RequestError        the call itself is wrong (400, 405, 415 ...): ``field`` says where
    ├── AccessError         the token is missing, wrong, or not enough (401, 403)
    ├── NotFoundError       there is no such alert or rule (404)
    ├── ConflictError       not as things stand: an alert that is over, a rule that changed meanwhile (409, 412)
    └── ServerError         the server could not (429, 5xx); it was tried again before

"""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any

from spanglass.errors import MonitorError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOO_MANY = 429
_SERVER = 500


class ClientError(MonitorError):
    """The base of all errors of the client; the message says what to do next."""


class UnreachableError(ClientError):
    """No answer came, after all attempts."""


class AnswerError(ClientError):
    """The server's answer is an error. ``field`` is the parameter at fault, "" if none is."""

    def __init__(self, status: int, described: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(described.get("code") or "")
        self.field = str(described.get("field") or "")
        self.hint = str(described.get("hint") or "")
        message = str(described.get("message") or f"the server answered {status} {responses.get(status, '')}".strip())
        where = f"{self.field}: " if self.field and self.field not in message else ""
        expected = ", ".join(map(str, described.get("expected") or ()))
        more = [f"expected {expected}" if expected else "", self.hint]
        super().__init__("; ".join(part for part in (where + message, *more) if part))


class RequestError(AnswerError):
    """The call itself is wrong."""


class AccessError(AnswerError):
    """The token is missing, wrong, or permits too little."""


class NotFoundError(AnswerError):
    """There is no such thing."""


class ConflictError(AnswerError):
    """The call does not fit with how things stand."""


class ServerError(AnswerError):
    """The server could not answer."""


_BY_STATUS = {401: AccessError, 403: AccessError, 404: NotFoundError, 409: ConflictError, 412: ConflictError}


def error_of(status: int, described: Mapping[str, Any]) -> AnswerError:
    """Make the error of an answer; ``described`` is the object ``error`` of its body."""
    general = ServerError if status >= _SERVER or status == _TOO_MANY else RequestError
    return _BY_STATUS.get(status, general)(status, described)
