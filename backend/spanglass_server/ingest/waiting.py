"""What waits to become columns: parts by generation and signal, numbered in the order of arrival, and counted."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spanglass_server.ingest.decoding.trace_ids import may_be_of
from spanglass_server.signals import Signal
from spanglass_server.store.contents import order_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from spanglass_server.ingest.decoding.checked import Checked
    from spanglass_server.ingest.decoding.decode import Decoded

    #: Bodies of requests on their way.
    Part = Decoded | Checked
    #: Where parts belong: a generation, and a signal.
    Key = tuple[int, Signal]


class Waiting:
    """Parts that are acknowledged and not in the store. Thread-safe; one thread at a time takes what is due."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._parts: dict[Key, list[Part]] = defaultdict(list)
        self._due: dict[Key, list[Part]] = {}  # being shredded; each is taken out once it is stored
        self._held: dict[Key, int] = defaultdict(int)  # records of a generation that were added
        self._bytes: Counter[Signal] = Counter()
        self._rows: Counter[Signal] = Counter()
        self._added = 0

    def add(self, generation: int, parts: Sequence[Part]) -> None:
        """Number parts and take them; the caller holds ``lock``."""
        for part in parts:
            self._parts[generation, part.signal].append(self._numbered(generation, part))
            self._count([part], 1)
        self._added += len(parts)

    @property
    def added(self) -> int:
        """How many parts were added so far."""
        return self._added

    @property
    def size_bytes(self) -> int:
        """Size of what waits."""
        return self._bytes.total()

    def bytes_of(self, signal: Signal) -> int:
        """Size of what waits of a signal."""
        return self._bytes[signal]

    def rows_of(self, signal: Signal) -> int:
        """How many records of a signal wait."""
        return self._rows[signal]

    def _numbered(self, generation: int, part: Part) -> Part:
        """The part with its place in the order of arrival: by generation, and within one as its journal has them.

        So a replay after a crash numbers them alike. A record that was rejected keeps its number to itself: which ones
        are may change with a setting.
        """
        key = (generation, part.signal)
        numbered, count = part.numbered(order_of(generation) + self._held[key])
        self._held[key] += count
        return numbered

    @contextmanager
    def due(self) -> Iterator[dict[Key, list[Part]]]:
        """Lists of all that waits, from which the caller takes what is stored; the rest waits on, before what came."""
        with self.lock:
            due, self._parts = self._parts, defaultdict(list)
            self._due = due
        try:
            yield due
        finally:
            with self.lock:
                added, self._parts = self._parts, defaultdict(list, {key: parts for key, parts in due.items() if parts})
                for key, parts in added.items():
                    self._parts[key] += parts
                self._due = {}

    def stored(self, parts: Sequence[Part]) -> None:
        """Parts wait no longer."""
        with self.lock:
            self._count(parts, -1)

    def may_be_of(self, trace_ids: Collection[bytes]) -> bool:
        """Whether a record that was added before the call, and is not in the store yet, may be of one of some traces.

        False only if none is. Takes 5 us for each request that waits, where shredding takes milliseconds.
        """
        with self.lock:  # lists are copied first: those that are due get shorter meanwhile
            parts = [part for held in (*self._parts.values(), *self._due.values()) for part in list(held)]
        return any(may_be_of(part, trace_ids) for part in parts)

    def forget(self, generation: int) -> None:
        """Drop what was kept for a generation that is in segments now."""
        for signal in Signal:
            self._held.pop((generation, signal), None)

    def _count(self, parts: Sequence[Part], sign: int) -> None:
        for part in parts:
            self._bytes[part.signal] += sign * part.size_bytes
            self._rows[part.signal] += sign * part.row_count
