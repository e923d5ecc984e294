"""DuckDB, the one query engine: sessions over one snapshot of the store, each in a thread, stoppable at any time.

The connection may open nothing but stored files of records and can't be reconfigured, so not even SQL written by users
reaches another file.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import duckdb

from spanglass_server.store.part_cache import CACHE_SHARE, PartCache
from spanglass_server.store.ports import QueryError, QueryMemoryError, QueryTimeoutError
from spanglass_server.store.service_slots import service_slot
from spanglass_server.store.sessions.connections import Connections
from spanglass_server.store.sessions.giving_way import GivingWay, Questions
from spanglass_server.store.sessions.session import StoreSession
from spanglass_server.store.sessions.stopping import Stop
from spanglass_server.store.sessions.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from spanglass_server.store.contents import Contents, Snapshot
    from spanglass_server.store.ports import OfferedTable, QuerySession
    from spanglass_server.store.sessions.connections import EngineLimits

T = TypeVar("T")
#: A statement over fewer rows is over soon with one thread, too.
_FEW_ROWS = 10_000_000


class Engine:
    """Runs functions over sessions.

    ``settle`` is called before a session reads: it makes acknowledged records visible, or returns early once the
    function that it is passed returns True. ``slot_of`` returns a service's colour slot. ``may_wait`` says whether any
    record that ``settle`` would make visible may belong to one of some traces: see ``Views``. ``kept`` is what sessions
    made of parts.
    """

    def __init__(
        self,
        contents: Contents,
        data_dir: Path,
        limits: EngineLimits,
        settle: Callable[[Callable[[], bool]], None],
        slot_of: Callable[[str], int] = service_slot,
        may_wait: Callable[[Collection[bytes]], bool] = lambda _: True,
    ) -> None:
        self._may_wait = may_wait
        self._slot_of = slot_of
        self._offered: dict[str, OfferedTable] = {}
        self._contents = contents
        self._data_dir = data_dir.resolve()
        self._settle = settle
        self._connections = Connections(self._data_dir, limits)
        self.kept = PartCache(limits.memory_bytes // CACHE_SHARE)
        self._questions = Questions()
        self._forgotten = 0  # the version of the snapshot for which that was last tidied
        self._threads = ThreadPoolExecutor(limits.max_concurrent, thread_name_prefix="query")

    def offer(self, tables: Mapping[str, OfferedTable]) -> None:
        """Offer tables of the server's own to sessions that begin from now on."""
        self._offered = {**self._offered, **tables}

    async def run(self, query: Callable[[QuerySession], T], *, deadline_s: float) -> T:
        """Run ``query`` over a session of its own and return its answer.

        Raises ``QueryTimeoutError`` past the deadline, waiting for a free thread included, and ``QueryMemoryError``.
        Cancelling the awaiting task stops the query.
        """
        stop = Stop()
        with self._questions.asked():
            future = asyncio.get_running_loop().run_in_executor(self._threads, self._run, query, stop)
            try:
                async with asyncio.timeout(deadline_s):
                    return await asyncio.shield(future)
            except TimeoutError:
                stop.insist(future)
                message = f"the query was stopped after {deadline_s:g} s (setting query.deadline)"
                raise QueryTimeoutError(message) from None
            except asyncio.CancelledError:
                stop.insist(future)
                raise

    def run_here(
        self,
        query: Callable[[QuerySession], T],
        stop: Stop | None = None,
        *,
        needs_newest: bool = True,
        is_paced: bool = False,
        gives_way: bool = False,
    ) -> T:
        """Run ``query`` in this thread, without a deadline: nobody waits for it, so it spares the processor.

        While little is stored its statements have one thread: to wake others for a few thousand rows took a quarter of
        the processor time of such statements. They always have one where the work ``is_paced`` by the processor time of
        its thread, which is then all that they take. What was acknowledged in the last 16 s may be missing unless the
        query ``needs_newest``: making columns of it costs 30 ms, however little it is. One that ``gives_way`` reads
        nothing while people's questions are under way, for a second at most; it must hold nothing that they wait for.
        """
        stop = stop or Stop()
        settle = self._settle if needs_newest else lambda _stopped: None
        give_way = GivingWay(self._questions, lambda: stop.stopped).wait if gives_way else lambda: None
        return self._run(query, stop, settle, give_way, is_hurried=not is_paced and self._holds_much())

    def run_paced(self, query: Callable[[QuerySession], T], stop: Stop, *, needs_newest: bool = False) -> T:
        """Run a piece of paced work (``Pace``) in this thread: it takes no more than its thread does, and gives way.

        Most of it is about what is over for a minute, and what waits to be made columns came in the last seconds.
        """
        return self.run_here(query, stop, needs_newest=needs_newest, is_paced=True, gives_way=True)

    def _run(
        self,
        query: Callable[[QuerySession], T],
        stop: Stop,
        settle: Callable[[Callable[[], bool]], None] | None = None,
        give_way: Callable[[], None] = lambda: None,
        *,
        is_hurried: bool = True,
    ) -> T:
        if stop.stopped:
            raise QueryTimeoutError("the query was stopped before it began: the server is busy, try again")
        now = self._contents.snapshot
        try:
            with (
                Views(self._contents, settle or self._settle, self._may_wait, stop, give_way) as views,
                self._connections.use(now.version) as pair,
                stop.watching((pair.queries if is_hurried else pair.single).cursor()) as cursor,
            ):
                self._forget_gone(now)
                lookup = pair.lookup.within(stop, self._contents.recent)
                values = self._contents.values
                session = StoreSession(
                    cursor, lookup, views, self._data_dir, self._slot_of, self._offered, values, self.kept
                )
                return query(session)
        except duckdb.OutOfMemoryException as error:
            raise QueryMemoryError(
                "the query needs more memory than it may use (setting query.memory_limit_bytes)"
            ) from error
        except duckdb.InterruptException as error:
            raise QueryTimeoutError("the query was stopped") from error
        except duckdb.IOException as error:
            raise QueryError(f"stored data could not be read: {error}") from error

    def _holds_much(self) -> bool:
        return self._contents.snapshot.rows > _FEW_ROWS

    def _forget_gone(self, snapshot: Snapshot) -> None:
        """Keep nothing of parts that were flushed, merged or deleted since the last query."""
        if snapshot.version > self._forgotten:
            self._forgotten = snapshot.version
            self.kept.forget_all_but(snapshot.part_keys())

    def close(self) -> None:
        """Wait for queries under way and release the engine."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._connections.close()
