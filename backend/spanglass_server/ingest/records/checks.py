"""Which records of a request can't be stored: found for all at once, counted per request, and said in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.ingest.columnar import Flat, byte_lengths, take_or_null

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: 2200-01-01, past which DuckDB's nanosecond timestamps and most clocks' sense end.
LATEST_NS = 7_258_118_400_000_000_000

#: How long ids are.
TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8


@dataclass(slots=True)
class Checks:
    """The verdict on some records: ``keep`` is False for those rejected; each is counted under its first reason."""

    keep: NDArray[np.bool_]
    latest_ns: NDArray[np.int64]  # for each record, when it came plus how far ahead a sender's clock may be
    reasons: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def reject(self, bad: NDArray[np.bool_], reason: str) -> None:
        """Reject the records marked in ``bad``."""
        if not bad.any():
            return
        fresh = bad & self.keep
        if fresh.any():
            known = self.reasons.get(reason)
            self.reasons[reason] = fresh if known is None else known | fresh
            self.keep = self.keep & ~fresh

    def reject_unstorable(self, times_ns: NDArray[np.uint64], name: str) -> None:
        """Reject times past the year 2199 (OTLP's times are unsigned, so none is before 1970)."""
        self.reject(times_ns >= np.uint64(LATEST_NS), f"{name} is past the year 2199")

    def reject_future(self, times_ns: NDArray[np.uint64], name: str) -> None:
        """Reject times that lie further in the future than a sender's clock may be ahead."""
        self.reject_unstorable(times_ns, name)
        self.reject(
            times_ns > self.latest_ns.astype(np.uint64),
            f"{name} is further in the future than the setting ingest.max_future allows: check the sender's clock",
        )

    def reject_items(self, items: Flat, times_ns: NDArray[np.uint64], name: str) -> None:
        """Reject records one of whose items has a time that can't be stored."""
        bad = times_ns >= np.uint64(LATEST_NS)
        if bad.any():
            rows = np.zeros(len(self.keep), bool)
            rows[items.parents[bad]] = True
            self.reject(rows, f"{name} is past the year 2199")


def are_whole_ids(ids: Any, length: int) -> bool:
    """Whether all ids have this length, a multiple of 8, and none is all zeros."""
    if (byte_lengths(ids) != length).any():
        return False
    first = int.from_bytes(ids.buffers()[1][4 * ids.offset : 4 * ids.offset + 4].to_pybytes(), "little")
    words = np.frombuffer(ids.buffers()[2], np.uint64, count=len(ids) * length // 8, offset=first)
    return bool(words.reshape(len(ids), -1).any(axis=1).all())


def id_lengths(ids: Any) -> NDArray[np.int64]:
    """Length in bytes of each id."""
    return byte_lengths(ids)


def is_zero_id(ids: Any) -> NDArray[np.bool_]:
    """Whether an id has bytes and all of them are zero."""
    lengths = byte_lengths(ids)
    if not len(lengths):
        return np.zeros(0, bool)
    buffer = np.frombuffer(ids.buffers()[2], np.uint8) if ids.buffers()[2] is not None else np.zeros(0, np.uint8)
    offsets = np.frombuffer(ids.buffers()[1], np.int32, count=len(ids) + 1, offset=4 * ids.offset)
    if lengths.all():  # as nearly always
        return np.equal(np.bitwise_or.reduceat(buffer[: offsets[-1]], offsets[:-1]), 0)
    present = np.flatnonzero(lengths)
    zero = np.zeros(len(lengths), bool)
    if len(present):
        # reduceat over the bytes of the ids that have any: an empty one between two would take its neighbour's byte
        zero[present] = np.bitwise_or.reduceat(buffer[: offsets[-1]], offsets[:-1][present]) == 0
    return zero


def valid_id(ids: Any, length: int) -> Any:
    """An id of the wrong length or of zeros counts as absent (logs.proto, trace_id)."""
    bad = (id_lengths(ids) != length) | is_zero_id(ids)
    if not bad.any():
        return ids
    return take_or_null(ids, np.where(bad, -1, np.arange(len(bad))))
