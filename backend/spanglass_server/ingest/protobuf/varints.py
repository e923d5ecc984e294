"""Whole numbers as protobuf writes them, seven bits a byte, read for many places at once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD_BYTES = 8
#: The bit of each byte of a word that says of a number that another byte follows.
HIGH_BITS = np.uint64(0x8080808080808080)
_LOW_BITS = ~HIGH_BITS
_ONE, _SEVEN = np.uint64(1), np.uint64(0x7F)
_LONGEST = 10  # bytes: 64 bits, seven a byte
#: Seven of eight bits become 14 of 16, these 28 of 32, these 56.
_STEPS = (
    (np.uint64(1), np.uint64(0x007F007F007F007F)),
    (np.uint64(2), np.uint64(0x00003FFF00003FFF)),
    (np.uint64(4), np.uint64(0x0FFFFFFF)),
)


class Varints:
    """The numbers that begin at some places of ``data``."""

    def __init__(self, data: NDArray[np.uint8], starts: NDArray[np.int32]) -> None:
        self._word = words(data, starts)
        free = ~self._word & HIGH_BITS
        self._last = free & (~free + _ONE)  # the high bit of the first byte that none follows; 0 if all eight go on
        self._long = np.flatnonzero(self._last == 0)  # a negative number has ten bytes, a time since 1970 nine
        self._ninth, self._tenth = (bytes_at(data, starts[self._long] + place).astype(np.uint64) for place in (8, 9))

    def lengths(self) -> NDArray[np.int32]:
        """Bytes of each number; 0 of one that has more than 64 bits."""
        lengths = ((np.bitwise_count(self._last - _ONE) + 1) // 8).astype(np.int32)
        if len(self._long):
            tenth = np.where(self._tenth <= _ONE, _LONGEST, 0)
            lengths[self._long] = np.where(self._is_ninth_last, _LONGEST - 1, tenth)
        return lengths

    def values(self) -> NDArray[np.uint64]:
        """The numbers."""
        values = _seven_of_each(self._word & (self._last - _ONE) & _LOW_BITS)
        if len(self._long):
            tenth = np.where(self._is_ninth_last, 0, self._tenth)
            values[self._long] |= (self._ninth & _SEVEN) << np.uint64(56) | tenth << np.uint64(63)
        return values

    @cached_property
    def _is_ninth_last(self) -> NDArray[np.bool_]:
        return self._ninth <= _SEVEN


def bytes_at(data: NDArray[np.uint8], places: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The bytes at these places; past the end any."""
    return data.take(places, mode="clip") if len(data) else np.zeros(places.shape, np.uint8)


def words(data: NDArray[np.uint8], starts: NDArray[np.int32]) -> NDArray[np.uint64]:
    """The eight bytes from each place on, the first one lowest; past the end zeros."""
    if len(data) < WORD_BYTES:
        data = np.append(data, np.zeros(WORD_BYTES, np.uint8))
    every: NDArray[np.uint64] = np.ndarray((len(data) - WORD_BYTES + 1,), np.dtype("<u8"), data, strides=(1,))
    inside = np.minimum(starts, len(every) - 1)
    beyond = np.minimum(starts - inside, WORD_BYTES - 1)  # of the last value only, or of one that is cut off
    return every[inside] >> (beyond * 8).astype(np.uint64)


def _seven_of_each(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The lower seven bits of each byte put together, the first byte lowest."""
    for bits, low in _STEPS:
        word = word & low | (word & ~low) >> bits
    return word
