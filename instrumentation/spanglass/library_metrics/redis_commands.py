"""Redis as a cache: how long commands take, which fail, and how often a key that was asked for was there."""

from __future__ import annotations

import weakref
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_value

from spanglass.clock import NS_PER_S
from spanglass.guard import guarded
from spanglass.library_metrics.databases.pools import PoolState
from spanglass.library_metrics.redis_ping import ping
from spanglass.sdk.private.published import SUPPRESS_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from spanglass.library_metrics.tools import Tools
    from spanglass.runtime_metrics.groups import Attributes, Reading

_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

#: Names of commands come from the application; beyond so many they share one.
_MOST_COMMANDS = 500
_MOST_SERVERS = 8


def _one(answer: Any) -> tuple[int, int]:
    return (0, 1) if answer is None else (1, 0)


def _many(answer: Any) -> tuple[int, int]:
    misses = sum(each is None for each in answer)
    return len(answer) - misses, misses


def _whole(answer: Any) -> tuple[int, int]:
    return (1, 0) if answer else (0, 1)


#: Commands that read a key: how to tell (hits, misses) from the answer.
READS: dict[str, Callable[[Any], tuple[int, int]]] = {
    "GET": _one, "GETEX": _one, "GETDEL": _one, "HGET": _one, "MGET": _many, "HMGET": _many, "HGETALL": _whole,
}  # fmt: skip


