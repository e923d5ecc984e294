"""psycopg_pool's pools, sync and async, with and without connections kept."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from spanglass.library_metrics.databases.pools import Pool, PoolState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from spanglass.library_metrics.tools import Tools

_SYNC = ("ConnectionPool", "NullConnectionPool")
_ASYNC = ("AsyncConnectionPool", "AsyncNullConnectionPool")


class PsycopgPools:
    """The pools of the process: known from when they are made, or first asked for a connection."""

    def __init__(self, tools: Tools, timeout_error: type[Exception]) -> None:
        self._pools = tools.pools
        self._timeout_error = timeout_error
        self._known: weakref.WeakKeyDictionary[Any, Pool] = weakref.WeakKeyDictionary()

    def pool(self, pool: Any) -> Pool:
        """Find what is known of a pool."""
        known = self._known.get(pool)
        if known is None:
            attributes = {"db.system.name": "postgresql", "db.client.connection.pool.name": pool.name}
            known = self._known[pool] = Pool(attributes)
        return known

    def states(self) -> Iterator[PoolState]:
        """Return how each pool is, by its own statistics."""
        for pool, known in list(self._known.items()):
            if not pool.closed:
                stats = pool.get_stats()
                yield PoolState(
                    known.attributes,
                    used=stats["pool_size"] - stats["pool_available"],
                    idle=stats["pool_available"],
                    most=stats["pool_max"] or None,
                    fewest_idle=stats["pool_min"],
                    pending=stats.get("requests_waiting", 0),
                )

    def making(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``BasePool.__init__``."""

        def init(pool: Any, *args: Any, **kwargs: Any) -> None:
            original(pool, *args, **kwargs)
            self.pool(pool)

        return init

    def getting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``getconn``."""

        def getconn(pool: Any, *args: Any, **kwargs: Any) -> Any:
            known, begin_ns = self.pool(pool), self._pools.now_ns()
            connection, timed_out = None, False
            try:
                connection = original(pool, *args, **kwargs)
            except self._timeout_error:
                timed_out = True
                raise
            finally:
                self._pools.waited(known, begin_ns, connection, timed_out=timed_out)
            return connection

        return getconn

    def getting_async(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``getconn`` of an asynchronous pool."""

        async def getconn(pool: Any, *args: Any, **kwargs: Any) -> Any:
            known, begin_ns = self.pool(pool), self._pools.now_ns()
            connection, timed_out = None, False
            try:
                connection = await original(pool, *args, **kwargs)
            except self._timeout_error:
                timed_out = True
                raise
            finally:
                self._pools.waited(known, begin_ns, connection, timed_out=timed_out)
            return connection

        return getconn

    def returning(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``putconn``, of either kind: what it gives is passed on."""

        def putconn(pool: Any, connection: Any, *args: Any, **kwargs: Any) -> Any:
            self._pools.given_back(self.pool(pool), connection)
            return original(pool, connection, *args, **kwargs)

        return putconn


def hook(module: ModuleType, tools: Tools) -> None:
    """Measure the pools; ``module`` is ``psycopg_pool``."""
    from psycopg_pool.base import BasePool  # noqa: PLC0415 - the application has imported it

    pools = PsycopgPools(tools, module.PoolTimeout)
    tools.patches.wrap(BasePool, "__init__", pools.making)
    for names, getting in ((_SYNC, pools.getting), (_ASYNC, pools.getting_async)):
        for owner in (getattr(module, name) for name in names):
            if "getconn" in vars(owner):  # those that keep no connections inherit it
                tools.patches.wrap(owner, "getconn", getting)
                tools.patches.wrap(owner, "putconn", pools.returning)
    tools.pools.sources.append(pools.states)
