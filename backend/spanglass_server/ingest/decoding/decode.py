"""Bodies of requests to Arrow, each checked before anyone is told that it is safe.

Bodies are decoded together, because a call costs 0.3 ms whatever it holds; if one is malformed they are decoded one by
one, so that it fails alone. A large body is cut into slices first (``wire.py``), which bounds what a hostile one can
unfold to. A few small ones are only checked, and decoded later with more of them (``checked.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import DecodeError

from spanglass_server.ingest.columnar import flatten
from spanglass_server.ingest.decoding import forms
from spanglass_server.ingest.decoding.checked import Checked
from spanglass_server.ingest.ports import Accepted, Form, IngestError, Refusal
from spanglass_server.ingest.prometheus.families import Families, told_families
from spanglass_server.ingest.protobuf import otlp_schema
from spanglass_server.ingest.protobuf.wire import SLICE_BYTES, slices
from spanglass_server.ingest.records import logs
from spanglass_server.ingest.records.checks import Checks
from spanglass_server.ingest.records.plain import PLAIN
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from spanglass_server.ingest.columnar import Flat
    from spanglass_server.ingest.records.record_set import RecordSet

#: Up to so many bytes in one call, bodies are only checked: with more, decoding at once costs less than both.
_CHECK_ONLY_BYTES = 128 << 10
#: Or up to so many for each body, where they are many: a call to decode 20 to 40 requests of ten spans takes 4.3 ms,
#: and checking them 1 to 1.7, which is what their senders wait for.
_CHECK_ONLY_BYTES_EACH = 8 << 10
_REASONS_SHOWN = 5
_UNFOLDED_MAX = 128 << 20  # a decoded body may have 4 times its size and this much more; spans decode to 2 times


#: How many records were taken, and rejected: most senders send alike, and a frozen dataclass takes 2 us to make.
_accepted = lru_cache(1024)(Accepted)


@dataclass(slots=True)
class Verdict:
    """What became of one body."""

    accepted: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)  # what is kept, by kind of record

    def add(self, other: Verdict) -> None:
        """Add what became of another part of the body."""
        self.accepted += other.accepted
        self.rejected += other.rejected
        for mine, others in ((self.reasons, other.reasons), (self.kinds, other.kinds)):
            for name, count in others.items():
                mine[name] = mine.get(name, 0) + count

    @property
    def held(self) -> int:
        """The records that are counted in the order of arrival: all, or none where nothing is kept."""
        return self.accepted + self.rejected if self.accepted else 0

    def result(self, form: Form = Form.OTLP) -> Accepted:
        """The verdict as the receiver reports it."""
        if not self.reasons and form is Form.OTLP:
            return _accepted(self.accepted, self.rejected)
        shown = sorted(self.reasons.items(), key=lambda item: -item[1])[:_REASONS_SHOWN]
        message = "; ".join(f"{count} rejected: {reason}" for reason, count in shown)
        return Accepted(self.accepted, self.rejected, message, kinds={} if form is Form.OTLP else self.kinds)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Some bodies of one signal and form, decoded and checked, not yet columns."""

    signal: Signal
    unfolded: forms.Unfolded
    keep: dict[str, NDArray[np.bool_] | None]  # by kind of record, which of them to keep; None for all
    row_count: int
    received_ns: NDArray[np.int64]  # when each body came
    records: NDArray[np.int64]  # how many each body holds, rejected ones too; 0 of one of which nothing is kept
    size_bytes: int
    form: Form = Form.OTLP
    first_order: NDArray[np.int64] | None = None  # arrival order of each body's first record, once it is in the journal

    @property
    def batch(self) -> Any:
        """A ``pa.RecordBatch``, one row a body."""
        return self.unfolded.batch

    def numbered(self, first: int) -> tuple[Decoded, int]:
        """The same with the places of its records in the order of arrival, from ``first`` on; how many these are."""
        ends = np.cumsum(self.records)
        return replace(self, first_order=first + ends - self.records), int(ends[-1])


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What a request may hold, and how far ahead of ours a sender's clock may be."""

    max_records: int = 2_000_000
    max_future_ns: int = 24 * 3600 * 10**9


@dataclass(frozen=True, slots=True)
class _Bodies:
    """Bodies of one signal and form, and when each came."""

    signal: Signal
    form: Form
    contents: Sequence[bytes]
    received_ns: Sequence[int]

    def take(self, indexes: Sequence[int]) -> _Bodies:
        return _Bodies(
            self.signal, self.form, [self.contents[i] for i in indexes], [self.received_ns[i] for i in indexes]
        )

    def malformed(self, error: ValueError) -> IngestError:
        return IngestError(Refusal.MALFORMED, f"the body is not {forms.name(self.form, self.signal)}: {error}")


