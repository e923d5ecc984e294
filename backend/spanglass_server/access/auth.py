"""Tokens: who may send and who may read, how readers are asked, and the rule for listening beyond loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from spanglass_core.settings_types import SECRET, Secret, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from spanglass_server.settings.table import Settings

#: Header for readers that can't set ``Authorization``.
TOKEN_HEADER = "x-spanglass-token"  # noqa: S105 - the name of a header
#: What an answer with status 401 carries in ``WWW-Authenticate``: a browser then asks for the token as a password.
CHALLENGE = 'Basic realm="spanglass", charset="UTF-8"'

_MAX_TOKEN_FILE_BYTES = 4096
_PUBLIC_PATHS = ("/v1/", "/v1development/", "/healthz", "/readyz", "/static/", "/n/", "/heartbeat/")
# /n/: signed links of messages; /heartbeat/: secret addresses that jobs call
#: The APIs, which refuse in shapes of their own.
_OWN_CHECKS = ("/api/", "/prometheus/", "/alertmanager/")


class TokenCheck:
    """Compares what a client presents with one token, in constant time. Only the token's digest is kept."""

    __slots__ = ("_digest",)

    def __init__(self, token: Secret) -> None:
        self._digest = _digest(token.reveal()) if token else None

    @property
    def required(self) -> bool:
        """Whether there is a token to present at all."""
        return self._digest is not None

    def allows(self, authorization: str | None, token_header: str | None = None) -> bool:
        """Return whether a request may pass, from its headers ``Authorization`` and ``x-spanglass-token``.

        ``Authorization`` takes ``Bearer TOKEN`` (RFC 6750), or ``Basic`` with the token as the password of any user
        (RFC 7617), which is what a browser can ask its user for.
        """
        if self._digest is None:
            return True
        presented = [_from_authorization(authorization), token_header]
        # every comparison is made, so that the time says nothing about which one matched
        matches = [hmac.compare_digest(_digest(token), self._digest) for token in presented if token is not None]
        return any(matches)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The two checks of a server.

    The read token permits reading and the handling of issues, alerts and rules, the ingest token only sending.
    """

    ingest: TokenCheck
    read: TokenCheck

    @classmethod
    def from_settings(cls, settings: Settings) -> Tokens:
        """Take the tokens from the settings or the files they name.

        Raises ``SettingsError`` when a file can't be read or holds no token, or when the server would listen beyond
        loopback without both tokens.
        """
        auth = settings.auth
        ingest = cls._token("auth.ingest_token_file", auth.ingest_token, auth.ingest_token_file)
        read = cls._token("auth.read_token_file", auth.read_token, auth.read_token_file)
        missing = [name for name, token in (("ingest", ingest), ("read", read)) if not token]
        if missing and not settings.server.insecure and not is_loopback(settings.server.host):
            raise SettingsError(_beyond_loopback(settings.server.host, missing))
        return cls(TokenCheck(ingest), TokenCheck(read))

    @staticmethod
    def _token(name: str, token: Secret, file: Path | None) -> Secret:
        return token if file is None else _read_token(name, file)


def is_loopback(host: str) -> bool:
    """Return whether an address reaches this machine only; a name other than ``localhost`` might not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _beyond_loopback(host: str, missing: list[str]) -> str:
    variables = " and ".join(f"SPANGLASS_{name.upper()}_TOKEN" for name in missing)
    return (
        f"server.host {host!r} can be reached from other machines, and there is no {' and no '.join(missing)} token: "
        f"set {variables}, or listen on 127.0.0.1, or give --insecure if the network itself keeps strangers out"
    )


def _read_token(name: str, path: Path) -> Secret:
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_TOKEN_FILE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"{name}: {path} can't be read: {reason}") from None
    try:
        token: Secret = SECRET.parse(text)
    except ValueError as error:
        raise SettingsError(f"{name}: {path}: {error}") from None
    if not token:
        raise SettingsError(f"{name}: {path} is empty: write the token into it")
    return token


def _from_authorization(header: str | None) -> str | None:
    scheme, _, rest = (header or "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
        except ValueError:  # not ASCII, not base64, not UTF-8
            return None
    return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


class ReadersOnly:
    """Asks for the read token before a page is shown; OTLP, the API and health checks have their own ways.

    ``is_public`` says of which more paths anybody may see what is there.
    """

    def __init__(self, app: ASGIApp, check: TokenCheck, is_public: Callable[[str], bool] = lambda _: False) -> None:
        self._app = app
        self._check = check
        self._is_public = is_public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 401."""
        if scope["type"] == "http" and self._check.required and not self._may_pass(scope):
            response = PlainTextResponse(
                "This server asks for its read token: give it as the password, with any user name.\n",
                401,
                {"WWW-Authenticate": CHALLENGE},
            )
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        path = scope["path"]
        if path.startswith((*_PUBLIC_PATHS, *_OWN_CHECKS)) or self._is_public(path):
            return True
        headers = dict(scope["headers"])
        return self._check.allows(_text(headers.get(b"authorization")), _text(headers.get(TOKEN_HEADER.encode())))


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
