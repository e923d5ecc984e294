"""Under which address people open the pages of this server, for links in messages."""

from __future__ import annotations

import ipaddress
import socket


class ServerAddress:
    """The setting ``server.external_url``; without it, what can be known: the host and port that are listened on.

    Any thread may call.
    """

    def __init__(self, external_url: str, host: str, port: int) -> None:
        self._external_url = external_url
        self._host = host
        self._port = port

    def listens(self, port: int) -> None:
        """Say which port is really listened on."""
        self._port = port

    def url(self) -> str:
        """The address, without a slash at its end."""
        if self._external_url:
            return self._external_url
        host = socket.gethostname() if _is_any(self._host) else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"


def _is_any(host: str) -> bool:
    """Whether a host stands for all addresses of the machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False
