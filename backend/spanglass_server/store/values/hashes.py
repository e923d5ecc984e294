"""64-bit hashes of attribute values: many at once, and the same hash for one that is asked for."""

from __future__ import annotations

import struct
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Texts that are longer, in bytes, are not hashed: nobody asks for a whole stack trace.
LONGEST_TEXT = 256
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio
_SHIFTS = (np.uint64(32), np.uint64(29))
_POWERS = np.cumprod(np.full(LONGEST_TEXT + 1, 0xD6E8FEB86659FD93, np.uint64))  # of an odd number, modulo 2^64


@lru_cache(maxsize=4096)
def seed_of(column: str) -> int:
    """The hash of a column's name, which tells its values from equal ones of other columns."""
    return int.from_bytes(blake2b(column.encode(), digest_size=8).digest(), "little")


def text_hashes(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], seed: int
) -> NDArray[np.uint64]:
    """Hashes of texts that lie in ``data``, in UTF-8, none longer than ``LONGEST_TEXT``."""
    sizes = ends - starts
    firsts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    places = np.arange(firsts[-1]) - np.repeat(firsts[:-1], sizes)  # of each byte in its text
    terms = (data[places + np.repeat(starts, sizes)].astype(np.uint64) + np.uint64(1)) * _POWERS[places]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    return _mixed(sums[firsts[1:]] - sums[firsts[:-1]], seed)


def number_hashes(words: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Hashes of integers, given as their 64 bits, or of floating-point numbers, as ``bits_of_doubles`` gives them."""
    return _mixed(words, seed)


def bits_of_doubles(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The bits of numbers; both zeros, which are equal, have the same."""
    return (values + 0.0).view(np.uint64)


def hash_of(column: str, value: str | float) -> int | None:
    """The hash of one value of a column; None for a text that is too long to be hashed."""
    seed = seed_of(column)
    if isinstance(value, str):
        data = np.frombuffer(value.encode(errors="surrogatepass"), np.uint8)
        if len(data) > LONGEST_TEXT:
            return None
        return int(text_hashes(data, np.array([0]), np.array([len(data)]), seed)[0])
    if isinstance(value, float):
        return int(number_hashes(bits_of_doubles(np.array([value])), seed)[0])
    return int(number_hashes(np.frombuffer(struct.pack("<q", value), np.uint64), seed)[0])


def _mixed(words: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    mixed = (words ^ np.uint64(seed)) * _ODD
    for shift in _SHIFTS:
        mixed = (mixed ^ (mixed >> shift)) * _ODD
    return mixed ^ (mixed >> _SHIFTS[0])
