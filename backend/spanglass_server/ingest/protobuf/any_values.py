"""Values of attributes as the protocol encodes them: which member each has and where it begins, for all at once.

Decoding every ``AnyValue`` into a column for each of its seven members took a third of all decoding, and four times the
bytes of the values. Nearly all of them are one member and nothing else: its tag, for texts the length, and the value.
That is recognised here. The few that look otherwise are decoded by ``ptars``, as the protocol says.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.ingest.columnar import laid_out
from spanglass_server.ingest.protobuf.otlp_schema import ANY_VALUE, record_batch
from spanglass_server.ingest.protobuf.varints import HIGH_BITS, WORD_BYTES, Varints, bytes_at, words
from spanglass_server.signals import ValueType

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: How each member of ``AnyValue``'s oneof is stored, in the order of the type codes; an entry with none is JSON null.
MEMBERS = (
    ("string_value", ValueType.STR),
    ("int_value", ValueType.INT),
    ("double_value", ValueType.DOUBLE),
    ("bool_value", ValueType.BOOL),
    ("bytes_value", ValueType.BYTES),
    ("array_value", ValueType.JSON),
    ("kvlist_value", ValueType.JSON),
)
STR, INT, DOUBLE, BOOL = range(4)
EMPTY = len(MEMBERS)
TYPE_CODES = EMPTY + 1
_ODD = TYPE_CODES  # not to be told by its first bytes
#: The first byte of a value of each member: its number and its wire type (protocol: common.proto).
_TAGS = (0x0A, 0x18, 0x21, 0x10, 0x3A, 0x2A, 0x32)
_WITH_LENGTH = np.array([member not in (INT, DOUBLE, BOOL) for member in range(EMPTY)] + [False] * 2)
_CODE_OF_TAG = np.full(256, _ODD, np.uint8)
_CODE_OF_TAG[list(_TAGS)] = range(EMPTY)
_HEAD_BYTES = np.where(_WITH_LENGTH, 2, 1).astype(np.int32)  # before the content of a short value
_CHECKED_TOGETHER = 1 << 16
_LONGEST_SHORT = 129  # bytes of a value whose length takes one of them
_SEVEN_BITS, _HIGH_BIT = 0x7F, np.uint8(0x80)


class AnyValues:
    """Encoded values (a binary array without nulls). Raises ``ValueError`` if one is no ``AnyValue``.

    ``are_usual`` says that all of them are known to be in their usual form.
    """

    def __init__(self, encoded: Any, *, are_usual: bool = False) -> None:
        self._encoded = encoded
        self._offsets, data = _buffers(encoded)
        self._data = data[: self._offsets[-1]]
        self._starts, self._ends = self._offsets[:-1], self._offsets[1:]
        sizes = self._ends - self._starts
        self._odd, self._decoded = np.zeros(0, np.int64), None
        self._beyond_ascii = 0  # bytes of numbers and lengths that no text of ASCII has
        #: The place of each value's member in ``MEMBERS``, or one past for none.
        self.codes: NDArray[np.uint8]
        if are_usual:
            self._read(sizes)
        else:
            self._examine(sizes)

    def _read(self, sizes: NDArray[np.int32]) -> None:
        """Find out what is where, from first byte and size of each."""
        self.codes = self._plain = _CODE_OF_TAG[bytes_at(self._data, self._starts)]
        self.codes[sizes == 0] = EMPTY
        self._begins = self._starts + _HEAD_BYTES[self.codes]
        longer = np.flatnonzero((sizes > _LONGEST_SHORT) & _WITH_LENGTH[self.codes])
        for bits in range(7, 35, 7):  # the length takes one byte more from 2^7 on, and from 2^14 on
            longer = longer[sizes[longer] - bits // 7 - 2 >= 1 << bits]
            self._begins[longer] += 1

    def _examine(self, sizes: NDArray[np.int32]) -> None:
        """Find out what is where, and whether that is all."""
        firsts = bytes_at(self._data, self._starts).astype(np.uint16) << np.uint16(8)
        firsts |= bytes_at(self._data, self._starts + 1)
        codes = _CODES[firsts]
        self._begins = self._starts + _HEAD_BYTES[codes]
        rest = np.flatnonzero(sizes != _SHORT_SIZES[firsts])
        if len(rest):
            codes[rest] = np.where(sizes[rest], self._longer(rest, codes[rest]), EMPTY)
        self._odd = np.flatnonzero(codes == _ODD)
        self._plain = codes
        if len(self._odd):
            self._decoded = record_batch(ANY_VALUE, self._encoded.take(pa.array(self._odd))).to_struct_array()
            codes = codes.copy()
            codes[self._odd] = type_codes(self._decoded)
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)

    def _longer(self, places: NDArray[np.int64], codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The codes of values that are not short: numbers and lengths of several bytes; all others are odd."""
        found = np.full(len(places), _ODD, np.uint8)
        starts, sizes = self._starts[places] + 1, (self._ends - self._starts)[places] - 1
        numbers = np.flatnonzero(codes == INT)
        if len(numbers):
            lengths = Varints(self._data, starts[numbers]).lengths()
            is_whole = (lengths > 0) & (lengths == sizes[numbers])
            found[numbers[is_whole]] = INT
            self._beyond_ascii += int((lengths[is_whole] - 1).sum())
        texts = np.flatnonzero(_WITH_LENGTH[codes])
        if len(texts):
            length = Varints(self._data, starts[texts])
            taken = length.lengths()
            fits = (taken > 0) & (taken <= sizes[texts])
            fits &= length.values() == (sizes[texts] - taken).astype(np.uint64)
            fits &= (taken == 1) | (length.values() >> (7 * (taken - 1)).astype(np.uint64) > 0)  # no longer than needed
            found[texts[fits]] = codes[texts[fits]]
            self._beyond_ascii += int((taken[fits] - 1).sum())
            self._begins[places[texts]] = starts[texts] + taken
        return found

    def check_texts(self) -> None:
        """Raise ``ValueError`` if a text is not UTF-8."""
        content = self._data[self._offsets[0] :]
        doubles = words(self._data, self._begins[self._plain == DOUBLE])
        known = self._beyond_ascii + int(np.bitwise_count(doubles & HIGH_BITS).sum())
        if np.count_nonzero(content & _HIGH_BIT) == known:
            return
        # one byte more, for empty values at the end: they begin where the last text ends, which must be looked at whole
        ascii_end = np.append(content, np.uint8(0))
        joined = np.bitwise_or.reduceat(ascii_end, np.minimum(self._begins - self._offsets[0], len(content)))
        beyond = np.flatnonzero((joined > _SEVEN_BITS) & (self._plain == STR))
        if len(beyond):
            self._contents.take(pa.array(2 * beyond + 1)).cast(pa.string())

    @cached_property
    def longest(self) -> int:
        """Bytes that no text is longer than."""
        return int((self._ends - self._starts).max(initial=0))

    @property
    def unusual(self) -> int:
        """How many of them are not in their usual form."""
        return len(self._odd)

    def take(self, code: int, places: NDArray[np.int64]) -> Any:
        """The values at these places, all of which have this member and were told by their first bytes."""
        if code == INT:
            return pa.array(Varints(self._data, self._begins[places]).values().view(np.int64))
        if code == DOUBLE:
            return pa.array(words(self._data, self._begins[places]).view(np.float64))
        if code == BOOL:
            return pa.array(bytes_at(self._data, self._begins[places]) == 1)
        return (self._texts if code == STR else self._contents).take(pa.array(2 * places + 1))

    def member(self, code: int) -> Any:
        """The values of one member over all entries, as ``ptars`` decodes them; null where there is another."""
        here = np.flatnonzero(self._plain == code)
        values = laid_out(self.take(code, here), here, len(self))
        if self._decoded is None:
            return values
        mask = np.zeros(len(self), bool)
        mask[self._odd] = True
        return pc.replace_with_mask(values, pa.array(mask), self._decoded.field(MEMBERS[code][0]))

    @cached_property
    def _contents(self) -> Any:
        """An array in which the content of a text, list or map stands at twice its place and one, without copying it.

        Tags and lengths stand between.
        """
        offsets = np.empty(2 * len(self) + 1, np.int32)
        offsets[0::2] = self._offsets
        offsets[1::2] = np.minimum(self._begins, self._ends)
        buffers = [None, pa.py_buffer(offsets), self._encoded.buffers()[2]]
        return pa.Array.from_buffers(pa.binary(), 2 * len(self), buffers)

    @cached_property
    def _texts(self) -> Any:
        return pa.Array.from_buffers(pa.string(), len(self._contents), self._contents.buffers())


