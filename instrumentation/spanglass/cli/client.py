"""The HTTP API as the commands see it: JSON out, or one ``CliError`` that says what to do next.

Standard library only. No redirect is followed and no proxy is used, so a token goes to the named server and nowhere
else.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import SplitResult, urlencode, urlsplit

from spanglass.cli.errors import CliError, Exit
from spanglass.terminal.safe import terminal_text
from spanglass_core.lazy_patterns import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

API = "/api/v1"
MONITORING = "/api/monitoring"
PROMETHEUS = "/prometheus/api/v1"
DEFAULT_URL = "http://127.0.0.1:4318"

# Twice the default deadline of a query: the server's own answer comes first.
_TIMEOUT_S = 60.0
_PAGE_LIMIT = 1000
_MAX_MESSAGE = 500

_OK = range(200, 300)
#: What may be asked or sent again (OTLP specification, "Failures").
RETRYABLE = frozenset({429, 502, 503, 504})
_EXIT_BY_STATUS = {400: Exit.USAGE, 404: Exit.NOT_FOUND}
_HINT_BY_STATUS = {
    401: "give the server's token with --token, or in {variable}",
    403: "the token is known and may not do this",
    503: "the server is starting, stopping or overloaded: try again in a moment",
    504: "narrow the time range with --last, or the filter",
    507: "narrow the time range with --last, or the filter",
}

#: Where a mistake is in an expression of one line, and what it is.
_PLACE = lazy_pattern(r'(?:invalid parameter "query": )?(?:1:(\d+): )?parse error: (.*)', re.DOTALL)


class UnreachableError(CliError):
    """No answer came from the server at all, or, of one that is read as it comes, none for now."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        """Read the body; ``CliError`` when the other end is no Spanglass server."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise CliError(
                f"the server answered {self.status} without JSON", "is --url the address of a Spanglass server?"
            ) from None


