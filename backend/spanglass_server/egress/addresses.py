"""What an IP address is: one of the public Internet, or of a network that only those inside it should reach."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Sort(StrEnum):
    """A sort of addresses; the text ends the sentence "10.0.0.1 is ..."."""

    PUBLIC = "a public address"
    LOOPBACK = "a loopback address"
    PRIVATE = "a private address"
    METADATA = "a link-local or metadata address"
    UNUSABLE = "no address of one host"


#: The first network that holds an address says what it is. Metadata services of clouds (AWS, Alibaba, Azure, Oracle)
#: answer with credentials of the machine; most are link-local, these are not.
_NETWORKS: Final = (
    (Sort.METADATA, "169.254.0.0/16 fe80::/10 fd00:ec2::254 100.100.100.200 168.63.129.16 192.0.0.192"),
    (Sort.LOOPBACK, "127.0.0.0/8 ::1"),
    (Sort.PRIVATE, "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7 fec0::/10"),
    (Sort.UNUSABLE, "0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24"),
    (Sort.UNUSABLE, "224.0.0.0/3 2001::/23 2001:db8::/32 3fff::/20 64:ff9b:1::/48"),
    (Sort.PUBLIC, "0.0.0.0/0 2000::/3"),
    (Sort.UNUSABLE, "::/0"),
)
_TABLE: Final = tuple((sort, ip_network(each)) for sort, networks in _NETWORKS for each in networks.split())

#: IPv6 networks that hold IPv4 addresses, and how far to the left: compatible, mapped, translated, NAT64, 6to4.
_HOLDING: Final = tuple(
    (ip_network(network), shift)
    for network, shift in (
        ("::ffff:0:0/96", 0),
        ("::ffff:0:0:0/96", 0),
        ("64:ff9b::/96", 0),
        ("::/96", 0),
        ("2002::/16", 80),
    )
)
_LOW = 2**32 - 1
_ISATAP = (0x00005EFE, 0x02005EFE)  # the upper half of the interface part
_SPECIAL = 2  # :: and ::1 hold no IPv4 address


def sort_of(address: Address) -> Sort:
    """What an address is; one of IPv6 that holds one of IPv4 is what that is."""
    inner = _inner(address)
    return next(sort for sort, network in _TABLE if inner in network)


def parse_address(text: str) -> Address | None:
    """The address that a text is, None for a name. Brackets and the zone of an IPv6 address don't matter."""
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    value = int(address)
    if value < _SPECIAL:
        return address
    if (value >> 32) & _LOW in _ISATAP:
        return IPv4Address(value & _LOW)
    shift = next((shift for network, shift in _HOLDING if address in network), None)
    return address if shift is None else IPv4Address(value >> shift & _LOW)
