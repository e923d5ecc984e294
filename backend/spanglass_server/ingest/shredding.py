"""Parts that wait become columns in the store's memory, with the occurrences of exceptions that they tell of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from spanglass_server.ingest.attributes.limits import ColumnBudget, ShredCounts, ShredLimits
from spanglass_server.ingest.decoding.checked import Checked, decoded_together, take_together
from spanglass_server.ingest.prometheus.families import Families
from spanglass_server.ingest.shred import shred
from spanglass_server.self_metrics import registry as own
from spanglass_server.signals import Signal
from spanglass_server.store.contents import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spanglass_server.ingest.decoding.decode import Decoded
    from spanglass_server.ingest.waiting import Part
    from spanglass_server.self_metrics.registry import Telemetry
    from spanglass_server.store.store import Store

_LOG = logging.getLogger(__name__)


class Shredding:
    """Makes columns of parts, by one thread at a time.

    ``derive`` is given every table of columns, in the order of arrival; it returns the occurrences of exceptions that
    belong to the same generation, or None, and raises only ``MemoryError``. ``undo`` is called when the last table and
    its occurrences could not be stored; its records come again.
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
        self._limits = limits
        self._telemetry = telemetry
        self._derive = derive
        self._undo = undo
        self._families = families or Families()
        self._budgets: dict[tuple[int, Signal], ColumnBudget] = {}
        self.damaged: set[int] = set()  # generations of which some records could not be shredded

    def store(self, generation: int, signal: Signal, parts: Sequence[Part]) -> None:
        """Put the records of some parts into the store's memory; whatever it raises, none of them is there."""
        decoded = self._decoded(generation, signal, parts)
        if decoded:
            self._shred_together(generation, signal, decoded)

    def forget(self, generation: int) -> None:
        """Drop what was kept for a generation that is in segments now."""
        self.damaged.discard(generation)
        for signal in Signal:
            self._budgets.pop((generation, signal), None)

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
