"""Values that take a question over the network: lengths of queues, health of servers.

They are asked for beside the collection of metrics and are part of the next one, once: an answer that does not come
leaves a gap, never an old value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanglass.guard import guarded
from spanglass.runtime_metrics.background import Background
from spanglass.runtime_metrics.groups import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spanglass.runtime_metrics.groups import Collector, Reading, Undo

UP = Metric("spanglass.db.up", Kind.GAUGE, "1", "1 if the server answered when it was last asked, 0 if not.")
PING = Metric(
    "spanglass.db.ping.duration", Kind.GAUGE, "s", "Time that the server took to answer when it was last asked."
)
QUEUE_LENGTH = Metric("spanglass.queue.length", Kind.GAUGE, "{item}", "Items that wait in the queue.")

METRICS = (UP, PING, QUEUE_LENGTH)


class Polled:
    """Sources that are asked in a thread of their own, one after the other."""

    def __init__(self) -> None:
        self._background = Background("ask servers for metrics")
        self._sources: dict[str, Collector] = {}
        self._parents_only: set[str] = set()
        self._answers: list[Reading] = []

    def add(self, name: str, source: Collector, *, in_children: bool) -> Undo:
        """Ask this source too, by forked children as well or not.

        ``name`` is that of its failures, and of the source that it replaces.
        """
        self._sources[name] = source
        if not in_children:
            self._parents_only.add(name)

        def forget() -> None:
            if self._sources.get(name) is source:
                del self._sources[name]

        return forget

    def readings(self) -> Iterator[Reading]:
        """Yield the answers since the last time, and have the sources asked again."""
        answers, self._answers = self._answers, []
        if self._sources:
            self._background.run(self._ask)
        yield from answers

    def wait(self) -> None:
        """Wait for the answers that are under way; for tests."""
        self._background.wait()

    def close(self) -> None:
        """Ask nothing more: what is being asked is the last, and nobody waits for it."""
        self._background.close()
        self._sources.clear()

    def after_fork(self) -> None:
        """Leave to the parent what only one of a family is to ask."""
        self._background.after_fork()
        for name in self._parents_only:
            self._sources.pop(name, None)
        self._answers = []

    def _ask(self) -> None:
        for name, source in list(self._sources.items()):
            if self._sources.get(name) is not source:  # closed, or another took its place, while one before was asked
                continue
            with guarded(f"ask {name}"):
                self._answers += list(source())
