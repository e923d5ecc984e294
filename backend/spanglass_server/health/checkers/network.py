"""Connecting, and looking at certificates."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from time import monotonic_ns
from typing import TYPE_CHECKING, Final

from spanglass_server.health.checkers.certificates import CertificateError, context_of, valid_until
from spanglass_server.health.checkers.connection import encrypted, plain, tls_reason
from spanglass_server.health.checkers.outcome import Outcome, degraded, healthy, unhealthy, unless_slow

if TYPE_CHECKING:
    import asyncio

    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.check import Tcp, Tls

_MAX_ANSWER: Final = 65_536
_DAY_S: Final = 86_400


async def check_tcp(tcp: Tcp, egress: Egress, timeout_s: float) -> Outcome:
    """Connect, and talk where it is asked for. Raises ``OSError`` for what egress says."""
    began_ns = monotonic_ns()
    async with plain(egress, tcp.address, timeout_s) as (reader, writer):
        if tcp.send:
            writer.write(tcp.send.encode())
            await writer.drain()
        found = await _expected(reader, tcp.expect.encode()) if tcp.expect else None
    if found is not None:
        return unhealthy(f"the answer does not hold {tcp.expect[:100]!r}: {found[:200].decode(errors='replace')!r}")
    return unless_slow(healthy("connected"), monotonic_ns() - began_ns, tcp.slower_than_ns)


async def _expected(reader: asyncio.StreamReader, wanted: bytes) -> bytes | None:
    """Read until the answer holds what is wanted: None; else all of it, once it has ended."""
    answer = b""
    while len(answer) < _MAX_ANSWER:
        more = await reader.read(4096)
        answer += more
        if wanted in answer:
            return None
        if not more:
            break
    return answer


async def check_tls(tls: Tls, egress: Egress, timeout_s: float) -> Outcome:
    """Look at the certificate. Raises ``OSError`` for what egress says."""
    context = context_of(verify=tls.verify, ca_file=tls.ca_file)
    try:
        async with encrypted(egress, tls.address, timeout_s, context, tls.server_name) as (_, writer):
            der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    except ssl.SSLError as error:
        return unhealthy(tls_reason(error))
    try:
        ends = valid_until(der or b"")
    except CertificateError as error:
        return unhealthy(str(error))
    left_s = (ends - datetime.now(UTC)).total_seconds()
    text = f"its certificate ends on {ends:%Y-%m-%d %H:%M} UTC, in {left_s / _DAY_S:.1f} days"
    if left_s <= 0:
        return unhealthy(f"its certificate ended on {ends:%Y-%m-%d %H:%M} UTC", certificate_seconds_left=left_s)
    for limit_ns, outcome in ((tls.critical_ns, unhealthy), (tls.warning_ns, degraded)):
        if left_s * 1e9 < limit_ns:
            return outcome(text, certificate_seconds_left=left_s)
    return healthy(text, certificate_seconds_left=left_s)