class Decoder:
    """Decodes and checks bodies. ``families`` learns what remote write tells of metric families."""

    def __init__(self, limits: DecodeLimits, families: Families | None = None) -> None:
        self._limits = limits
        self._families = families or Families()

    def check(
        self, signal: Signal, bodies: Sequence[bytes], received_ns: Sequence[int], form: Form = Form.OTLP
    ) -> Sequence[tuple[Sequence[Decoded | Checked], Verdict] | IngestError]:
        """What ``decode`` returns, of records that are known to be whole; a few small bodies are not decoded yet."""
        most_bytes = max(_CHECK_ONLY_BYTES, _CHECK_ONLY_BYTES_EACH * len(bodies))
        if form is Form.OTLP and sum(map(len, bodies)) <= min(most_bytes, SLICE_BYTES):
            results = self._only_check(_Bodies(signal, form, bodies, received_ns))
            if results is not None:
                return results
        return self.decode(signal, bodies, received_ns, form)

    def _only_check(self, bodies: _Bodies) -> list[tuple[list[Checked], Verdict] | IngestError] | None:
        """Check bodies; None if one may be malformed: then decoding says which one, and why."""
        parse = otlp_schema.MESSAGES[bodies.signal].FromString
        try:
            for body in bodies.contents:
                parse(body)
            verdicts = self._verdicts(bodies)
        except (DecodeError, ValueError):
            return None
        passed = [place for place, verdict in enumerate(verdicts) if verdict.accepted]
        if len(passed) == len(verdicts):
            taken, kept = bodies, verdicts
        else:
            taken, kept = bodies.take(passed), [verdicts[place] for place in passed]
        waiting = [self._checked(taken, kept)] if passed else []
        return [(waiting if place in passed[:1] else [], verdict) for place, verdict in enumerate(verdicts)]

    def _verdicts(self, bodies: _Bodies) -> list[Verdict]:
        """What becomes of each readable body; at once where nothing is wrong with any."""
        plain, latest_ns = PLAIN.get(bodies.signal), min(bodies.received_ns) + self._limits.max_future_ns
        counts = None if plain is None else plain.counts(bodies.contents, latest_ns)
        if counts is not None:
            return [Verdict(count) for count in counts]
        batch = otlp_schema.record_batch(otlp_schema.CHECK_HANDLERS[bodies.signal], bodies.contents)
        return self._judged(bodies, batch)[1]

    def _checked(self, bodies: _Bodies, verdicts: Sequence[Verdict]) -> Checked:
        return Checked(
            bodies.signal,
            tuple(bodies.contents),
            tuple(verdict.accepted for verdict in verdicts),
            tuple(bodies.received_ns),
            tuple(verdict.held for verdict in verdicts),
            sum(map(len, bodies.contents)),
            self,
        )

    def decode(
        self, signal: Signal, bodies: Sequence[bytes], received_ns: Sequence[int], form: Form = Form.OTLP
    ) -> list[tuple[list[Decoded], Verdict] | IngestError]:
        """For each body its checked records and verdict, or why it is refused; ``received_ns`` is when each came.

        Records of bodies decoded in one call come with the first of them that has any; the others' lists are empty.
        All of them are in the order of the bodies, so that a replay of the journal counts them alike.
        """
        given = _Bodies(signal, form, bodies, received_ns)
        results: list[tuple[list[Decoded], Verdict] | IngestError] = []
        for is_small, run in groupby(range(len(bodies)), lambda i: len(bodies[i]) <= SLICE_BYTES):
            some = given.take(list(run))
            results += self._small(some) if is_small else map(self._sliced, _each(some))
        return results

    def _small(self, bodies: _Bodies) -> list[tuple[list[Decoded], Verdict] | IngestError]:
        try:
            unfolded = forms.decoded(bodies.form, bodies.signal, bodies.contents)
        except ValueError:
            return [self._alone(body) for body in _each(bodies)]
        decoded, verdicts = self._check(bodies, unfolded)
        results: list[tuple[list[Decoded], Verdict] | IngestError] = []
        waiting = [decoded]  # for the first body that has records: the others are not journaled
        for verdict in verdicts:
            results.append((waiting if verdict.accepted else [], verdict))
            if verdict.accepted:
                waiting = []
        return results

    def _alone(self, body: _Bodies) -> tuple[list[Decoded], Verdict] | IngestError:
        try:
            unfolded = forms.decoded(body.form, body.signal, body.contents)
        except ValueError as error:
            return body.malformed(error)
        decoded, verdicts = self._check(body, unfolded)
        return ([decoded] if decoded.row_count else [], verdicts[0])

    def _sliced(self, body: _Bodies) -> tuple[list[Decoded], Verdict] | IngestError:
        parts: list[Decoded] = []
        total = Verdict()
        (content,) = body.contents
        room = _UNFOLDED_MAX + 4 * len(content)
        request, levels = forms.cutting(body.form, body.signal)
        try:
            for part in slices(content, request, self._limits.max_records, levels):
                result = self._alone(replace(body, contents=[part]))
                if isinstance(result, IngestError):
                    return result
                parts += result[0]
                room = _spend(room, result[0])
                total.add(result[1])
        except ValueError as error:
            return body.malformed(error)
        except OverflowError as error:
            return IngestError(Refusal.TOO_LARGE, str(error))
        return parts, total

    def _check(self, bodies: _Bodies, unfolded: forms.Unfolded) -> tuple[Decoded, list[Verdict]]:
        keep, verdicts = self._judged(bodies, unfolded.batch)
        rows = sum(verdict.accepted for verdict in verdicts)
        received_ns = np.array(bodies.received_ns, np.int64)
        held = np.array([verdict.held for verdict in verdicts], np.int64)
        # an empty attribute takes 2 bytes on the wire and 52 here; those of real spans take twice their size
        size = max(sum(map(len, bodies.contents)), unfolded.size_bytes // 2)
        return Decoded(bodies.signal, unfolded, keep, rows, received_ns, held, size, bodies.form), verdicts

    def _judged(self, bodies: _Bodies, batch: Any) -> tuple[dict[str, NDArray[np.bool_] | None], list[Verdict]]:
        """Check all records of a batch, and count for each body what is kept and what is not."""
        received_ns = np.array(bodies.received_ns, np.int64)
        latest_ns = received_ns + self._limits.max_future_ns
        verdicts = [Verdict() for _ in range(batch.num_rows)]
        if bodies.form is Form.REMOTE_WRITE_1:
            self._learn(flatten(batch.column("metadata")), verdicts)
        keep: dict[str, NDArray[np.bool_] | None] = {}
        for records in forms.record_sets(bodies.form, bodies.signal, batch):
            checks = Checks(np.ones(records.count, bool), latest_ns[records.request_of])
            records.check(checks)
            _count(verdicts, records, checks)
            keep[records.kind] = None if checks.keep.all() else checks.keep
        return keep, verdicts

    def _learn(self, metadata: Flat, verdicts: list[Verdict]) -> None:
        """Remember what was told of metric families apart from series: few, and once a minute."""
        if len(metadata.parents):
            self._families.learn(told_families(metadata.values))
            for verdict, count in zip(verdicts, metadata.counts.tolist(), strict=True):
                verdict.kinds["metadata"] = count


def _each(bodies: _Bodies) -> Iterator[_Bodies]:
    return (bodies.take([i]) for i in range(len(bodies.contents)))


def are_undated(parts: Sequence[Decoded]) -> bool:
    """Whether a body, given its parts, has log records only that say neither when they were nor when they were seen."""
    return bool(parts) and all(
        part.signal is Signal.LOGS and logs.are_undated(logs.open_logs(part.batch)) for part in parts
    )


def _spend(room: int, parts: list[Decoded]) -> int:
    """What is left of the bytes that a body may become; ``OverflowError`` past them."""
    left = room - sum(decoded.unfolded.size_bytes for decoded in parts)
    if left < 0:
        raise OverflowError("the request unfolds to too many small messages: send smaller batches")
    return left


def _count(verdicts: list[Verdict], records: RecordSet, checks: Checks) -> None:
    request_of = records.request_of
    kept = np.bincount(request_of[checks.keep], minlength=len(verdicts))
    for verdict, count in zip(verdicts, kept, strict=True):
        verdict.accepted += int(count)
        verdict.kinds[records.kind] = int(count)
    for reason, bad in checks.reasons.items():
        for request, count in zip(*np.unique(request_of[bad], return_counts=True), strict=True):
            verdict = verdicts[int(request)]
            verdict.rejected += int(count)
            verdict.reasons[reason] = verdict.reasons.get(reason, 0) + int(count)
