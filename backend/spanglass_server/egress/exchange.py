"""One request over aiohttp and its answer, without a redirect, over the sockets of an opening.

Imported when the first request is sent: aiohttp takes 8 MB.
"""

from __future__ import annotations

import socket
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from spanglass_server.egress.connecting import reason
from spanglass_server.egress.http import Answer

if TYPE_CHECKING:
    from yarl import URL

    from spanglass_server.egress.connecting import Opening
    from spanglass_server.egress.http import Request

_AGENT: Final = f"spanglass/{version('spanglass')}"
_CHUNK_BYTES: Final = 16_384


class ExchangeError(OSError):
    """There was no whole answer; the message says why, in a few words."""


async def exchange(request: Request, url: URL, opening: Opening, proxy: str) -> Answer:
    """Send a request to a checked URL; ``proxy`` is that of a proxy, "" for none. Raises ``ExchangeError``."""
    connector = aiohttp.TCPConnector(
        resolver=_Resolver(opening), socket_factory=opening.make_socket, use_dns_cache=False, force_close=True
    )
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                trust_env=False,
            ) as session,
            session.request(
                request.method,
                url,
                headers={"user-agent": _AGENT, "accept-encoding": "identity", **request.headers},
                data=request.body or None,
                ssl=request.tls or True,
                allow_redirects=False,
                proxy=proxy or None,
            ) as response,
        ):
            body, is_cut = await _read(response, request.max_bytes)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, body, is_cut, str(url))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise ExchangeError(_reason(error)) from None


class _Resolver(AbstractResolver):
    """Gives aiohttp the addresses that an opening allows."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See ``AbstractResolver``."""
        del family
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=_family(address), proto=0, flags=socket.AI_NUMERICHOST
            )
            for address in await self._opening.addresses(port)
        ]

    async def close(self) -> None:
        """See ``AbstractResolver``."""


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for part in response.content.iter_chunked(_CHUNK_BYTES):
        body += part
        if len(body) > max_bytes:
            return bytes(body[:max_bytes]), True
    return bytes(body), False


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not accepted: {getattr(error.certificate_error, 'verify_message', '') or 'see TLS'}"
    if isinstance(error, aiohttp.InvalidURL):
        return "it is no name and no address of a host"
    if isinstance(error, aiohttp.ClientConnectorError):
        return reason(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return "it closed the connection before its answer was whole"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"what it answers is not HTTP: {error.message.splitlines()[0] if error.message else error.status}"
    return reason(error) if isinstance(error, OSError) else type(error).__name__