class Client:
    """Talks to one server. ``token_variable`` is the environment variable that errors name."""

    def __init__(self, url: str, token: str, token_variable: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._target = _parse_url(url)
        self._timeout_s = timeout_s
        self.url = url.rstrip("/")
        self._root = self._target.path.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if token:
            if not (token.isascii() and token.isprintable()):
                raise CliError("the token has characters that a header can't carry", code=Exit.USAGE)
            self._headers["Authorization"] = f"Bearer {token}"
        self._token_variable = token_variable

    def get(self, path: str, parameters: Mapping[str, Any] | None = None, *, api: str = API) -> Any:
        """Ask for a path below ``api``; parameters that are None are left out."""
        query = urlencode({key: item for key, item in (parameters or {}).items() if item is not None})
        return self._checked(self.request("GET", f"{api}{path}{'?' + query if query else ''}"), parameters)

    def post(self, path: str, content: Any) -> Any:
        """Post JSON to a path below ``/api/v1``."""
        return self.send("POST", path, content)

    def promql(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Ask Prometheus' API; parameters that are None are left out. Returns the whole answer, with its warnings."""
        form = {key: item for key, item in parameters.items() if item is not None}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = self.request("POST", f"{PROMETHEUS}{path}", urlencode(form).encode(), headers)
        answer: dict[str, Any] = self._checked(response, parameters)
        return answer

    def send(self, method: str, path: str, content: Any, *, api: str = API, by: str = "") -> Any:
        """Send JSON with any method to a path below ``api``; ``by`` is who does it, where the body can't say so."""
        body, headers = json.dumps(content).encode(), {"Content-Type": "application/json"}
        if by:
            headers["X-Spanglass-User"] = by.encode().decode("latin-1")  # bytes are what HTTP carries
        return self._checked(self.request(method, api + path, body, headers), content)

    def pages(
        self, path: str, parameters: Mapping[str, Any], key: str, limit: int, *, api: str = API
    ) -> Iterator[dict[str, Any]]:
        """Go through a list's pages until ``limit`` items have come or the list ends."""
        cursor = None
        while limit > 0:
            page = self.get(path, {**parameters, "limit": min(limit, _PAGE_LIMIT), "cursor": cursor}, api=api)
            yield from page[key]
            limit -= len(page[key])
            cursor = page.get("next_cursor")
            if cursor is None or not page[key]:
                return

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send one request and read the whole answer, whatever its status; ``UnreachableError`` when none comes."""
        connection = self._connect()
        try:
            connection.request(method, self._root + path, body, {**self._headers, **(headers or {})})
            answer = connection.getresponse()
            return Response(answer.status, {name.lower(): item for name, item in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()

    @contextmanager
    def streaming(self, path: str, parameters: Mapping[str, Any], *, api: str = API) -> Iterator[BinaryIO]:
        """Ask for a path below ``api`` whose answer is read as it comes; parameters that are None are left out.

        ``UnreachableError`` when none comes, also while it is read, and for an error that may pass; ``CliError`` for
        any other. Nothing else is to be done within it that may raise ``OSError``.
        """
        query = urlencode({key: item for key, item in parameters.items() if item is not None})
        connection = self._connect()
        try:
            connection.request("GET", f"{self._root}{api}{path}?{query}", headers=self._headers)
            answer = connection.getresponse()
            if answer.status not in _OK:
                headers = {name.lower(): item for name, item in answer.getheaders()}
                refused = self.error(Response(answer.status, headers, answer.read()), parameters)
                if answer.status in RETRYABLE:
                    raise UnreachableError(str(refused), *refused.details, code=refused.code)
                raise refused
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            connection.close()

    def error(self, response: Response, sent: Mapping[str, Any] | None = None) -> CliError:
        """Turn an answer that is an error into what a person reads; ``sent`` are the parameters it may point into."""
        try:
            body = json.loads(response.body)
            described = body["error"]
            if isinstance(described, str):
                described = _of_prometheus(described, str(body.get("errorType", "")))
            message, code = str(described["message"]), str(described["code"])
        except (ValueError, KeyError, TypeError):
            described, code = {}, ""
            message = f"the server answered {response.status} {http.client.responses.get(response.status, '')}".strip()
        field = str(described.get("field") or "")
        details = list(_caret(str((sent or {}).get(field, "")), described.get("column")))
        if described.get("expected") and not message.startswith("expected"):
            details.append("expected " + ", ".join(map(str, described["expected"])))
        hint = described.get("hint") or _HINT_BY_STATUS.get(response.status, "").format(variable=self._token_variable)
        exit_code = Exit.USAGE if code.startswith("bad_") else _EXIT_BY_STATUS.get(response.status, Exit.FAILED)
        prefix = f"{field}: " if field and not message.startswith(field) else ""
        shown = [terminal_text(line[:_MAX_MESSAGE]) for line in (*details, str(hint)) if line]
        first, *more = (prefix + message)[:_MAX_MESSAGE].splitlines() or [
            ""
        ]  # DuckDB points into the statement on lines of its own
        return CliError(terminal_text(first), *(terminal_text(line) for line in more if line), *shown, code=exit_code)

    def _checked(self, response: Response, sent: Any) -> Any:
        if response.status not in _OK:
            raise self.error(response, sent)
        return response.json()

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._target.hostname or "", self._target.port
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout_s)

    def _unreachable(self, error: Exception) -> UnreachableError:
        if isinstance(error, ConnectionRefusedError):
            return UnreachableError(
                f"no server answers at {self.url}", "start one with: spanglass serve", "or name another with --url"
            )
        if isinstance(error, socket.gaierror):
            return UnreachableError(f"the host of {self.url} is not known", "check the address given with --url")
        if isinstance(error, TimeoutError):
            return UnreachableError(
                f"{self.url} did not answer in {self._timeout_s:.0f} seconds", "is the server busy?"
            )
        reason = str(error) or type(error).__name__
        return UnreachableError(
            f"talking to {self.url} failed: {terminal_text(reason)}", "check the address and try again"
        )


def _parse_url(url: str) -> SplitResult:
    try:
        target = urlsplit(url)
        usable = target.scheme in {"http", "https"} and bool(target.hostname) and target.port != 0
    except ValueError:
        usable = False
    if not usable or target.query or target.fragment or target.username is not None:
        raise CliError(
            f"--url {terminal_text(url)!r} is not the address of a server",
            f"write it like {DEFAULT_URL}",
            code=Exit.USAGE,
        )
    return target


def _of_prometheus(message: str, kind: str) -> dict[str, Any]:
    """An error of Prometheus' API in the shape of ours; the place of a mistake stands in its message."""
    described: dict[str, Any] = {"message": message, "code": kind}
    place = _PLACE.match(message)
    if place:
        described |= {"field": "query", "message": place[2]} | ({"column": int(place[1])} if place[1] else {})
    return described


def _caret(source: str, column: Any) -> Iterator[str]:
    """Yield the line that an error points into, and a mark below its column (which counts from 1)."""
    if source and isinstance(column, int) and 1 <= column <= len(source) + 1:
        before = terminal_text(source[: column - 1])
        yield "  " + terminal_text(source)
        yield "  " + " " * len(before) + "^"
