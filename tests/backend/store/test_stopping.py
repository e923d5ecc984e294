"""The end of threads that ask the store."""

from __future__ import annotations

import threading

import duckdb
import pytest

from spanglass_server.store.ports import QueryTimeoutError
from spanglass_server.store.sessions.stopping import Stop


class Asking:
    """A thread that runs one statement after the other until one is interrupted."""

    def __init__(self, stop: Stop) -> None:
        self.interrupted, self._begun = 0, threading.Event()
        self._stop = stop
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._begun.wait(60)

    def _run(self) -> None:
        with duckdb.connect() as connection, self._stop.watching(connection.cursor()) as cursor:
            self._begun.set()
            while not self.interrupted:
                try:
                    cursor.execute("SELECT count(*) FROM range(1000) a, range(1000) b").fetchall()
                except duckdb.InterruptException:
                    self.interrupted += 1

    def join(self, timeout_s: float | None = None) -> bool:
        """See ``Ends``."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()


def test_threads_are_interrupted_until_all_have_ended() -> None:
    """An interrupt that comes between two statements is followed by others, so that no thread goes on for ever."""
    stop = Stop()
    threads = [Asking(stop), Asking(stop)]
    stop.until_ended(threads)
    assert stop.stopped
    assert [thread.interrupted for thread in threads] == [1, 1]


def test_a_query_that_the_end_interrupts_is_no_failure() -> None:
    """Before the end its error is one; what is no error of a query is one at any time."""
    stop = Stop()

    def interrupted() -> None:
        raise QueryTimeoutError("the query was stopped")

    with pytest.raises(QueryTimeoutError):
        stop.unless_stopped(interrupted)()
    stop.now()
    stop.unless_stopped(interrupted)()

    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        stop.unless_stopped(broken)()
