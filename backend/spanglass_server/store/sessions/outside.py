"""Which of some traces have spans outside of a stretch of time, so that what lies in it does not say all about them.

Segments and chunks that reach into the stretch have most of the traces: their ids are read. Of other segments the
filters tell, which take one of some hundred traces to be there that is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.signals import TIME_COLUMN, Signal
from spanglass_server.store.batches.traces import taken, with_one_of
from spanglass_server.store.ports import LargeColumnsError, Window
from spanglass_server.store.segment_files.segments import Segment
from spanglass_server.store.segment_files.trace_filter import Probes, TraceFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from spanglass_server.store.batches.reading import Batch
    from spanglass_server.store.contents import Chunk

_TIME = TIME_COLUMN[Signal.SPANS]


@dataclass(frozen=True, slots=True)
class Outside:
    """What begins in ``around``, but not in ``near``; ``read`` gives the batches of a part that meet some windows."""

    near: Window
    around: Window
    read: Callable[[Segment | Chunk, Sequence[Window]], Iterable[Batch]]

    def of(self, trace_ids: Collection[bytes], parts: Iterable[Segment | Chunk]) -> set[bytes]:
        """Those of some traces, with ids of 16 bytes, that may have spans there."""
        ids = pa.array(list(trace_ids), pa.binary())
        probes = Probes(TraceFilter.hashes(ids))
        found = np.zeros(len(ids), bool)
        for part in parts:
            if self.near.start_ns <= part.min_time_ns and part.max_time_ns < self.near.end_ns:
                continue
            is_outside = self._read(part, ids)
            found |= self._told(part, probes) if is_outside is None else is_outside
        return set(ids.filter(pa.array(found)).to_pylist())

    def _told(self, part: Segment | Chunk, probes: Probes) -> NDArray[np.bool_]:
        """Which traces the filter of a segment takes to have begun spans there."""
        if not isinstance(part, Segment) or part.trace_filter is None:
            return np.zeros(len(probes.hashes), bool)
        return part.trace_filter.begun_outside(probes, (part.min_time_ns, part.max_time_ns), self.near, self.around)

    def _read(self, part: Segment | Chunk, ids: pa.Array) -> NDArray[np.bool_] | None:
        """Which traces have begun spans there; None for a segment that is away, or has ids that are too large."""
        is_away = part.max_time_ns < self.near.start_ns or part.min_time_ns >= self.near.end_ns
        if isinstance(part, Segment) and is_away:
            return None
        sides = Window(self.around.start_ns, self.near.start_ns), Window(self.near.end_ns, self.around.end_ns)
        try:
            found = pa.chunked_array([self._begun(batch, ids, sides) for batch in self.read(part, sides)], pa.binary())
        except LargeColumnsError:
            return None
        is_one: NDArray[np.bool_] = pc.is_in(ids, value_set=found).to_numpy(zero_copy_only=False)
        return is_one

    def _begun(self, batch: Batch, ids: pa.Array, sides: Sequence[Window]) -> pa.Array:
        """The traces of a batch that have."""
        places = with_one_of(batch, "trace_id", ids)
        if not len(places):
            return pa.nulls(0, pa.binary())
        starts_ns = taken(batch, places, (_TIME,))[_TIME].to_numpy(zero_copy_only=False)
        is_there = np.any([(starts_ns >= side.start_ns) & (starts_ns < side.end_ns) for side in sides], axis=0)
        return pc.cast(taken(batch, places[is_there], ("trace_id",))["trace_id"], pa.binary())
