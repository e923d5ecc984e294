"""Which hosts and addresses the server may connect to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

from spanglass_server.egress.addresses import Sort, parse_address, sort_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spanglass_server.egress.addresses import Address, Network

#: What a host that is named may be besides public; other addresses have to be named themselves.
_BY_NAME = frozenset({Sort.PUBLIC, Sort.LOOPBACK, Sort.PRIVATE})


class RefusedError(OSError):
    """The server does not connect there, and will not; the message names the host, and says what to do."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Public addresses are allowed; others if they, their network or their host are named.

    ``hosts`` are names in small letters, ``*.name`` for all below one. A name allows loopback and private addresses:
    who controls it could point it at a metadata service, so link-local ones are allowed by ``networks`` alone.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Policy:
        """The policy of ``egress.allow``: names, addresses, networks."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in entries:
            try:
                networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                hosts.add(plain_host(entry))
        return cls(frozenset(hosts), tuple(networks))

    def trusting(self, *hosts: str) -> Policy:
        """The policy for what an operator wrote: these very hosts are named, too."""
        return replace(self, hosts=self.hosts | {plain_host(host) for host in hosts if host})

    def refusal(self, host: str, address: Address) -> str:
        """Why a connection to this address, which ``host`` stands for, is refused; "" if it is not."""
        sort = sort_of(address)
        if sort is Sort.PUBLIC or any(address in network for network in self.networks):
            return ""
        if sort in _BY_NAME and self._is_named(plain_host(host)):
            return ""
        is_itself = parse_address(host) == address
        what = f"{address} is {sort}" if is_itself else f"{host} is {address}, {sort}"
        return f"{what}, to which nothing is sent; if that is meant, name it in the setting egress.allow"

    def _is_named(self, host: str) -> bool:
        return host in self.hosts or any(
            host.endswith(each[1:]) for each in self.hosts if each.startswith("*.") and len(host) >= len(each)
        )


def plain_host(host: str) -> str:
    """A host as it is compared: small letters, no brackets, no dot at the end; an address in its short form."""
    text = host.strip().strip("[]").rstrip(".").lower()
    address = parse_address(text)
    return str(address) if address is not None else text
