"""Which addresses are refused, and what allows them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from spanglass_server.egress.addresses import Sort, sort_of
from spanglass_server.egress.policy import Policy
from spanglass_server.settings.destinations import parse_destinations

_SORTS = {
    Sort.PUBLIC: "1.1.1.1 172.32.0.1 100.128.0.1 198.20.0.1 223.255.255.255 2606:4700::1111 ::ffff:1.1.1.1 "
    "64:ff9b::101:101 2002:101:101::1",
    Sort.LOOPBACK: "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1 "
    "::ffff:0:127.0.0.1 2a00::5efe:7f00:1",
    Sort.PRIVATE: "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fd12::1 fec0::1 ::ffff:10.0.0.1",
    Sort.METADATA: "169.254.169.254 fe80::1 fd00:ec2::254 100.100.100.200 168.63.129.16 192.0.0.192 "
    "::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1",
    Sort.UNUSABLE: "0.0.0.0 0.1.2.3 192.0.2.1 198.18.0.1 198.19.255.255 224.0.0.1 240.0.0.1 255.255.255.255 :: ff02::1 "
    "2001:db8::1 2001::1 100::1 64:ff9b:1::1 5f00::1 ::ffff:0.0.0.0",
}


@pytest.mark.parametrize(("sort", "text"), [(sort, each) for sort, many in _SORTS.items() for each in many.split()])
def test_sorts_of_addresses(sort: Sort, text: str):
    """Every form of an address is what the address inside it is; only public ones need no naming."""
    address = ip_address(text)
    assert sort_of(address) is sort
    assert bool(Policy().refusal("hooks.example", address)) is (sort is not Sort.PUBLIC)
    assert bool(Policy().trusting("HOOKS.example.").refusal("hooks.example", address)) is (
        sort in {Sort.METADATA, Sort.UNUSABLE}
    )


def test_what_the_setting_allows():
    """Names allow hosts, also all below one; networks allow whatever is in them; nothing allows others beside them."""
    policy = Policy.of(parse_destinations("Hooks.corp.example, *.lan.example, 10.1.0.0/16, 169.254.169.254, fd00::/8"))

    def allowed(host: str, address: str) -> bool:
        return not policy.refusal(host, ip_address(address))

    assert allowed("hooks.corp.example", "192.168.0.1")
    assert not allowed("more.hooks.corp.example", "192.168.0.1")
    assert allowed("a.b.lan.example", "127.0.0.1")
    assert not allowed("lan.example", "127.0.0.1")
    assert not allowed("evil-lan.example", "127.0.0.1")
    assert allowed("anything.example", "10.1.2.3")
    assert not allowed("anything.example", "10.2.2.3")
    assert allowed("169.254.169.254", "169.254.169.254")
    assert not allowed("hooks.corp.example", "169.254.169.253")
    assert policy.refusal("10.9.9.9", ip_address("10.9.9.9")) == (
        "10.9.9.9 is a private address, to which nothing is sent; if that is meant, name it in the setting egress.allow"
    )


@pytest.mark.parametrize(
    "text", ["https://a.example", "a.example:80", "10.0.0.0/33", "10.0.0.1/8", "a b", "*", "1.2.3"]
)
def test_what_can_be_no_destination(text: str):
    """A setting that allows nothing, or more than was meant, is refused and says how it is written."""
    with pytest.raises(ValueError, match="is no host, address or network: write"):
        parse_destinations(f"fine.example, {text}")