def _short_values() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """By the first two bytes of a value: its code, and its size if these say it; one of another size is longer."""
    second = np.arange(256, dtype=np.int32)
    codes, sizes = np.full((256, 256), _ODD, np.uint8), np.full((256, 256), -1, np.int32)
    for code, tag in enumerate(_TAGS):
        codes[tag] = code
        if _WITH_LENGTH[code]:
            sizes[tag] = np.where(second <= _SEVEN_BITS, 2 + second, -1)
        elif code == DOUBLE:
            sizes[tag] = 1 + WORD_BYTES
        else:
            sizes[tag] = np.where(second <= (1 if code == BOOL else _SEVEN_BITS), 2, -1)
    return codes.reshape(-1), sizes.reshape(-1)


_CODES, _SHORT_SIZES = _short_values()


def check_values(encoded: Any) -> int:
    """How many of them are not in their usual form; ``ValueError`` if one is no ``AnyValue``.

    Looks at some after the others, in little memory.
    """
    unusual = 0
    for start in range(0, len(encoded), _CHECKED_TOGETHER):
        values = AnyValues(encoded.slice(start, _CHECKED_TOGETHER))
        values.check_texts()
        unusual += values.unusual
    return unusual


def type_codes(any_value: Any) -> NDArray[np.int64]:
    """Which member each ``AnyValue`` of a struct array has: its place in ``MEMBERS``, or one past for none.

    Of several, which the protocol forbids, the last of ``MEMBERS`` counts: in which order they came is not known.
    """
    types = np.full(len(any_value), EMPTY, np.int64)
    for code, (member, _) in enumerate(MEMBERS):
        values = any_value.field(member)
        if values.null_count < len(values):
            types[values.is_valid().to_numpy(zero_copy_only=False)] = code
    return types


def _buffers(encoded: Any) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets and bytes of a binary array."""
    if not len(encoded):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, offsets, data = encoded.buffers()
    held = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return np.frombuffer(offsets, np.int32, count=len(encoded) + 1, offset=4 * encoded.offset), held
