"""Records that are acknowledged and not yet columns: shredded in batches in the background, or at once for a query.

Shredding costs 4 ms a call whatever it holds, so records of many requests are shredded together.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from spanglass_server.ingest.attributes import ColumnBudget, ShredLimits
from spanglass_server.ingest.shred import shred
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal
from spanglass_server.store.contents import Chunk, order_of

if TYPE_CHECKING:
    from spanglass_server.ingest.decode import Decoded
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.contents import Contents

_LOG = logging.getLogger(__name__)

#: Shredded together at most: 1.1 kB a span while decoded.
_BATCH_BYTES = 8 << 20


class Pending:
    """The records waiting to be shredded into the contents, by generation and signal. Thread-safe."""

    def __init__(self, contents: Contents, limits: ShredLimits, telemetry: Telemetry) -> None:
        self._contents = contents
        self._limits = limits
        self._telemetry = telemetry
        self._lock = threading.Lock()
        self._shredding = threading.Lock()
        self._waiting: dict[tuple[int, Signal], list[Decoded]] = defaultdict(list)
        self._budgets: dict[tuple[int, Signal], ColumnBudget] = {}
        self._held: dict[tuple[int, Signal], int] = defaultdict(int)  # records of a generation that were added
        self.bytes = 0
        self.damaged: set[int] = set()  # generations of which some records could not be shredded

    def add(self, generation: int, decoded: list[Decoded]) -> None:
        """Take records whose requests are in the journal."""
        with self._lock:
            for part in decoded:
                self._waiting[generation, part.signal].append(self._numbered(generation, part))
                self.bytes += part.size_bytes

    def _numbered(self, generation: int, part: Decoded) -> Decoded:
        """The part with its place in the order of arrival: by generation, and within one as its journal has them.

        So a replay after a crash numbers them alike. A record that was rejected keeps its number to itself: which ones
        are may change with a setting.
        """
        key = (generation, part.signal)
        ends = np.cumsum(part.records) + self._held[key]
        self._held[key] = int(ends[-1])
        return replace(part, first_order=order_of(generation) + ends - part.records)

    def settle(self) -> None:
        """Shred everything that was added before the call."""
        with self._shredding:
            while (batch := self._next()) is not None:
                key, parts = batch
                self._shred(key, parts)

    def forget(self, generation: int) -> None:
        """Drop what was kept for a generation that is in segments now."""
        for signal in Signal:
            self._budgets.pop((generation, signal), None)
            self._held.pop((generation, signal), None)

    def _next(self) -> tuple[tuple[int, Signal], list[Decoded]] | None:
        with self._lock:
            if not self._waiting:
                return None
            key, parts = next(iter(self._waiting.items()))
            size = taken = 0
            while taken < len(parts) and size < _BATCH_BYTES:
                size += parts[taken].size_bytes
                taken += 1
            if taken == len(parts):
                del self._waiting[key]
            else:
                self._waiting[key] = parts[taken:]
            return key, parts[:taken]

    def _shred(self, key: tuple[int, Signal], parts: list[Decoded]) -> None:
        """Shred parts together, or one by one if that fails, so that one alone is left out."""
        generation, signal = key
        try:
            self._shred_together(generation, signal, parts)
        except Exception:  # noqa: BLE001 - one bad record may not stop the others
            if len(parts) > 1:
                for part in parts:
                    self._shred(key, [part])
                return
            _LOG.exception("%d %s can't be shredded; they stay in the journal's file", parts[0].row_count, signal)
            self.damaged.add(generation)
        with self._lock:
            self.bytes -= sum(part.size_bytes for part in parts)

    def _shred_together(self, generation: int, signal: Signal, parts: list[Decoded]) -> None:
        budget = self._budgets.setdefault((generation, signal), ColumnBudget(self._limits.max_columns))
        with self._telemetry.timed(own.SHRED_SECONDS, signal):
            table, counts = shred(parts, budget, self._limits)
        self._contents.append(signal, Chunk.of(generation, signal, table, max(int(p.received_ns.max()) for p in parts)))
        if counts.overflowed:
            self._telemetry.add(own.OVERFLOWED_ATTRIBUTES, counts.overflowed, signal)
        if counts.cut:
            self._telemetry.add(own.CUT_VALUES, counts.cut, signal)
        if counts.dropped:
            _LOG.warning("%d overflowed attributes of %s were too many to keep", counts.dropped, signal)
