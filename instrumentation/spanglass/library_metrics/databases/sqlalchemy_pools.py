"""SQLAlchemy's pools: QueuePool and those made from it, sync and async. Others keep no connections to count.

An engine is found when it connects. A pool is known by its ``pool_logging_name``, or by where it connects to:
``host:port/database``.
"""

from __future__ import annotations

import contextlib
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanglass.guard import guarded
from spanglass.library_metrics.databases.pools import Pool, PoolState
from spanglass.runtime_metrics.groups import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from spanglass.library_metrics.tools import Tools
    from spanglass.runtime_metrics.groups import Reading

SIZE = Metric("spanglass.db.size", Kind.UP_DOWN_COUNTER, "By", "Space that the database takes.")

#: Names of SQLAlchemy's dialects that OpenTelemetry calls otherwise.
_SYSTEMS = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}


class SqlAlchemyPools:
    """The engines of the process and their pools."""

    def __init__(self, tools: Tools, queue_pool: Any, timeout_error: type[Exception]) -> None:
        self._pools = tools.pools
        self._queue_pool = queue_pool
        self._timeout_error = timeout_error
        self._engines: weakref.WeakSet[Any] = weakref.WeakSet()
        self._known: weakref.WeakKeyDictionary[Any, Pool] = weakref.WeakKeyDictionary()

    def engine_seen(self, engine: Any) -> None:
        """Take an engine in."""
        if engine not in self._engines:
            with guarded("watch a pool of SQLAlchemy"):
                self._engines.add(engine)

    def pool(self, pool: Any) -> Pool:
        """Find what is known of a pool."""
        known = self._known.get(pool)
        if known is None:
            engine = next((each for each in list(self._engines) if each.pool is pool), None)
            known = self._known[pool] = Pool(_attributes(engine, pool))
        return known

    def states(self) -> Iterator[PoolState]:
        """Return how each engine's pool is."""
        for engine in list(self._engines):
            pool: Any = engine.pool
            if isinstance(pool, self._queue_pool):
                most_overflow = pool._max_overflow  # noqa: SLF001 - there is no public way
                yield PoolState(
                    self.pool(pool).attributes,
                    used=pool.checkedout(),
                    idle=pool.checkedin(),
                    most=None if most_overflow < 0 else pool.size() + most_overflow,
                    most_idle=pool.size(),
                    pending=len(self.pool(pool).waiting),
                )

    def sizes(self) -> Iterator[Reading]:
        """Measure the files of SQLite, with what is not yet merged into them; other databases are servers."""
        paths = {engine.url.database for engine in list(self._engines) if engine.dialect.name == "sqlite"}
        for path in sorted(filter(None, paths)):
            size = 0
            for suffix in ("", "-wal"):
                with contextlib.suppress(OSError):
                    size += Path(path + suffix).stat().st_size
            if size:
                yield SIZE, size, {"db.system.name": "sqlite", "db.namespace": path}

    def getting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``QueuePool._do_get``, in which one waits."""

        def do_get(pool: Any) -> Any:
            known, begin_ns = self.pool(pool), self._pools.now_ns()
            known.waiting.append(None)
            record, timed_out = None, False
            try:
                record = original(pool)
            except self._timeout_error:
                timed_out = True
                raise
            finally:
                known.waiting.pop()
                self._pools.waited(known, begin_ns, record, timed_out=timed_out)
            return record

        return do_get

    def creating(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``Pool._create_connection``."""

        def create(pool: Any) -> Any:
            begin_ns = self._pools.now_ns()
            record = original(pool)
            self._pools.created(self.pool(pool), begin_ns)
            return record

        return create

    def returning(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``QueuePool._do_return_conn``."""

        def do_return(pool: Any, record: Any) -> Any:
            self._pools.given_back(self.pool(pool), record)
            return original(pool, record)

        return do_return

    def connecting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``Engine.raw_connection``, where engines are found.

        Not ``__init__``: ``create_engine`` reads its code to learn which arguments it takes.
        """

        def raw_connection(engine: Any) -> Any:
            self.engine_seen(engine)
            return original(engine)

        return raw_connection


def _attributes(engine: Any, pool: Any) -> dict[str, str]:
    url = getattr(engine, "url", None)
    name = getattr(pool, "_orig_logging_name", None)
    if not name and url is not None:
        place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
        name = "/".join(filter(None, (place, url.database)))
    dialect = getattr(getattr(engine, "dialect", None), "name", "") or "other_sql"
    return {
        "db.system.name": _SYSTEMS.get(dialect, dialect),
        "db.client.connection.pool.name": name or type(pool).__name__,
    }


def hook(module: ModuleType, tools: Tools) -> None:
    """Measure the pools; ``module`` is ``sqlalchemy.engine.base``."""
    from sqlalchemy import exc, pool  # noqa: PLC0415 - the application has imported it

    pools = SqlAlchemyPools(tools, pool.QueuePool, exc.TimeoutError)
    tools.patches.wrap(module.Engine, "raw_connection", pools.connecting)
    tools.patches.wrap(pool.QueuePool, "_do_get", pools.getting)
    tools.patches.wrap(pool.QueuePool, "_do_return_conn", pools.returning)
    tools.patches.wrap(pool.Pool, "_create_connection", pools.creating)
    tools.pools.sources.append(pools.states)
    tools.collectors["files of SQLite"] = pools.sizes
