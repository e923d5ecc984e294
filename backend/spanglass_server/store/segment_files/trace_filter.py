"""Which segments can hold a trace, and when: a Bloom filter over each one's trace ids (Bloom, CACM 13(7), 1970).

Filters of spans also hold each id together with the minutes in which its spans began, so that all spans of a trace are
found without reading the trace ids of whole files. Fourteen bits an entry and seven probes let 0.15 % of other entries
through, and next to none of other traces, which must pass with one of the segment's minutes too: of a thousand
segments a lookup opens those that have the trace (docs/adr/0015). 110 000 spans of 6 300 traces take 23 kB, 0.2 bytes
a span.

Filters of older versions have ten bits and four probes, 1.2 %; they are told by their even number of bytes.
Parquet's own filters are not used: those that pyarrow 26.0.1 wrote made DuckDB 1.5.5 miss rows that were there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.times import NS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from spanglass_server.store.ports import Window

_BITS_PER_ID = 14
_PROBES = 7
_PROBES_BEFORE = 4  # of filters that older versions wrote
_STEPS = 16  # sizes between a power of two and the next, so that many segments have filters of one size
_FEW = 64  # ids that are quicker asked for one by one: numpy takes 40 microseconds a filter, whatever it does
_ID_BYTES = 16
#: Ids are held together with the part of time in which something of them began, as long as this.
MINUTE_NS = 60 * NS_PER_SECOND
#: Minutes longer before the last one than a day are held as one, so that few are to be asked for.
MOST_MINUTES = 24 * 60
EARLIER = -1
#: What a filter that has minutes holds besides; a filter without them has all of these once in 10^30 times.
_MARKS = np.arange(16, dtype=np.uint64) * np.uint64(0xAF251AF3B0F025B5)
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads ids that count up
_SHIFTS = (np.uint64(32), np.uint64(29))


class Probes:
    """Hashes that many filters are asked for: where to look in those of one size is worked out once."""

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes
        self._places: dict[tuple[int, int], tuple[NDArray[np.intp], NDArray[np.uint8]]] = {}

    def places(self, size: int, probe: int) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
        """The byte of a filter of so many bits that the probe looks at for each hash, and the bit in it."""
        found = self._places.get((size, probe))
        if found is None:
            found = self._places[size, probe] = _bits_of(_positions(self.hashes, size, probe))
        return found


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """The bits, an odd number of bytes."""

    bits: NDArray[np.uint8]

    @property
    def _probes(self) -> int:
        return _PROBES if len(self.bits) % 2 else _PROBES_BEFORE

    @staticmethod
    def hashes(trace_ids: Any) -> NDArray[np.uint64]:
        """A 64-bit hash of each id that is there and has 16 bytes."""
        ids = trace_ids.combine_chunks() if isinstance(trace_ids, pa.ChunkedArray) else trace_ids
        if ids.null_count:
            ids = ids.drop_null()
        if not len(ids):
            return np.zeros(0, np.uint64)
        first = np.frombuffer(ids.buffers()[1], np.int32, count=1, offset=4 * ids.offset)[0]
        halves = np.frombuffer(ids.buffers()[2], "<u8", count=2 * len(ids), offset=int(first)).reshape(-1, 2)
        mixed = halves[:, 0] ^ (halves[:, 1] * _ODD)
        for shift in _SHIFTS:  # a product spreads bits upwards only: ids that count up differ in the highest ones
            mixed = (mixed ^ (mixed >> shift)) * _ODD
        return mixed ^ (mixed >> _SHIFTS[0])

    @staticmethod
    def with_minutes(hashes: NDArray[np.uint64], minutes: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Hashes of ids together with minutes since 1970, one of each."""
        mixed = (hashes ^ (minutes.astype(np.uint64) + np.uint64(1)) * _ODD) * _ODD
        for shift in _SHIFTS:
            mixed = (mixed ^ (mixed >> shift)) * _ODD
        return mixed ^ (mixed >> _SHIFTS[0])

    @classmethod
    def of_spans(cls, hashes: NDArray[np.uint64], minutes: NDArray[np.int64]) -> TraceFilter:
        """A filter over the hashes of ids, each together with a minute; pairs may come more than once."""
        minutes = np.where(minutes < minutes.max(initial=0) - MOST_MINUTES, EARLIER, minutes)
        held = np.concatenate([hashes, cls.with_minutes(hashes, minutes), _MARKS])
        return cls.build(pc.unique(pa.array(held)).to_numpy())  # a third of what sorting takes

    @classmethod
    def build(cls, hashes: NDArray[np.uint64]) -> TraceFilter:
        """A filter over distinct hashes."""
        size = 8 * _byte_count(len(hashes))
        flags = np.zeros(size, bool)
        for probe in range(_PROBES):
            flags[_positions(hashes, size, probe)] = True
        return cls(np.packbits(flags))

    def may_hold(self, hashes: NDArray[np.uint64]) -> bool:
        """False only if no row has an id with one of these hashes."""
        return bool(self.places_of(hashes))

    def _held(self, hashes: NDArray[np.uint64], probes: Probes | None = None) -> NDArray[np.bool_]:
        """Which of the hashes may have been put in; with ``probes`` of them where other filters are asked too."""
        left, size = np.arange(len(hashes)), 8 * len(self.bits)
        for probe in range(self._probes):  # each leaves about half of the others
            if probes is None:
                at, masks = _bits_of(_positions(hashes[left], size, probe))
            else:
                at, masks = probes.places(size, probe)
                at, masks = (at.take(left), masks.take(left)) if probe else (at, masks)
            left = left.take((self.bits.take(at) & masks).nonzero()[0])
            if not len(left):
                break
        found = np.zeros(len(hashes), bool)
        found[left] = True
        return found

    @property
    def has_minutes(self) -> bool:
        """Whether it holds ids together with minutes; those that older versions wrote don't."""
        return len(self.places_of(_MARKS)) == len(_MARKS)

    def minutes_of(self, hashes: NDArray[np.uint64], first: int, last: int) -> list[tuple[int, int]]:
        """Pairs of a trace's place in ``hashes`` and a minute in which it may have begun spans.

        From ``first``, at most ``MOST_MINUTES`` before the last one that went in, to ``last``; and ``EARLIER``.
        """
        held = self.places_of(hashes)
        minutes = [*range(first, last + 1), EARLIER]
        pairs = self.with_minutes(np.repeat(hashes[held], len(minutes)), np.tile(minutes, len(held)))
        found = (divmod(at, len(minutes)) for at in self.places_of(pairs))
        return [(held[trace], minutes[place]) for trace, place in found]

    def places_of(self, hashes: NDArray[np.uint64]) -> list[int]:
        """Which of the traces it may hold, by their places in ``hashes``."""
        if len(hashes) > _FEW:
            return list(map(int, np.flatnonzero(self._held(hashes))))
        bits = self.bits.data
        found = []
        for place, masks in enumerate(_masks(hashes.tobytes(), 8 * len(self.bits), self._probes)):
            for at, mask in masks:  # for most ids the first or second bit is not set
                if not bits[at] & mask:
                    break
            else:
                found.append(place)
        return found

    def ranges_of(self, hashes: NDArray[np.uint64], first_ns: int, last_ns: int) -> list[tuple[int, int, int]]:
        """Where spans of the traces may begin: a trace's place in ``hashes``, a start and an end, in nanoseconds.

        ``first_ns`` and ``last_ns`` are the times of the first and the last span of the segment.
        """
        held = self.places_of(hashes)
        if not held or not self.has_minutes:
            return [(place, first_ns, last_ns + 1) for place in held]
        last = last_ns // MINUTE_NS
        first = max(first_ns // MINUTE_NS, last - MOST_MINUTES)
        earlier = (first_ns, max(first * MINUTE_NS, first_ns + 1))
        return [
            (held[place], *(earlier if at == EARLIER else (at * MINUTE_NS, (at + 1) * MINUTE_NS)))
            for place, at in self.minutes_of(hashes[held], first, last)
        ]

    def begun_outside(
        self, probes: Probes, times_ns: tuple[int, int], near: Window, around: Window
    ) -> NDArray[np.bool_]:
        """Which of the traces may have begun spans that lie in ``around``, but not in ``near``, by the minute.

        ``times_ns`` are those of the first and the last span of the segment. One without minutes tells of all its time.
        """
        found = self._held(probes.hashes, probes)
        if not found.any() or not self.has_minutes:
            return found
        last = times_ns[1] // MINUTE_NS
        first = max(times_ns[0] // MINUTE_NS, last - MOST_MINUTES)
        minutes = np.arange(first, last + 1)
        starts_ns, ends_ns = minutes * MINUTE_NS, (minutes + 1) * MINUTE_NS
        is_near = (starts_ns >= near.start_ns) & (ends_ns <= near.end_ns)
        asked = minutes[(starts_ns < around.end_ns) & (ends_ns > around.start_ns) & ~is_near]
        if times_ns[0] < first * MINUTE_NS:
            asked = np.append(asked, EARLIER)
        held = probes.hashes[found]
        pairs = self.with_minutes(np.repeat(held, len(asked)), np.tile(asked, len(held)))
        found[found] = self._held(pairs).reshape(len(held), len(asked)).any(axis=1)
        return found

    @classmethod
    def hashes_of(cls, trace_ids: Iterable[bytes]) -> NDArray[np.uint64]:
        """Hashes of ids from anywhere; one that is not 16 bytes long is in no row and has none."""
        return cls.hashes(pa.array([trace_id for trace_id in trace_ids if len(trace_id) == _ID_BYTES], pa.binary()))


def _byte_count(entries: int) -> int:
    """The size of a filter: enough, odd, and one of few."""
    wanted = max(9, -(-entries * _BITS_PER_ID // 8))
    step = max(1, (1 << wanted.bit_length() - 1) // _STEPS)
    return -(-wanted // step) * step | 1


def _positions(hashes: NDArray[np.uint64], size: int, probe: int) -> NDArray[np.uint64]:
    """Double hashing (Kirsch and Mitzenmacher, 2008): the k-th probe is a + k b."""
    low, high = hashes & np.uint64(0xFFFFFFFF), hashes >> np.uint64(32) | np.uint64(1)
    positions: NDArray[np.uint64] = (low + np.uint64(probe) * high) % np.uint64(size)
    return positions


def _bits_of(positions: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """The bytes that hold bits, and these bits in them."""
    return (positions >> np.uint64(3)).astype(np.intp), np.uint8(128) >> (positions & np.uint64(7)).astype(np.uint8)


@lru_cache(maxsize=64)
def _masks(hashes: bytes, size: int, probes: int) -> list[list[tuple[int, int]]]:
    """The bytes and the bits in them that are set if a filter of a size holds each of the hashes."""
    found = []
    for number in np.frombuffer(hashes, np.uint64).tolist():  # as _positions, which takes ten times as long for few
        low, high = number & 0xFFFFFFFF, number >> 32 | 1
        places = [(low + probe * high) % size for probe in range(probes)]
        found.append([(at >> 3, 128 >> (at & 7)) for at in places])
    return found
