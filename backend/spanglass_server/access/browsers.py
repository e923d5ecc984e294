"""What web pages may not do: those of other sites read telemetry through a reader's browser, ours run foreign scripts.

Two ways lead there. A page can have its own name point at 127.0.0.1 (DNS rebinding): then the browser takes our answers
for its own, and only the header ``Host`` shows the name. And a page can send requests to us as to any other site: their
answers are closed to it, but heavy queries run. Both are refused; senders of telemetry are not browsers and are let by.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

#: No inline script or style, no other host, no framing: telemetry is hostile text, and this holds if escaping fails.
CONTENT_SECURITY_POLICY = "; ".join(  # noqa: FLY002 - one directive a line
   (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
))  # fmt: skip

HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

#: Paths for senders and monitors, which reach the server under names of their own (``host.docker.internal``).
_MACHINES: Final = ("/v1/", "/v1development/", "/prometheus/api/v1/write", "/healthz", "/readyz", "/heartbeat/")
#: The server's own figures for a scraper; a browser that opens the same address gets the page of stored metrics.
FIGURES: Final = "/metrics"
_API: Final = "/api/"
_PROMETHEUS: Final = "/prometheus/"
_ALERTMANAGER: Final = "/alertmanager/"
#: ``Sec-Fetch-Site`` of requests that a page of ours or the user has made.
_OWN_SITES: Final = frozenset({"same-origin", "none"})


class HostNames:
    """The names under which a server without a read token may be asked.

    An address is no name: no page can rebind one. ``server_host`` is what the server listens on, ``more`` the setting
    ``server.allowed_hosts``, where ``*`` allows any name.
    """

    def __init__(self, server_host: str, more: Iterable[str] = ()) -> None:
        self._names = {"localhost", server_host.lower(), socket.gethostname().lower(), *(name.lower() for name in more)}

    def allow(self, host: str) -> bool:
        """Whether the value of a header ``Host`` names this server; its port does not matter."""
        name = _host_name(host)
        if name is None:
            return False
        return name in self._names or name.endswith(".localhost") or "*" in self._names or _is_address(name)


class BrowserGuard:
    """ASGI middleware: refuses requests under foreign names, and those that pages of other sites make.

    Without ``names`` (the server asks for a token, which no rebound name has in its browser) any name will do. What
    ``is_public`` is for everybody: pages of other sites may show it.
    """

    def __init__(
        self, app: ASGIApp, names: HostNames | None, is_public: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._app = app
        self._names = names
        self._is_public = is_public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403."""
        response = self._refusal(scope) if scope["type"] == "http" else None
        await (response or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        path = scope["path"]
        if path.startswith(_MACHINES) or (path == FIGURES and not wants_page(scope)):
            return None
        if scope["method"] in {"GET", "HEAD"} and self._is_public(path):
            return None
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if self._names is not None and not all(map(self._names.allow, hosts)):
            shown = next(host for host in hosts if not self._names.allow(host))
            return _forbidden(
                path,
                f"this server is not asked under the name {shown[:100]!r}",
                "ask it as localhost or by its address, or add the name to the setting server.allowed_hosts",
            )
        if _is_foreign(scope["method"], headers):
            return _forbidden(
                path,
                "a page of another site has made this request",
                "open the address itself; programs other than browsers send no Origin and no Sec-Fetch-Site header",
            )
        return None


def wants_page(scope: Scope) -> bool:
    """Whether a request asks for a page to look at: browsers say so where they open an address, scrapers never do."""
    return "text/html" in Headers(scope=scope).get("accept", "").lower()


def _is_foreign(method: str, headers: Headers) -> bool:
    """Whether a page of another site has made a request; following a link to one of our pages is the user's doing."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return site not in _OWN_SITES and not (is_link and method in ("GET", "HEAD"))
    origin = headers.get("origin")  # browsers without Sec-Fetch-Site
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


def _forbidden(path: str, message: str, hint: str) -> Response:
    if path.startswith(_API):
        return JSONResponse({"error": {"code": "forbidden", "message": message, "hint": hint}}, 403)
    if path.startswith(_PROMETHEUS):
        return JSONResponse({"status": "error", "errorType": "forbidden", "error": f"{message}; {hint}"}, 403)
    if path.startswith(_ALERTMANAGER):
        return JSONResponse(f"{message}; {hint}", 403)
    return PlainTextResponse(f"Refused: {message}. To mend it, {hint}.\n", 403)


def _host_name(host: str) -> str | None:
    """Return the name of ``Host`` in lower case, without port, brackets and the dot at its end; None for no name."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    return name.removesuffix(".") if name and "@" not in host else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
