"""OTLP bodies to Arrow, each checked before anyone is told that it is safe.

Bodies are decoded together, because a call costs 0.3 ms whatever it holds; if one is malformed they are decoded one by
one, so that it fails alone. A large body is cut into slices first (``wire.py``), which bounds what a hostile one can
unfold to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from spanglass_server.ingest import logs
from spanglass_server.ingest.checks import Checks
from spanglass_server.ingest.otlp_schema import HANDLERS, REQUESTS
from spanglass_server.ingest.ports import Accepted, IngestError, Refusal
from spanglass_server.ingest.records import record_sets
from spanglass_server.ingest.wire import SLICE_BYTES, slices
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_REASONS_SHOWN = 5
_UNFOLDED_MAX = 128 << 20  # a decoded body may have 4 times its size and this much more; spans decode to 2 times


@dataclass(slots=True)
class Verdict:
    """What became of one body."""

    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def result(self) -> Accepted:
        """The verdict as the receiver reports it."""
        shown = sorted(self.reasons.items(), key=lambda item: -item[1])[:_REASONS_SHOWN]
        message = "; ".join(f"{count} rejected: {reason}" for reason, count in shown)
        return Accepted(self.accepted, self.rejected, message)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Some bodies of one signal, decoded and checked, not yet columns."""

    signal: Signal
    batch: Any  # pa.RecordBatch, one row a body
    keep: dict[str, NDArray[np.bool_] | None]  # by kind of record, which of them to keep; None for all
    row_count: int
    received_ns: NDArray[np.int64]  # when each body came
    records: NDArray[np.int64]  # how many each body holds, rejected ones too; 0 of one of which nothing is kept
    size_bytes: int
    first_order: NDArray[np.int64] | None = None  # arrival order of each body's first record, once it is in the journal


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What a request may hold, and how far ahead of ours a sender's clock may be."""

    max_records: int = 2_000_000
    max_future_ns: int = 24 * 3600 * 10**9


