"""Queues inside a process, ``asyncio.Queue`` and ``queue.Queue``: length, what is put and taken, and for how long.

watch_queue(queue, "thumbnails")
"""

from __future__ import annotations

import time
import weakref
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from spanglass.clock import NS_PER_S
from spanglass.runtime_metrics.groups import Kind, Metric

if TYPE_CHECKING:
    import asyncio
    import queue as threads_queue
    from collections.abc import Callable, Iterator

    from opentelemetry.metrics import Meter

    from spanglass.runtime_metrics.groups import Reading

LENGTH = Metric("spanglass.queue.size", Kind.UP_DOWN_COUNTER, "{item}", "Items in a queue of the process.")
CAPACITY = Metric("spanglass.queue.capacity", Kind.UP_DOWN_COUNTER, "{item}", "Most items that fit; 0: no limit.")
PUT = Metric("spanglass.queue.put", Kind.COUNTER, "{item}", "Items that were put into the queue.")
TAKEN = Metric("spanglass.queue.taken", Kind.COUNTER, "{item}", "Items that were taken from the queue.")

METRICS = (LENGTH, CAPACITY, PUT, TAKEN)

#: Waits of one collection cycle; of more, the oldest have no part in the histogram.
_MOST_WAITS = 20_000
_BOUNDS_S = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0)


class _Watched:
    """One queue: ``_put`` and ``_get`` of this object, the places where both classes let others in, are counted."""

    def __init__(self, queue: Any, name: str, now_ns: Callable[[], int]) -> None:
        self.name = name
        self.put = self.taken = 0
        self.waits_ns: deque[int] = deque(maxlen=_MOST_WAITS)
        self._now_ns = now_ns
        self._queue = weakref.ref(queue)
        # by identity: items may be neither hashable nor different, and come out in any order
        self._since_ns: defaultdict[int, deque[int]] = defaultdict(deque)
        original_put, original_get = queue._put, queue._get  # noqa: SLF001 - documented in their source as override points

        def put(item: Any) -> None:
            original_put(item)
            self.put += 1
            self._since_ns[id(item)].append(now_ns())

        def get() -> Any:
            item = original_get()
            self._took(item)
            return item

        queue._put, queue._get = put, get  # noqa: SLF001

    def _took(self, item: Any) -> None:
        self.taken += 1
        since_ns = self._since_ns.get(id(item))
        if since_ns:
            self.waits_ns.append(self._now_ns() - since_ns.popleft())
            if not since_ns:
                del self._since_ns[id(item)]

    def readings(self) -> Iterator[Reading]:
        """Return how the queue is; nothing once it is gone."""
        queue = self._queue()
        if queue is not None:
            attributes = {"messaging.destination.name": self.name}
            yield LENGTH, queue.qsize(), attributes
            yield CAPACITY, max(0, queue.maxsize), attributes
            yield PUT, self.put, attributes
            yield TAKEN, self.taken, attributes


_watched: weakref.WeakKeyDictionary[Any, _Watched] = weakref.WeakKeyDictionary()


def watch_queue(
    queue: asyncio.Queue[Any] | threads_queue.Queue[Any],
    name: str,
    *,
    now_ns: Callable[[], int] = time.monotonic_ns,
) -> None:
    """Measure a queue for as long as it lives; ``name`` tells it from others, and has few values.

    Works before ``configure()`` too. Watching a queue again gives it the new name. Raises ``TypeError`` for what is
    neither an ``asyncio.Queue`` nor a ``queue.Queue``, nor made from one.
    """
    if not (hasattr(queue, "_put") and hasattr(queue, "_get") and hasattr(queue, "maxsize")):
        raise TypeError(
            f"watch_queue(): queue: expected an asyncio.Queue or a queue.Queue (got {type(queue).__qualname__}); "
            "queue.SimpleQueue and queues between processes can't be watched"
        )
    known = _watched.get(queue)
    if known is not None:
        known.name = name
    else:
        _watched[queue] = _Watched(queue, name, now_ns)


class QueueMetrics:
    """Hands over what the watched queues noted down."""

    def __init__(self, meter: Meter) -> None:
        self._wait = meter.create_histogram(
            "spanglass.queue.wait_time",
            "s",
            "Time that an item was in the queue.",
            explicit_bucket_boundaries_advisory=_BOUNDS_S,
        )

    def readings(self) -> Iterator[Reading]:
        """Yield the state of each queue."""
        for each in list(_watched.values()):
            while each.waits_ns:
                wait_s = each.waits_ns.popleft() / NS_PER_S
                self._wait.record(wait_s, {"messaging.destination.name": each.name})
            yield from each.readings()
