"""Stopping a query from another thread, whatever it is doing just then."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from spanglass_server.store.ports import QueryError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Iterator

    import duckdb

_INSIST_EVERY_S = 0.05


class Ends(Protocol):
    """A thread that will end."""

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for its end, at most for so long; whether it has ended."""


class Stop:
    """The cursors of one query, to be interrupted; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self.stopped = False

    @contextmanager
    def watching(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
        """Have the cursor's statements stopped too, and close it at the end."""
        with self._lock:
            self._cursors.append(cursor)
        try:
            yield cursor
        finally:
            with self._lock:
                self._cursors.remove(cursor)
            cursor.close()

    def now(self) -> None:
        """Interrupt what runs."""
        with self._lock:
            self.stopped = True
            for cursor in self._cursors:
                cursor.interrupt()

    def unless_stopped(self, work: Callable[[], object]) -> Callable[[], None]:
        """The same work, for which it is no failure that the end of the server interrupts its queries."""

        def run() -> None:
            try:
                work()
            except QueryError:
                if not self.stopped:
                    raise

        return run

    def until_ended(self, threads: Iterable[Ends]) -> None:
        """Interrupt until all of these threads have ended: an interrupt between two statements does nothing."""
        self.now()
        for thread in threads:
            while not thread.join(_INSIST_EVERY_S):
                self.now()

    def insist(self, future: asyncio.Future[Any]) -> None:
        """Interrupt until the query's future is done: an interrupt between two of its statements does nothing.

        Takes note of the outcome, so that asyncio does not report it as never retrieved.
        """
        self.now()
        if not future.done():
            future.get_loop().call_later(_INSIST_EVERY_S, self.insist, future)
        elif not future.cancelled():
            future.exception()
