"""The hash of a label set by which Prometheus samples series: xxHash64 of names and values with their lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from spanglass_server.promql.series.labels import LabelSets

_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_MASK = 2**64 - 1
_STRIPE, _LANE, _HALF = 32, 8, 4
_LONG_TEXT = 255


def label_fractions(labels: LabelSets) -> NDArray[np.float64]:
    """A number from 0 to 1 for each label set, spread evenly, the same for the same labels."""
    return np.array([xxhash64(_encoded(row)) / _MASK for row in labels.rows()], np.float64)


def _encoded(row: Mapping[str, str]) -> bytes:
    return b"".join(_sized(part.encode()) for pair in sorted(row.items()) for part in pair)


def _sized(text: bytes) -> bytes:
    """A text behind its length: one byte, or 255 and three."""
    size = len(text)
    return (bytes([size]) if size < _LONG_TEXT else b"\xff" + size.to_bytes(3, "little")) + text


def xxhash64(data: bytes) -> int:
    """The 64 bits of xxHash of some bytes, with the seed 0."""
    place, size = 0, len(data)
    if size >= _STRIPE:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while place + _STRIPE <= size:
            words = [int.from_bytes(data[place + 8 * lane : place + 8 * lane + 8], "little") for lane in range(4)]
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
            place += _STRIPE
        turns = (1, 7, 12, 18)
        value = sum(_rotated(lane, turn) for lane, turn in zip(lanes, turns, strict=True)) & _MASK
        for lane in lanes:
            value = ((value ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        value = _P5
    return _finished(_tail((value + size) & _MASK, data[place:]))


def _tail(value: int, rest: bytes) -> int:
    while len(rest) >= _LANE:
        word, rest = int.from_bytes(rest[:_LANE], "little"), rest[_LANE:]
        value = (_rotated(value ^ _round(0, word), 27) * _P1 + _P4) & _MASK
    if len(rest) >= _HALF:
        word, rest = int.from_bytes(rest[:_HALF], "little"), rest[_HALF:]
        value = (_rotated(value ^ (word * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
    for byte in rest:
        value = _rotated(value ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    return value


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def _rotated(value: int, turn: int) -> int:
    return ((value << turn) | (value >> (64 - turn))) & _MASK


def _finished(value: int) -> int:
    value = (value ^ (value >> 33)) * _P2 & _MASK
    value = (value ^ (value >> 29)) * _P3 & _MASK
    return value ^ (value >> 32)
