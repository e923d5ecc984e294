"""One attempt of a call over HTTP: JSON out of it, or one error that says what to do."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from spanglass.client.errors import ClientError, RequestError, UnreachableError, error_of
from spanglass.guard import own_work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_URL = "http://127.0.0.1:4318"
URL_VARIABLE, TOKEN_VARIABLE = "SPANGLASS_URL", "SPANGLASS_READ_TOKEN"
_OK = range(200, 300)
_MAX_ANSWER_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What one attempt led to: the JSON of the answer, or the error; ``asked_s`` is the server's ``Retry-After``."""

    content: Any = None
    error: ClientError | None = None
    asked_s: float = 0.0


class Transport:
    """Makes attempts on connections that stay open. Safe for several threads; a forked child gets its own."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        self.url = _checked(url or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
        self._timeout_s = timeout_s
        self._headers = {"Accept": "application/json", "User-Agent": "spanglass-client"}
        token = token or os.environ.get(TOKEN_VARIABLE, "")
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._session: tuple[int, requests.Session] | None = None

    def attempt(self, method: str, path: str, params: Mapping[str, Any], body: Any = None, by: str = "") -> Answer:
        """Make one attempt; it never raises for what the network or the server does."""
        content = None if body is None else json.dumps(body, allow_nan=False).encode()
        headers: dict[str, str | bytes] = {**self._headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if by:
            headers["X-Spanglass-User"] = by.encode()
        try:
            with (
                own_work,
                self._own_session().request(
                    method,
                    self.url + path,
                    params={name: value for name, value in params.items() if value is not None},
                    data=content,
                    headers=headers,
                    timeout=self._timeout_s,
                    allow_redirects=False,  # a redirect could carry the token to another host
                    stream=True,
                ) as response,
            ):
                raw = response.raw.read(_MAX_ANSWER_BYTES, decode_content=True)
                return _read(response, raw)
        except requests.Timeout:
            message = f"{self.url} did not answer within {self._timeout_s:g} s: raise timeout_s, or ask for less"
            return Answer(error=UnreachableError(message))
        except (OSError, HTTPError) as error:  # also requests' own; the second while an answer is read
            message = f"{self.url} can't be reached ({_reason(error)}): is the server running, and the address right?"
            return Answer(error=UnreachableError(message))

    @contextmanager
    def streaming(self, path: str, params: Mapping[str, Any]) -> Iterator[Any]:
        """Make one attempt to get an answer that is read as it comes, as from a file; ``ClientError``."""
        asked = {name: value for name, value in params.items() if value is not None}
        headers = {**self._headers, "Accept": "*/*", "Accept-Encoding": "identity"}
        try:
            with (
                own_work,
                self._own_session().get(
                    self.url + path,
                    params=asked,
                    headers=headers,
                    timeout=self._timeout_s,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                if response.status_code not in _OK:
                    error = _read(response, response.raw.read(_MAX_ANSWER_BYTES, decode_content=True)).error
                    raise error or UnreachableError(f"{self.url} gave no answer")
                yield response.raw
        except requests.Timeout:
            message = f"{self.url} did not answer within {self._timeout_s:g} s: raise timeout_s, or ask for less"
            raise UnreachableError(message) from None
        except (OSError, HTTPError) as error:
            message = f"{self.url} can't be reached ({_reason(error)}): is the server running, and the address right?"
            raise UnreachableError(message) from None

    def close(self) -> None:
        """Close the connections; another call opens new ones."""
        held, self._session = self._session, None
        if held is not None and held[0] == os.getpid():
            held[1].close()

    def _own_session(self) -> requests.Session:
        held = self._session
        if held is None or held[0] != os.getpid():
            session = requests.Session()
            session.auth = _as_it_is  # or requests would put what ~/.netrc says in the token's place
            held = self._session = (os.getpid(), session)
        return held[1]


def _read(response: requests.Response, raw: bytes) -> Answer:
    try:
        content = json.loads(raw)
    except ValueError:
        content = None
    if response.status_code not in _OK:
        described = content.get("error") if isinstance(content, dict) else None
        error = error_of(response.status_code, described if isinstance(described, dict) else {})
        return Answer(error=error, asked_s=_seconds(response.headers.get("Retry-After", "")))
    if not isinstance(content, dict):
        described = {"message": "the answer is not JSON", "hint": "is the address that of a Spanglass server?"}
        return Answer(error=RequestError(response.status_code, described))
    return Answer(content)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _seconds(text: str) -> float:
    """Seconds of ``Retry-After``; its other form, a date, is left to our own waits."""
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _reason(error: BaseException) -> str:
    """The innermost reason: requests and urllib3 wrap one error into the other."""
    while True:
        inner = error.__context__ or error.__cause__
        if inner is None or isinstance(error, ConnectionRefusedError):
            break
        error = inner
    return getattr(error, "strerror", None) or type(error).__name__


def _checked(url: str) -> str:
    try:
        target = urlsplit(url)
        is_usable = target.scheme in {"http", "https"} and bool(target.hostname) and target.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or target.query or target.fragment or target.username is not None:
        raise ValueError(f"{url!r} is not the address of a server: write it like {DEFAULT_URL}")
    return url.rstrip("/")
