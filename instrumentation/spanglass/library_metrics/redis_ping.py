"""Whether a Redis server answers: PING on a connection of our own, with the application's address and password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spanglass.clock import NS_PER_S
from spanglass.library_metrics.polled import PING, UP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from spanglass.runtime_metrics.groups import Attributes, Reading

TIMEOUT_S = 2.0

#: Of the application's options, those that say where the server is and who we are.
_KEPT = ("host", "port", "path", "username", "password", "credential_provider", "protocol")
_KEPT_PREFIX = "ssl_"


def ping(options: Mapping[str, Any], kind: type, host: str, port: int, now_ns: Callable[[], int]) -> Iterator[Reading]:
    """Yield whether the server answers, and in what time. ``kind`` is the application's class of connections."""
    from redis import exceptions  # noqa: PLC0415 - the application has imported it

    attributes: Attributes = {"db.system.name": "redis", "server.address": host, "server.port": port}
    connection = _connection(options, kind)
    try:
        begin_ns = 0
        connection.connect()
        begin_ns = now_ns()
        connection.send_command("PING")
        connection.read_response()
    except (exceptions.RedisError, OSError):
        yield UP, 0, attributes
    else:
        yield UP, 1, attributes
        yield PING, (now_ns() - begin_ns) / NS_PER_S, attributes
    finally:
        connection.disconnect()


def _connection(options: Mapping[str, Any], kind: type) -> Any:
    """Make a connection like the application's, without waiting long, repeating, or what may be asynchronous in it."""
    from redis import connection  # noqa: PLC0415 - as above
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    kept = {name: value for name, value in options.items() if name in _KEPT or name.startswith(_KEPT_PREFIX)}
    made: type = connection.Connection
    if "path" in kept:
        made = connection.UnixDomainSocketConnection
    elif kind.__name__.startswith("SSL"):
        made = connection.SSLConnection
    timeouts = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    if made is connection.UnixDomainSocketConnection:
        timeouts.pop("socket_connect_timeout")
    return made(**kept, **timeouts, retry=Retry(NoBackoff(), 0))