class Decoder:
    """Decodes and checks bodies; stateless but for its limits."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits

    def decode(
        self, signal: Signal, bodies: Sequence[bytes], received_ns: Sequence[int]
    ) -> list[tuple[list[Decoded], Verdict] | IngestError]:
        """For each body its checked records and verdict, or why it is refused; ``received_ns`` is when each came.

        Records of bodies decoded in one call come with the first of them that has any; the others' lists are empty.
        All of them are in the order of the bodies, so that a replay of the journal counts them alike.
        """
        results: list[tuple[list[Decoded], Verdict] | IngestError | None] = [None] * len(bodies)
        for is_small, run in groupby(range(len(bodies)), lambda i: len(bodies[i]) <= SLICE_BYTES):
            if is_small:
                self._small(signal, bodies, list(run), received_ns, results)
            else:
                for i in run:
                    results[i] = self._sliced(signal, bodies[i], received_ns[i])
        return [result for result in results if result is not None]

    def _small(
        self,
        signal: Signal,
        bodies: Sequence[bytes],
        indexes: list[int],
        received_ns: Sequence[int],
        results: list[tuple[list[Decoded], Verdict] | IngestError | None],
    ) -> None:
        try:
            batch = HANDLERS[signal].list_to_record_batch([bodies[i] for i in indexes])
        except ValueError:
            for i in indexes:
                results[i] = self._alone(signal, bodies[i], received_ns[i])
        else:
            self._together(signal, batch, bodies, indexes, received_ns, results)

    def _together(
        self,
        signal: Signal,
        batch: Any,
        bodies: Sequence[bytes],
        indexes: list[int],
        received_ns: Sequence[int],
        results: list[tuple[list[Decoded], Verdict] | IngestError | None],
    ) -> None:
        size = sum(len(bodies[i]) for i in indexes)
        received = np.array([received_ns[i] for i in indexes], np.int64)
        decoded, verdicts = _check(signal, batch, received, self._limits.max_future_ns, size)
        waiting = [decoded]  # for the first body that has records: the others are not journaled
        for i, verdict in zip(indexes, verdicts, strict=True):
            results[i] = (waiting if verdict.accepted else [], verdict)
            if verdict.accepted:
                waiting = []

    def _alone(self, signal: Signal, body: bytes, received_ns: int) -> tuple[list[Decoded], Verdict] | IngestError:
        try:
            batch = HANDLERS[signal].list_to_record_batch([body])
        except ValueError as error:
            return _malformed(signal, error)
        received = np.array([received_ns], np.int64)
        decoded, verdicts = _check(signal, batch, received, self._limits.max_future_ns, len(body))
        return ([decoded] if decoded.row_count else [], verdicts[0])

    def _sliced(self, signal: Signal, body: bytes, received_ns: int) -> tuple[list[Decoded], Verdict] | IngestError:
        parts: list[Decoded] = []
        total = Verdict()
        room = _UNFOLDED_MAX + 4 * len(body)
        try:
            for part in slices(body, REQUESTS[signal], self._limits.max_records):
                result = self._alone(signal, part, received_ns)
                if isinstance(result, IngestError):
                    return result
                parts += result[0]
                room = _spend(room, result[0])
                total.accepted += result[1].accepted
                total.rejected += result[1].rejected
                for reason, count in result[1].reasons.items():
                    total.reasons[reason] = total.reasons.get(reason, 0) + count
        except ValueError as error:
            return _malformed(signal, error)
        except OverflowError as error:
            return IngestError(Refusal.TOO_LARGE, str(error))
        return parts, total


def are_undated(parts: Sequence[Decoded]) -> bool:
    """Whether a body, given its parts, has log records only that say neither when they were nor when they were seen."""
    return bool(parts) and all(
        part.signal is Signal.LOGS and logs.are_undated(logs.open_logs(part.batch)) for part in parts
    )


def _spend(room: int, parts: list[Decoded]) -> int:
    """What is left of the bytes that a body may become; ``OverflowError`` past them."""
    left = room - sum(int(decoded.batch.nbytes) for decoded in parts)
    if left < 0:
        raise OverflowError("the request unfolds to too many small messages: send smaller batches")
    return left


def _malformed(signal: Signal, error: ValueError) -> IngestError:
    return IngestError(Refusal.MALFORMED, f"the body is not an OTLP export request for {signal}: {error}")


def _check(
    signal: Signal, batch: Any, received_ns: NDArray[np.int64], max_future_ns: int, size_bytes: int
) -> tuple[Decoded, list[Verdict]]:
    """Check all records of a batch, and count for each body what is kept and what is not."""
    verdicts = [Verdict() for _ in range(batch.num_rows)]
    keep: dict[str, NDArray[np.bool_] | None] = {}
    for records in record_sets(signal, batch):
        checks = Checks(np.ones(records.count, bool), (received_ns + max_future_ns)[records.request_of])
        records.check(checks)
        _count(verdicts, records.request_of, checks)
        keep[records.kind] = None if checks.keep.all() else checks.keep
    rows = sum(verdict.accepted for verdict in verdicts)
    # an empty attribute takes 2 bytes on the wire and 52 here; those of real spans take twice their size
    held = np.array([v.accepted + v.rejected if v.accepted else 0 for v in verdicts], np.int64)
    return Decoded(signal, batch, keep, rows, received_ns, held, max(size_bytes, batch.nbytes // 2)), verdicts


def _count(verdicts: list[Verdict], request_of: NDArray[np.int64], checks: Checks) -> None:
    kept = np.bincount(request_of[checks.keep], minlength=len(verdicts))
    for verdict, count in zip(verdicts, kept, strict=True):
        verdict.accepted += int(count)
    for reason, bad in checks.reasons.items():
        for request, count in zip(*np.unique(request_of[bad], return_counts=True), strict=True):
            verdict = verdicts[int(request)]
            verdict.rejected += int(count)
            verdict.reasons[reason] = verdict.reasons.get(reason, 0) + int(count)
