"""A query in a PostgreSQL or MySQL database, by the driver that is installed. None comes with the server."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from spanglass_server.health.checkers.outcome import Outcome, healthy, unhealthy, unless_slow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from spanglass_server.egress.egress import Egress
    from spanglass_server.health.check import Sql

_PORTS: Final = {"postgresql": 5432, "mysql": 3306}
_NAME: Final = "spanglass"


class DriverMissingError(Exception):
    """No driver for a database is installed; says which would do."""


async def check_sql(sql: Sql, egress: Egress, timeout_s: float) -> Outcome:
    """Connect, and run the query. Raises ``OSError`` for what egress says, ``SecretError``."""
    parts = urlsplit(sql.url)
    system = "mysql" if parts.scheme == "mysql" else "postgresql"
    password = sql.password.reveal() if sql.password is not None else ""
    began_ns = monotonic_ns()
    try:
        ask = _driver(system)
    except DriverMissingError as error:
        return unhealthy(str(error))
    await egress.addresses(parts.hostname or "", parts.port or _PORTS[system])
    try:
        row = await ask(sql, password, timeout_s)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - drivers have no common base of their errors
        return unhealthy(f"{type(error).__name__}: {error}".replace(password or "\0", "***"))
    took_ns = monotonic_ns() - began_ns
    value = None if row is None else row[0]
    if sql.expect and str(value) != sql.expect:
        found = "no row" if row is None else repr(str(value)[:100])
        return unhealthy(f"the query gives {found}, not {sql.expect[:100]!r}")
    return unless_slow(healthy("the query was answered"), took_ns, sql.slower_than_ns)


async def _asyncpg(sql: Sql, password: str, timeout_s: float) -> Any:
    asyncpg = import_module("asyncpg")
    # without a cache of statements it works through poolers of transactions too
    connection = await asyncpg.connect(
        sql.url,
        password=password or None,
        timeout=timeout_s,
        statement_cache_size=0,
        server_settings={"application_name": _NAME},
    )
    try:
        return await connection.fetchrow(sql.query)
    finally:
        connection.terminate()


async def _psycopg(sql: Sql, password: str, timeout_s: float) -> Any:
    psycopg = import_module("psycopg")
    connection = await psycopg.AsyncConnection.connect(
        sql.url,
        **({"password": password} if password else {}),
        connect_timeout=max(1, round(timeout_s)),
        application_name=_NAME,
        autocommit=True,
        prepare_threshold=None,
    )
    async with connection:
        return await (await connection.execute(sql.query)).fetchone()


async def _aiomysql(sql: Sql, password: str, timeout_s: float) -> Any:
    aiomysql = import_module("aiomysql")
    parts = urlsplit(sql.url)
    connection = await aiomysql.connect(
        host=parts.hostname,
        port=parts.port or _PORTS["mysql"],
        user=unquote(parts.username or ""),
        password=password,
        db=unquote(parts.path.lstrip("/")) or None,
        connect_timeout=timeout_s,
        autocommit=True,
    )
    try:
        async with connection.cursor() as cursor:
            await cursor.execute(sql.query)
            return await cursor.fetchone()
    finally:
        connection.close()


#: Drivers by database, in the order in which they are taken.
_DRIVERS: Final[dict[str, dict[str, Callable[[Sql, str, float], Awaitable[Any]]]]] = {
    "postgresql": {"asyncpg": _asyncpg, "psycopg": _psycopg},
    "mysql": {"aiomysql": _aiomysql},
}


def _driver(system: str) -> Callable[[Sql, str, float], Awaitable[Any]]:
    for name, ask in _DRIVERS[system].items():
        if find_spec(name) is not None:
            return ask
    names = " or ".join(_DRIVERS[system])
    raise DriverMissingError(f"there is no driver for {system}: pip install {names}, where the server is installed")
