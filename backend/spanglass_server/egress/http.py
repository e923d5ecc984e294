"""One HTTP request under limits: addresses checked at every redirect, credentials to no other host, time, size."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from yarl import URL

from spanglass_server.egress.connecting import Opening
from spanglass_server.egress.policy import RefusedError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from spanglass_server.egress.connecting import Lookup
    from spanglass_server.egress.policy import Policy

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
#: Headers that may follow a redirect to another host. All others may be credentials, whatever they are called.
_TO_ANYBODY: Final = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})


class UnreachableError(OSError):
    """There was no whole answer; the message says why, for people, and holds no more of the address than its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked. A URL may hold secrets in its path, as a header may, so neither is ever shown."""

    url: str = field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    timeout_s: float = 10.0  # for all of it, redirects too
    max_bytes: int = 65_536  # of the answer's body; what comes after them is not read
    redirects: int = 0  # that are followed
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # None: the machine's certificates


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in small letters; ``is_cut``: the body was longer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool
    url: str = field(repr=False)  # that answered, after redirects
    redirects: int = 0

    @property
    def text(self) -> str:
        """The body as text, whatever it holds."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Asks over HTTP and HTTPS, each request over a connection of its own: none is reused under another policy.

    ``proxy`` is the URL of one that all requests go through; proxies of the environment count for nothing.
    """

    policy: Policy
    lookup: Lookup
    proxy: str = field(default="", repr=False)

    async def send(self, request: Request) -> Answer:
        """Send a request. Raises ``RefusedError``, ``UnreachableError``; may be cancelled."""
        host = host_of(request.url)
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._follow(request)
        except TimeoutError:
            raise UnreachableError(f"{host} gave no whole answer within {request.timeout_s:g} s") from None

    async def _follow(self, request: Request) -> Answer:
        count = 0
        while True:
            answer = await self._ask(request)
            place = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not place or count >= request.redirects:
                return replace(answer, redirects=count)
            request = redirected(request, answer.status, place)
            count += 1

    async def _ask(self, request: Request) -> Answer:
        url = _checked(request.url)
        opening = await self._opening(url)
        # 8 MB that most servers never need, as they tell nobody and check nothing over HTTP
        from spanglass_server.egress.exchange import exchange  # noqa: PLC0415

        try:
            return await exchange(request, url, opening, self.proxy)
        except OSError as error:
            if opening.refusal:
                raise RefusedError(opening.refusal) from None
            raise UnreachableError(f"{url.host} can't be asked: {error}") from None

    async def _opening(self, url: URL) -> Opening:
        host = url.host or ""
        if not self.proxy:
            return Opening(self.policy, host, self.lookup)
        await self._check_behind_proxy(host, url.port or 0)
        proxy = URL(self.proxy).host or ""
        return Opening(self.policy.trusting(proxy), proxy, self.lookup)

    async def _check_behind_proxy(self, host: str, port: int) -> None:
        """The proxy looks the name up again: only names that lead nowhere, as seen from here, are left to it."""
        opening = Opening(self.policy, host, self.lookup)
        try:
            await opening.addresses(port)
        except RefusedError:
            raise
        except OSError:
            return


def redirected(request: Request, status: int, place: str) -> Request:
    """The request that a redirect asks for. Raises ``RefusedError`` for one that is not followed."""
    old = URL(request.url)
    try:
        new = old.join(URL(place))
    except ValueError:
        raise RefusedError(f"{old.host} redirects to what is no address") from None
    if new.scheme not in {"http", "https"} or not new.host:
        raise RefusedError(f"{old.host} redirects to an address that is not of HTTP")
    if old.scheme == "https" and new.scheme == "http":
        raise RefusedError(f"{old.host} redirects from https to http, which is not followed")
    if status not in _KEEP_METHOD and request.method not in _SAFE_METHODS:
        raise RefusedError(
            f"{old.host} answers {status}: it redirects to {new.host}, where the body would be lost; "
            "give the address that it leads to"
        )
    new = new.with_user(None)
    headers = request.headers
    if new.origin() != old.with_user(None).origin():
        headers = {name: value for name, value in headers.items() if name.lower() in _TO_ANYBODY}
    return replace(request, url=str(new), headers=headers)


def host_of(url: str) -> str:
    """The host of a URL: what may be shown of it."""
    try:
        return URL(url).host or "the address"
    except ValueError:
        return "the address"


def _checked(text: str) -> URL:
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        raise RefusedError("the address is no URL; write https://host/path") from None
    if url.scheme not in {"http", "https"} or not url.host or not port:
        raise RefusedError("the address is no URL of HTTP; write https://host/path")
    if url.user is not None or url.password is not None:
        raise RefusedError(f"the address of {url.host} holds a user name; give it in a header")
    return url
