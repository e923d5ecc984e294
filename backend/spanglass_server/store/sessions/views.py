"""What one query sees: the store once all that was acknowledged before is in it, or at once where that can't matter.

Making columns of records that wait takes 5 ms and more. A query that asks for a few traces, none of which is among
these records, need not wait for that.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from spanglass_server.store.ports import QueryTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from spanglass_server.store.contents import Contents, Snapshot
    from spanglass_server.store.sessions.stopping import Stop


class Views:
    """The snapshots of one query, held until the block ends. For one thread.

    ``settle`` puts acknowledged records into the store, or returns early once the function that it is passed returns
    True. ``may_wait`` says whether any record that is not there yet may belong to one of some traces. ``give_way`` is
    called before something is read, and may take its time.
    """

    def __init__(
        self,
        contents: Contents,
        settle: Callable[[Callable[[], bool]], None],
        may_wait: Callable[[Collection[bytes]], bool],
        stop: Stop,
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self._contents = contents
        self._settle = settle
        self._may_wait = may_wait
        self._stop = stop
        self.give_way = give_way
        self._held = ExitStack()
        self._settled: Snapshot | None = None
        self._early: Snapshot | None = None
        self._known: frozenset[bytes] = frozenset()  # traces that the early one has all of

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def whole(self) -> Snapshot:
        """Everything that was acknowledged before the call, the same snapshot each time."""
        if self._settled is None:
            self.give_way()
            self._settle(lambda: self._stop.stopped)
            if self._stop.stopped:
                raise QueryTimeoutError("the query was stopped before it began: the server is busy, try again")
            self._settled = self._held.enter_context(self._contents.reading())
        return self._settled

    def of_traces(self, trace_ids: Collection[bytes]) -> Snapshot:
        """A snapshot with every record of some traces that was acknowledged before the query began."""
        if self._settled is not None:
            return self._settled
        if self._early is None and not self._may_wait(trace_ids):
            # taken after the look: what has left the records that wait is in it
            self._early = self._held.enter_context(self._contents.reading())
            self._known = frozenset(trace_ids)
        if self._early is not None and self._known.issuperset(trace_ids):
            return self._early
        return self.whole()
