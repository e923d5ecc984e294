"""Resolving names. Imported when the first name is resolved: dnspython takes 3 MB."""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.inet
import dns.resolver
import dns.reversename

from spanglass_server.health.checkers.connection import parts_of
from spanglass_server.health.checkers.outcome import Outcome, healthy, unhealthy, unless_slow

if TYPE_CHECKING:
    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.check import Dns


async def check_dns(check: Dns, egress: Egress, timeout_s: float) -> Outcome:
    """Resolve a name. Raises ``OSError`` for what egress says of the server."""
    began_ns = monotonic_ns()
    try:
        resolver = await _resolver(check, egress)
        resolver.lifetime = timeout_s
        name = dns.reversename.from_address(check.name) if _is_reverse(check) else check.name
        found = await resolver.resolve(name, check.record, search=False)
    except dns.resolver.NXDOMAIN:
        return unhealthy(f"there is no name {check.name}")
    except dns.resolver.NoAnswer:
        return unhealthy(f"{check.name} has no record {check.record}")
    except dns.exception.Timeout:
        return unhealthy(f"no answer about {check.name} within {timeout_s:g} s")
    except (dns.exception.DNSException, ValueError) as error:
        return unhealthy(f"{check.name} can't be resolved: {error}")
    answers = sorted(record.to_text().strip('"') for record in found)
    shown = ", ".join(answers)
    missing = [text for text in check.expect if _plain(text) not in map(_plain, answers)]
    if missing:
        return unhealthy(f"{', '.join(missing)} is not among the answers: {shown}")
    return unless_slow(healthy(shown, answers=len(answers)), monotonic_ns() - began_ns, check.slower_than_ns)


async def _resolver(check: Dns, egress: Egress) -> dns.asyncresolver.Resolver:
    if not check.server:
        return dns.asyncresolver.Resolver()
    host, port = parts_of(check.server)
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = list(await egress.addresses(host, port))
    resolver.port = port
    return resolver


def _is_reverse(check: Dns) -> bool:
    return check.record == "PTR" and dns.inet.is_address(check.name)


def _plain(text: str) -> str:
    return text.strip().strip('"').rstrip(".").lower()
