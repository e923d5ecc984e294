"""Opening sockets to hosts: every address is checked where it is connected to, whatever the name said before."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol

import aiohappyeyeballs

from spanglass_server.egress.addresses import parse_address
from spanglass_server.egress.policy import RefusedError
from spanglass_server.supervision import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spanglass_server.egress.addresses import Address
    from spanglass_server.egress.policy import Policy

#: Lookups at once: getaddrinfo may take 10 s and more, and can't be stopped, so that each has a thread of its own.
_LOOKUPS = 256
_NO_ADDRESS = "its name is not known"
_AFTER_S = 0.25  # the next address is tried beside one that does not answer (RFC 8305)


class Lookup(Protocol):
    """Finds the addresses of a name; ``OSError`` if there are none."""

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Addresses as text, in the order in which they are to be tried."""


class SystemLookup:
    """The machine's own way: hosts file, DNS. No lookup waits for another, and none holds up the end of the server."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(_LOOKUPS)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """See ``Lookup``."""
        if not self._places.acquire(blocking=False):
            raise OSError("the name server does not answer, and too many names wait for it")
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def look() -> None:
            try:
                entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                addresses: list[str] | OSError = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
            except (OSError, UnicodeError) as error:  # UnicodeError: a name that can't be one
                addresses = error if isinstance(error, OSError) else OSError(_NO_ADDRESS)
            finally:
                self._places.release()
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_tell, found, addresses)

        threading.Thread(target=look, name="lookup", daemon=True).start()
        return await found


def _tell(found: asyncio.Future[list[str]], addresses: list[str] | OSError) -> None:
    if found.done():  # nobody waits any longer
        return
    if isinstance(addresses, OSError):
        found.set_exception(addresses)
    else:
        found.set_result(addresses)


class Opening:
    """The sockets of one request to one host. ``refusal`` says why one of them was not opened."""

    def __init__(self, policy: Policy, host: str, lookup: Lookup) -> None:
        self.refusal = ""
        self._policy = policy
        self._host = host
        self._lookup = lookup

    async def addresses(self, port: int) -> list[str]:
        """The host's addresses that are allowed; ``RefusedError`` if all are refused, ``OSError`` if there are none."""
        literal = parse_address(self._host) is not None
        found = [self._host.strip("[]")] if literal else await self._lookup(self._host, port)
        refusals = {address: self._policy.refusal(self._host, _ip(address)) for address in found}
        if not found:
            raise OSError(_NO_ADDRESS)
        allowed = [address for address, refusal in refusals.items() if not refusal]
        if not allowed:
            self.refusal = next(iter(refusals.values()))
            raise RefusedError(self.refusal)
        return allowed

    def make_socket(self, info: Any) -> socket.socket:
        """Make the socket for an address that is to be connected to, as ``getaddrinfo`` gives it."""
        family, kind, proto, _, address = info
        self.refusal = self._policy.refusal(self._host, _ip(str(address[0])))
        if self.refusal:
            raise RefusedError(self.refusal)
        return socket.socket(family=family, type=kind, proto=proto)

    async def connect(self, port: int) -> socket.socket:
        """A connected socket, not blocking. Raises ``RefusedError``, ``OSError``."""
        infos = [_info(address, port) for address in await self.addresses(port)]
        try:
            return await aiohappyeyeballs.start_connection(
                infos, happy_eyeballs_delay=_AFTER_S, socket_factory=self.make_socket
            )
        except OSError:
            if self.refusal:
                raise RefusedError(self.refusal) from None
            raise


def reason(error: OSError) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, socket.gaierror):
        return _NO_ADDRESS
    return os.strerror(error.errno).lower() if error.errno else in_words(error)


def _ip(text: str) -> Address:
    return ip_address(text.partition("%")[0])  # the zone of a link-local address of IPv6 is none of it


def _info(address: str, port: int) -> Any:
    return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
