"""The way out of the server: HTTP requests and plain connections, under one policy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spanglass_server.egress.connecting import Opening, SystemLookup, reason
from spanglass_server.egress.http import HttpClient, UnreachableError
from spanglass_server.egress.policy import Policy, RefusedError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from spanglass_server.egress.connecting import Lookup
    from spanglass_server.egress.http import Answer, Request


@dataclass(frozen=True, slots=True)
class Egress:
    """Opens connections that a policy allows. One is made at the start; any thread's event loop may use it."""

    policy: Policy = field(default_factory=Policy)
    proxy: str = field(default="", repr=False)
    lookup: Lookup = field(default_factory=SystemLookup)

    def trusting(self, hosts: Iterable[str]) -> Egress:
        """The way out for what an operator wrote in the settings file: it may reach the hosts that are named there."""
        return replace(self, policy=self.policy.trusting(*hosts))

    async def send(self, request: Request) -> Answer:
        """Send an HTTP request. Raises ``RefusedError``, ``UnreachableError``, both ``OSError``; may be cancelled."""
        return await HttpClient(self.policy, self.lookup, self.proxy).send(request)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host to which one may connect, for drivers that connect by themselves.

        They are to be given these addresses in the place of the name. Raises ``RefusedError``, ``OSError``.
        """
        return await Opening(self.policy, host, self.lookup).addresses(port)

    async def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """A TCP connection, not blocking. Raises ``RefusedError``, ``UnreachableError``, both ``OSError``."""
        try:
            async with asyncio.timeout(timeout_s):
                return await Opening(self.policy, host, self.lookup).connect(port)
        except RefusedError:
            raise
        except TimeoutError:
            raise UnreachableError(f"{host}:{port} did not answer within {timeout_s:g} s") from None
        except OSError as error:
            raise UnreachableError(f"{host}:{port} can't be reached: {reason(error)}") from None
