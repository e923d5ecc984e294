"""Choosing ports: the usual one, or a free one when it is taken."""

from __future__ import annotations

import errno
import random
import socket
from itertools import chain

HOST = "127.0.0.1"
#: Below 32768: from there on Linux gives ports to outgoing connections, and might between our choice and its use.
FREE_PORTS = range(20_000, 32_768)


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` of the loopback address."""
    with socket.socket() as probe:
        # As servers do: a port in TIME_WAIT from the last run is free, one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def choose(wanted: list[int]) -> list[int]:
    """Return a port for each wanted one: itself where it is free, else (and for 0) a free one. All are different."""
    others = iter(random.sample(FREE_PORTS, len(FREE_PORTS)))
    chosen: list[int] = []
    for port in wanted:
        candidates = chain([port] if port else [], others)
        chosen.append(next(each for each in candidates if each not in chosen and is_free(each)))
    return chosen
