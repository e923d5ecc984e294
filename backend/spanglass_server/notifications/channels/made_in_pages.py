"""What channels that are made in pages may not say, told when they are saved: addresses inside, commands.

Names are not looked up for this: where they lead is checked at each connection.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Final

from spanglass_server.egress.addresses import parse_address
from spanglass_server.egress.http import host_of
from spanglass_server.egress.policy import plain_host
from spanglass_server.forms.secrets import SecretSource
from spanglass_server.notifications.channels.command import NOT_ALLOWED, CommandOptions
from spanglass_server.notifications.channels.email.options import EmailOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spanglass_server.egress.policy import Policy
    from spanglass_server.notifications.model import Channel

_URLS: Final = ("url", "webhook_url", "api_url")
_LOOPBACK: Final = IPv4Address("127.0.0.1")


def refusals(policy: Policy, commands: Sequence[Sequence[str]]) -> Callable[[Channel], list[tuple[str, str]]]:
    """What gives the keys of a channel that are refused, each with the reason."""

    def refused(channel: Channel) -> list[tuple[str, str]]:
        options = channel.options
        if isinstance(options, CommandOptions):
            return [] if options.command in commands else [("command", NOT_ALLOWED)]
        return [(key, why) for key, host in _hosts(options) if (why := _inside(host, policy))]

    return refused


def _hosts(options: Any) -> Iterator[tuple[str, str]]:
    if isinstance(options, EmailOptions):
        yield "smtp_server", options.server[0]
    for key in _URLS:
        given = getattr(options, key, None)
        text = given.reveal() if isinstance(given, SecretSource) and given.kind == "text" else given
        if isinstance(text, str) and text:
            yield key, host_of(text)


def _inside(host: str, policy: Policy) -> str:
    """Why a host that needs no name server is refused, "" for any other."""
    is_local = plain_host(host).rpartition(".")[2] == "localhost"
    address = _LOOPBACK if is_local else parse_address(host)
    return policy.refusal(host, address) if address is not None else ""
