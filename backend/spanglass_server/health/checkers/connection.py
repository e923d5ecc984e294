"""A connection to ``host:port`` that egress allows, as streams."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from spanglass_server.health.checkers.certificates import default_context
from spanglass_server.health.form.kinds import split_host_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from spanglass_server.egress.egress import Egress

#: How long the end of TLS is waited for, beside everything else.
_GOODBYE_S: Final = 1.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def parts_of(address: str) -> tuple[str, int]:
    """Host and port of an address that was read before."""
    found = split_host_port(address)
    if found is None:
        raise ValueError(f"{address!r} is no address with a port")
    return found


@asynccontextmanager
async def plain(egress: Egress, address: str, timeout_s: float) -> AsyncIterator[Streams]:
    """Connect, and close when the block ends. Raises ``OSError`` with words for people."""
    host, port = parts_of(address)
    sock = await egress.connect(host, port, timeout_s)
    reader, writer = await asyncio.open_connection(sock=sock)
    try:
        yield reader, writer
    finally:
        writer.close()  # not waited for: a server that hangs would take its time


@asynccontextmanager
async def encrypted(
    egress: Egress, address: str, timeout_s: float, context: ssl.SSLContext | None, name: str = ""
) -> AsyncIterator[Streams]:
    """Connect with TLS; ``name`` is the server's, the host unless said. Raises ``OSError``, ``SSLError`` among them."""
    host, port = parts_of(address)
    sock = await egress.connect(host, port, timeout_s)
    try:
        reader, writer = await asyncio.open_connection(
            sock=sock,
            ssl=context or default_context(),
            server_hostname=name or host,
            ssl_handshake_timeout=timeout_s,
            ssl_shutdown_timeout=_GOODBYE_S,
        )
    except BaseException:
        sock.close()
        raise
    try:
        yield reader, writer
    finally:
        writer.close()  # not waited for: a server that hangs would take its time


def tls_reason(error: ssl.SSLError) -> str:
    """Why TLS failed, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message.rstrip('.')}"
    return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
