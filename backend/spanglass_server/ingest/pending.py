"""Records that are acknowledged and not yet columns: shredded together when there are enough, or at once for a query.

Shredding costs 5 ms a call whatever it holds. So a few records wait for more, unless somebody asks: ten requests a
second of ten spans, shredded five times a second, spent two thirds of their processor time on that.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredCounts, ShredLimits
from spanglass_server.ingest.decoding.checked import Checked, decoded_together, one_by_one, take_together
from spanglass_server.ingest.decoding.trace_ids import may_be_of
from spanglass_server.ingest.prometheus.families import Families
from spanglass_server.ingest.shred import shred
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal
from spanglass_server.store.contents import Chunk, order_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from spanglass_server.ingest.decoding.decode import Decoded
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.store import Store

    #: Bodies of requests on their way.
    Part = Decoded | Checked

_LOG = logging.getLogger(__name__)

#: Shredded together at most: 1.1 kB a span while decoded.
_BATCH_BYTES = 8 << 20
#: From so many bytes on, about a thousand spans, records wait for ``_SOON_S`` at most: a query has little left to do.
_SOON_BYTES = 1 << 20
_SOON_S = 0.2
_LATEST_S = 8.0  # the longest that fewer wait: 80 requests of 10 spans take 0.2 ms each, 40 take 0.35
_MEMORY_FAILURES_MAX = 5  # in a row with one part alone: then it is the part that asks for too much
_LOOK_EVERY_S = 0.05  # for a stop, while another thread shreds


class Pending:
    """The records waiting to be shredded into the store's memory, by generation and signal. Thread-safe.

    ``derive`` is given every table of columns, in the order of arrival, by one thread at a time; it returns the
    occurrences of exceptions that belong to the same generation, or None, and raises only ``MemoryError``. ``undo`` is
    called when the last table and its occurrences could not be stored; its records come again.
    """

    def __init__(
        self,
        store: Store,
        limits: ShredLimits,
        telemetry: Telemetry,
        derive: Callable[[Signal, Any], Any | None] = lambda _signal, _table: None,
        undo: Callable[[], None] = lambda: None,
        families: Families | None = None,
    ) -> None:
        self._store = store
        self._derive = derive
        self._undo = undo
        self._limits = limits
        self._families = families or Families()
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closing = False
        self._shredding = threading.Lock()
        self._waiting: dict[tuple[int, Signal], list[Part]] = defaultdict(list)
        self._due: dict[tuple[int, Signal], list[Part]] = {}  # being shredded; each is taken out once it is stored
        self._budgets: dict[tuple[int, Signal], ColumnBudget] = {}
        self._held: dict[tuple[int, Signal], int] = defaultdict(int)  # records of a generation that were added
        self._memory_failures = 0
        self._bytes: Counter[Signal] = Counter()
        self._rows: Counter[Signal] = Counter()
        self.damaged: set[int] = set()  # generations of which some records could not be shredded

    def add(self, generation: int, decoded: Sequence[Part]) -> None:
        """Take records whose requests are in the journal."""
        with self._changed:
            before = self.size_bytes
            for part in decoded:
                self._waiting[generation, part.signal].append(self._numbered(generation, part))
                self._count([part])
            if not before or before < _SOON_BYTES <= self.size_bytes:
                self._changed.notify_all()

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

    def step(self) -> bool:
        """Wait until something has to be shredded, and do it; False once ``close`` was called. For one thread."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self.size_bytes)
            self._changed.wait_for(lambda: self._closing or self.size_bytes >= _SOON_BYTES, _LATEST_S - _SOON_S)
            self._changed.wait_for(lambda: self._closing, _SOON_S)
            if self._closing:
                return False
        self.settle()
        return True

    def close(self) -> None:
        """Have ``step`` return False; what waits is left to the last flush."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _numbered(self, generation: int, part: Part) -> Part:
        """The part with its place in the order of arrival: by generation, and within one as its journal has them.

        So a replay after a crash numbers them alike. A record that was rejected keeps its number to itself: which ones
        are may change with a setting.
        """
        key = (generation, part.signal)
        ends = np.cumsum(part.records) + self._held[key]
        self._held[key] = int(ends[-1])
        return replace(part, first_order=order_of(generation) + ends - part.records)

    def settle(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Shred everything that was added before the call, and no more: it ends while others add.

        Returns early once ``stopped`` returns True. Raises ``MemoryError``; what is left then waits for the next call.
        """
        while not self._shredding.acquire(timeout=_LOOK_EVERY_S):
            if stopped():
                return
        try:
            self._shred_waiting(stopped)
        finally:
            self._shredding.release()

    def _shred_waiting(self, stopped: Callable[[], bool]) -> None:
        with self._lock:
            due, self._waiting = self._waiting, defaultdict(list)
            self._due = due
        try:
            for key, parts in due.items():
                if not self._shred_all(key, parts, stopped):
                    break
        finally:
            with self._lock:  # what is left comes before what was added meanwhile
                added, self._waiting = self._waiting, defaultdict(list, {k: parts for k, parts in due.items() if parts})
                for key, parts in added.items():
                    self._waiting[key] += parts
                self._due = {}

    def may_be_of(self, trace_ids: Collection[bytes]) -> bool:
        """Whether a record that was added before the call, and is not in the store yet, may be of one of some traces.

        False only if none is. Takes 5 us for each request that waits, where shredding takes milliseconds.
        """
        with self._lock:  # lists are copied first: those that are due get shorter meanwhile
            parts = [part for held in (*self._waiting.values(), *self._due.values()) for part in list(held)]
        return any(may_be_of(part, trace_ids) for part in parts)

    def forget(self, generation: int) -> None:
        """Drop what was kept for a generation that is in segments now."""
        self.damaged.discard(generation)
        for signal in Signal:
            self._budgets.pop((generation, signal), None)
            self._held.pop((generation, signal), None)

    def _shred_all(self, key: tuple[int, Signal], parts: list[Part], stopped: Callable[[], bool]) -> bool:
        """Shred parts in batches, and take them from the list as they are done; False if it was stopped."""
        alone = 0  # how many are shredded one by one, because they failed together
        while parts:
            if stopped():
                return False
            if alone:
                parts[:1] = each = one_by_one(parts[0])
                alone += len(each) - 1
            batch = parts[:1] if alone else _batch(parts)
            if self._shred(key, batch):
                del parts[: len(batch)]
                alone = max(0, alone - 1)
            else:
                alone = len(batch)
        return True

    def _shred(self, key: tuple[int, Signal], parts: Sequence[Part]) -> bool:
        """Shred parts together; False if that fails and they are several, of which one alone may be at fault."""
        generation, signal = key
        try:
            decoded = self._decoded(generation, signal, parts)
            if decoded:
                self._shred_together(generation, signal, decoded)
        except Exception as error:  # one bad record may not stop the others
            if len(parts) > 1 or len(one_by_one(parts[0])) > 1:
                return False
            if isinstance(error, MemoryError) and self._memory_failures < _MEMORY_FAILURES_MAX:
                self._memory_failures += 1
                raise
            _LOG.exception("%d %s can't be shredded; they stay in the journal's file", parts[0].row_count, signal)
            self.damaged.add(generation)
        self._memory_failures = 0
        with self._lock:
            self._count(parts, -1)
        return True

    def _count(self, parts: Sequence[Part], sign: int = 1) -> None:
        for part in parts:
            self._bytes[part.signal] += sign * part.size_bytes
            self._rows[part.signal] += sign * part.row_count

    def _decoded(self, generation: int, signal: Signal, parts: Sequence[Part]) -> list[Decoded]:
        """The parts in their order; those that were only checked are decoded, together where they stand together."""
        decoded: list[Decoded] = []
        place = 0
        while place < len(parts):
            part, checked = parts[place], take_together(parts, place)
            if isinstance(part, Checked):
                with self._telemetry.timed(own.DECODE_SECONDS, signal):
                    found, whole = decoded_together(checked)
                decoded += found
                if not whole:
                    self.damaged.add(generation)
            else:
                decoded.append(part)
            place += max(1, len(checked))
        return decoded

    def _shred_together(self, generation: int, signal: Signal, parts: list[Decoded]) -> None:
        budget = self._budgets.setdefault((generation, signal), ColumnBudget(self._limits.max_columns))
        with self._telemetry.timed(own.SHRED_SECONDS, signal):
            table, counts = shred(parts, budget, self._limits, self._families)
        try:
            self._store.append(self._chunks(generation, signal, table, parts))
        except BaseException:  # nothing was added, and what is tried again must not seem known
            self._undo()
            raise
        self._note(signal, counts)

    def _chunks(self, generation: int, signal: Signal, table: Any, parts: list[Decoded]) -> dict[Signal, Chunk]:
        arrived_ns = max(int(p.received_ns.max()) for p in parts)
        chunks = {signal: Chunk.of(generation, signal, table, arrived_ns)}
        occurrences = self._derive(signal, table)
        if occurrences is not None:
            chunks[Signal.OCCURRENCES] = Chunk.of(generation, Signal.OCCURRENCES, occurrences, arrived_ns)
        return chunks

    def _note(self, signal: Signal, counts: ShredCounts) -> None:
        if counts.overflowed:
            self._telemetry.add(own.OVERFLOWED_ATTRIBUTES, counts.overflowed, signal)
        if counts.cut:
            self._telemetry.add(own.CUT_VALUES, counts.cut, signal)
        if counts.dropped:
            _LOG.warning("%d overflowed attributes of %s were too many to keep", counts.dropped, signal)


def _batch(parts: list[Part]) -> list[Part]:
    """The first parts, of one form, as many as are shredded together."""
    size = taken = 0
    while taken < len(parts) and size < _BATCH_BYTES and parts[taken].form is parts[0].form:
        size += parts[taken].size_bytes
        taken += 1
    return parts[:taken]
