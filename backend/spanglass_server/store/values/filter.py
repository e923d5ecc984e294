"""A filter of the values that some attributes of a segment have: a Bloom filter (Bloom, CACM 13(7), 1970).

Eight bits a value and five probes let 2.2 % of other values through.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from spanglass_server.store.values.hashes import hash_of, seed_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from spanglass_server.store.ports import ColumnValue

BITS_PER_VALUE = 8
_PROBES = 5
_MAGIC = b"SPGVAL01"
_HEAD = struct.Struct("<8sII")  # what it is, columns, bytes of bits; then the columns, the bits, and a checksum
_SUM = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Sought:
    """One value of one column that is asked for."""

    column: str
    seed: int
    low: int
    high: int

    @classmethod
    def of(cls, column: str, value: str | float) -> Self | None:
        """None if filters can't tell."""
        hashed = hash_of(column, value)
        return None if hashed is None else cls(column, seed_of(column), *_halves(hashed))


@dataclass(frozen=True, slots=True)
class ValueFilter:
    """Which columns it knows, by their seeds, and the bits."""

    columns: frozenset[int]
    bits: bytes = field(repr=False)

    @classmethod
    def build(cls, columns: Iterable[int], hashes: NDArray[np.uint64]) -> ValueFilter:
        """A filter over distinct hashes of all values of some columns."""
        size = max(64, -(-len(hashes) * BITS_PER_VALUE // 8) * 8)
        flags = np.zeros(size, bool)
        low, high = hashes & np.uint64(0xFFFFFFFF), hashes >> np.uint64(32) | np.uint64(1)
        for k in range(_PROBES):  # double hashing (Kirsch and Mitzenmacher, 2008)
            flags[(low + np.uint64(k) * high) % np.uint64(size)] = True
        return cls(frozenset(columns), np.packbits(flags).tobytes())

    def may_hold(self, sought: Sought) -> bool:
        """False only if no row has the value in its column."""
        if sought.seed not in self.columns:
            return True
        bits, size, low, high = self.bits, 8 * len(self.bits), sought.low, sought.high
        for k in range(_PROBES):
            at = (low + k * high) % size
            if not bits[at >> 3] & 128 >> (at & 7):
                return False
        return True

    def to_bytes(self) -> bytes:
        """As it is kept in a file."""
        columns = np.array(sorted(self.columns), "<u8").tobytes()
        whole = _HEAD.pack(_MAGIC, len(self.columns), len(self.bits)) + columns + self.bits
        return whole + _SUM.pack(zlib.crc32(whole))

    @classmethod
    def from_bytes(cls, content: bytes) -> ValueFilter | None:
        """What was kept; None of what this version does not know, or what is damaged."""
        whole, rest = content[: -_SUM.size], content[-_SUM.size :]
        if len(whole) < _HEAD.size or _SUM.pack(zlib.crc32(whole)) != rest:
            return None
        magic, columns, size = _HEAD.unpack_from(whole)
        end = _HEAD.size + 8 * columns
        if magic != _MAGIC or len(whole) != end + size:
            return None
        return cls(frozenset(np.frombuffer(whole, "<u8", columns, _HEAD.size).tolist()), whole[end:])


def sought(values: Iterable[Collection[ColumnValue]]) -> list[list[Sought]]:
    """What is asked for, made ready for many filters; a clause that filters can't tell of is left out."""
    clauses = [[Sought.of(*value) for value in clause] for clause in values]
    return [known for clause in clauses if len(known := [each for each in clause if each is not None]) == len(clause)]


def _halves(hashed: int) -> tuple[int, int]:
    return hashed & 0xFFFFFFFF, hashed >> 32 | 1
