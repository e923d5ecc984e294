"""Pinging a server that speaks Redis' protocol (RESP 2): Redis, Valkey, KeyDB ..., without a driver."""

from __future__ import annotations

import asyncio
import ssl
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.health.checkers.certificates import context_of
from spanglass_server.health.checkers.connection import encrypted, plain, tls_reason
from spanglass_server.health.checkers.outcome import Outcome, healthy, unhealthy, unless_slow

if TYPE_CHECKING:
    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.check import Redis

_MAX_BYTES: Final = 65_536
_MAX_ITEMS: Final = 1000
_MAX_DEPTH: Final = 8


class _Refused(Exception):  # noqa: N818 - what the server says, not a fault of ours
    """The server answers with an error."""


async def check_redis(check: Redis, egress: Egress, timeout_s: float) -> Outcome:
    """Log in where it is asked for, ping, and look at the role. Raises ``OSError``, ``SecretError``."""
    began_ns = monotonic_ns()
    context = context_of(verify=True, ca_file=check.ca_file) if check.tls else None
    opened = (
        encrypted(egress, check.address, timeout_s, context) if check.tls else plain(egress, check.address, timeout_s)
    )
    try:
        async with opened as (reader, writer):
            role = await _talk(check, reader, writer)
    except ssl.SSLError as error:
        return unhealthy(tls_reason(error))
    except _Refused as error:
        return unhealthy(f"it answers: {error}")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
        return unhealthy("it does not answer as Redis does")
    if check.role and role != check.role:
        return unhealthy(f"its role is {role}, not {check.role}")
    return unless_slow(healthy("PONG"), monotonic_ns() - began_ns, check.slower_than_ns)


async def _talk(check: Redis, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    async def ask(*words: str) -> Any:
        parts = [word.encode() for word in words]
        writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
        await writer.drain()
        return await _answer(reader)

    if check.password is not None:
        await ask("AUTH", *([check.user] if check.user else []), check.password.reveal())
    if await ask("PING") != "PONG":
        raise ValueError("no PONG")
    if not check.role:
        return ""
    role = await ask("ROLE")
    return str(role[0]) if isinstance(role, list) and role else ""


async def _answer(reader: asyncio.StreamReader, depth: int = 0) -> Any:
    """Read one value: a text, a number, a list, or None."""
    line = (await reader.readuntil(b"\r\n"))[:-2].decode("utf-8", "replace")
    kind, rest = line[:1], line[1:]
    if kind == "-":
        raise _Refused(rest)
    if kind in {"+", ":"}:
        return rest
    size = int(rest)
    if kind not in {"$", "*"} or depth > _MAX_DEPTH:
        raise ValueError("no RESP")
    if size < 0:
        return None
    if kind == "*":
        return [await _answer(reader, depth + 1) for _ in range(min(size, _MAX_ITEMS))]
    if size > _MAX_BYTES:
        raise ValueError("too long")
    return (await reader.readexactly(size + 2))[:-2].decode("utf-8", "replace")
