"""Choosing ports: the usual one, or a free one when it is taken."""

from __future__ import annotations

import errno
import socket

HOST = "127.0.0.1"


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
    held: list[socket.socket] = []
    chosen: list[int] = []
    try:
        for port in wanted:
            if port and port not in chosen and is_free(port):
                chosen.append(port)
                continue
            # Held until all are chosen, so that the system does not give the same one twice.
            holder = socket.socket()
            holder.bind((HOST, 0))
            held.append(holder)
            chosen.append(holder.getsockname()[1])
    finally:
        for holder in held:
            holder.close()
    return chosen
