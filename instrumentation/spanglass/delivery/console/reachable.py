"""A quick look whether a server is there, from a thread: a connection is opened and closed."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from spanglass.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

_PORTS = {"http": 80, "https": 443}
_TIMEOUT_S = 0.5


def is_reachable(endpoint: str, timeout_s: float = _TIMEOUT_S) -> bool:
    """Open a connection to the endpoint's host, or to the proxy that requests to it would take, and close it again."""
    parts = urlsplit(endpoint)
    proxy = getproxies().get(parts.scheme)
    if proxy and parts.hostname and not proxy_bypass(parts.hostname):
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        port = parts.port or _PORTS.get(parts.scheme, 80)
        socket.create_connection((parts.hostname or "", port), timeout_s).close()
    except (OSError, ValueError):  # the second: a port or a name that can be none
        return False
    return True


def look(endpoint: str, tell: Callable[[bool], None], timeout_s: float = _TIMEOUT_S) -> None:
    """Look without waiting, and call ``tell`` from a thread of its own."""

    def run() -> None:
        with guarded("look for a server"):
            tell(is_reachable(endpoint, timeout_s))

    with suppress(RuntimeError):  # no more threads: nobody is told
        threading.Thread(target=run, name="spanglass-look", daemon=True).start()