class RedisCommands:
    """Measures the clients of one module: ``redis`` or ``redis.asyncio``."""

    def __init__(self, tools: Tools) -> None:
        self._now_ns = tools.clock.monotonic_ns
        self._deferred = tools.deferred
        self._pools: weakref.WeakSet[Any] = weakref.WeakSet()
        meter = tools.meter
        self._duration = meter.create_histogram(
            "db.client.operation.duration",
            "s",
            "Duration of calls of the database.",
            explicit_bucket_boundaries_advisory=_BOUNDS_S,
        ).record
        self._hits = meter.create_counter("spanglass.cache.hits", "{key}", "Keys that were there.").add
        self._misses = meter.create_counter("spanglass.cache.misses", "{key}", "Keys that were not there.").add

    def executing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``execute_command``."""

        def execute_command(client: Any, *args: Any, **options: Any) -> Any:
            begin_ns = self._now_ns()
            try:
                answer = original(client, *args, **options)
            except Exception as error:
                self.ended(client, args, begin_ns, None, error)
                raise
            self.ended(client, args, begin_ns, answer, None)
            return answer

        return execute_command

    def executing_async(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``execute_command`` of an asynchronous client."""

        async def execute_command(client: Any, *args: Any, **options: Any) -> Any:
            begin_ns = self._now_ns()
            try:
                answer = await original(client, *args, **options)
            except Exception as error:
                self.ended(client, args, begin_ns, None, error)
                raise
            self.ended(client, args, begin_ns, answer, None)
            return answer

        return execute_command

    def piping(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``execute`` of a pipeline: one call, and the reads in it."""

        def execute(pipeline: Any, *args: Any, **options: Any) -> Any:
            begin_ns, commands = self._now_ns(), _commands(pipeline)
            try:
                answers = original(pipeline, *args, **options)
            except Exception as error:
                self.ended(pipeline, ("PIPELINE",), begin_ns, None, error)
                raise
            self.pipeline_ended(pipeline, commands, begin_ns, answers)
            return answers

        return execute

    def piping_async(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap ``execute`` of an asynchronous pipeline."""

        async def execute(pipeline: Any, *args: Any, **options: Any) -> Any:
            begin_ns, commands = self._now_ns(), _commands(pipeline)
            try:
                answers = await original(pipeline, *args, **options)
            except Exception as error:
                self.ended(pipeline, ("PIPELINE",), begin_ns, None, error)
                raise
            self.pipeline_ended(pipeline, commands, begin_ns, answers)
            return answers

        return execute

    def ended(
        self, client: Any, command: Sequence[Any], begin_ns: int, answer: Any, error: BaseException | None
    ) -> None:
        """Note the end of a command, unless it is one of ours, such as that for the length of a queue."""
        with guarded("measure a command of Redis"):
            if get_value(SUPPRESS_KEY):
                return
            name = _name(command)
            seconds = (self._now_ns() - begin_ns) / NS_PER_S
            self._deferred(self._duration, seconds, _attributes(name, type(error).__qualname__ if error else None))
            if error is None:
                self._count(name, answer)
            self._remember(client)

    def pipeline_ended(self, pipeline: Any, commands: list[Sequence[Any]], begin_ns: int, answers: Any) -> None:
        """Note the end of a pipeline."""
        self.ended(pipeline, ("PIPELINE",), begin_ns, None, None)
        with guarded("measure a pipeline of Redis"):
            if not get_value(SUPPRESS_KEY) and isinstance(answers, list) and len(answers) == len(commands):
                for command, answer in zip(commands, answers, strict=True):
                    if not isinstance(answer, Exception):
                        self._count(_name(command), answer)

    def _count(self, name: str, answer: Any) -> None:
        read = READS.get(name)
        # an answer that is the client's own object (a pipeline that collects commands) is none yet
        if read is None or not isinstance(answer, str | bytes | list | dict | int | float | None):
            return
        hits, misses = read(answer)
        if hits:
            self._deferred(self._hits, hits, _attributes(name, None))
        if misses:
            self._deferred(self._misses, misses, _attributes(name, None))

    def _remember(self, client: Any) -> None:
        pool = getattr(client, "connection_pool", None)
        if pool is not None and pool not in self._pools:
            self._pools.add(pool)

    def states(self) -> Iterator[PoolState]:
        """Return how each client's pool of connections is."""
        for pool in list(self._pools):
            idle, used = getattr(pool, "_available_connections", None), getattr(pool, "_in_use_connections", None)
            if idle is not None and used is not None:
                host, port, database = _place(pool)
                name = {"db.system.name": "redis", "db.client.connection.pool.name": f"{host}:{port}/{database}"}
                most = pool.max_connections if pool.max_connections < 1 << 31 else None  # 2^31 stands for no limit
                yield PoolState(name, used=len(used), idle=len(idle), most=most)

    def pings(self) -> Iterator[Reading]:
        """Ask each server that was used whether it is there."""
        by_place = {_place(pool)[:2]: pool for pool in list(self._pools)}
        for (host, port), pool in list(by_place.items())[:_MOST_SERVERS]:
            yield from ping(pool.connection_kwargs, pool.connection_class, host, port, self._now_ns)


def _commands(pipeline: Any) -> list[Sequence[Any]]:
    with guarded("read a pipeline of Redis"):
        return [getattr(entry, "args", None) or entry[0] for entry in pipeline.command_stack]
    return []


def _name(command: Sequence[Any]) -> str:
    text = command[0] if command else ""
    text = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    return _known_name(text)


_names: set[str] = set()


@lru_cache(maxsize=_MOST_COMMANDS)
def _known_name(text: str) -> str:
    name = text.split(None, 1)[0].upper() if text.strip() else "_OTHER"
    if name not in _names:
        if len(_names) >= _MOST_COMMANDS:
            return "_OTHER"
        _names.add(name)
    return name


@lru_cache(maxsize=4 * _MOST_COMMANDS)
def _attributes(name: str, error_type: str | None) -> Attributes:
    attributes = {"db.system.name": "redis", "db.operation.name": name}
    return {**attributes, "error.type": error_type} if error_type else attributes


def _place(pool: Any) -> tuple[str, int, str]:
    kwargs = pool.connection_kwargs
    return (
        str(kwargs.get("path") or kwargs.get("host", "localhost")),
        kwargs.get("port", 6379),
        str(kwargs.get("db", 0)),
    )


def hook(_: ModuleType, tools: Tools) -> None:
    """Measure the clients; called when ``redis`` is imported, which imports all of these."""
    for suffix in ("", ".asyncio"):
        commands = RedisCommands(tools)
        client, cluster = import_module(f"redis{suffix}.client"), import_module(f"redis{suffix}.cluster")
        executing, piping = (
            (commands.executing_async, commands.piping_async) if suffix else (commands.executing, commands.piping)
        )
        tools.patches.wrap(client.Redis, "execute_command", executing)
        tools.patches.wrap(client.Pipeline, "execute", piping)
        tools.patches.wrap(client.Pipeline, "immediate_execute_command", executing)
        tools.patches.wrap(cluster.RedisCluster, "execute_command", executing)
        tools.patches.wrap(cluster.ClusterPipeline, "execute", piping)
        tools.pools.sources.append(commands.states)
        tools.undo.append(tools.polled.add(f"redis{suffix}", commands.pings, in_children=True))
