"""Values that a few rows have in column chunks with dictionaries, found without decoding all other rows.

Arrow takes 75 microseconds for 16,384 rows of a column, nearly all of it for rows that nobody asked for, and a trace
has 18 of them. Rows of a row group are sorted, so that its columns are few runs: which rows have a value, and which of
the dictionary's it is. Here runs are passed over as a whole. Columns that are sent together are null in the same rows,
and what follows from one column changes where it does: such runs, alike byte for byte, are looked through once.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from struct import Struct
from struct import error as StructError  # noqa: N812 - the class of an exception
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from spanglass_server.store.values.dictionaries import places_of_texts, unpacked, varint_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

#: Of more rows than these Arrow is quicker.
FEW_ROWS = 64
#: Of more runs than these too.
_RUNS_MOST = 1_000
#: Of fewer texts the wanted ones are found one by one.
_FEW_TEXTS = 48
_ONE_BYTE = 128  # heads of runs from here on have more
_NO_PLACE = 1 << 62  # behind all
_CODE_BYTES = 5  # a code of 32 bits may begin within a byte
_LENGTH_BYTES = 4  # how long the levels of definition are, and each text
_NUMBERS = {  # signed, unsigned
    "INT32": (Struct("<i"), Struct("<I")),
    "INT64": (Struct("<q"), Struct("<Q")),
    "DOUBLE": (Struct("<d"), Struct("<d")),
}
_NO_SUCH_PAGE = (IndexError, KeyError, TypeError, ValueError, StructError, pa.ArrowException)
#: Headers of pages in Thrift's compact protocol, as far as they matter: the kind, sizes unpacked and packed, and how
#: many values. Of a dictionary the encoding is PLAIN, of rows it is RLE_DICTIONARY.
_NUMBER = rb"([\x80-\xff]*[\x00-\x7f])"
_SIZES = rb"\x15" + _NUMBER + rb"\x15" + _NUMBER
_DICTIONARY_HEADER = re.compile(rb"\x15\x04" + _SIZES + rb"\x4c\x15" + _NUMBER + rb"\x15\x00", re.DOTALL)
_ROWS_HEADER = re.compile(rb"\x15\x00" + _SIZES + rb"\x2c\x15" + _NUMBER + rb"\x15\x10", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Ordinals:
    """How many rows with a value lie before each row in question, None for those without; ``number`` names them."""

    number: int
    of_rows: Sequence[int | None]
    present: Sequence[int]


class CodedRows:
    """A few rows of one row group, by their places, ascending: what they have in columns of at most one value a row."""

    def __init__(self, descriptor: int, rows: int, places: Sequence[int]) -> None:
        self._descriptor = descriptor
        self._rows = rows
        self._places = places
        self._ordinals: dict[bytes, _Ordinals] = {}  # by the levels that say so
        self._codes: dict[tuple[int, bytes], Sequence[int]] = {}

    def columns(self, chunks: Mapping[str, tuple[Any, pa.DataType]]) -> dict[str, pa.Array | None]:
        """The values of column chunks, None if no row has one; without those that have to be decoded. ``OSError``.

        Each with its type. What is of one type becomes one array, each column a piece of it: a third of the time.
        """
        found = {name: self._values(*chunk) for name, chunk in chunks.items()}
        alike: dict[pa.DataType, dict[str, list[Any]]] = defaultdict(dict)
        for name, values in found.items():
            if values:
                alike[chunks[name][1]][name] = values
        made: dict[str, pa.Array | None] = {name: None for name, values in found.items() if values == []}
        count = len(self._places)
        for kind, columns in alike.items():
            whole = pa.array(chain.from_iterable(columns.values()), kind)
            made |= {name: whole.slice(place * count, count) for place, name in enumerate(columns)}
        return made

    def _values(self, chunk: Any, kind: pa.DataType) -> list[Any] | None:
        """The values of a column chunk (``pyarrow``'s metadata); [] if no row has one, None if it has to be decoded.

        Texts as bytes.
        """
        first = chunk.dictionary_page_offset
        if first is None:
            return None
        packed = os.pread(self._descriptor, chunk.total_compressed_size, first)
        try:
            pages = _Pages.of(packed, chunk.data_page_offset - first, chunk.compression, self._rows)
            return None if pages is None else self._decoded(pages, chunk.physical_type, kind)
        except _NO_SUCH_PAGE:  # reading it says what is wrong
            return None

    def _decoded(self, pages: _Pages, physical: str, kind: pa.DataType) -> list[Any]:
        levels, runs = pages.rows()
        ordinals = self._ordinals.get(levels)
        if ordinals is None:
            of_rows = _ordinals(levels, self._places)
            present = [each for each in of_rows if each is not None]
            ordinals = self._ordinals[levels] = _Ordinals(len(self._ordinals), of_rows, present)
        if not ordinals.present:
            return []
        codes = self._codes.get((ordinals.number, runs))
        if codes is None:
            codes = _codes(runs, ordinals.present)
            self._codes[ordinals.number, runs] = codes
        known = pages.values(physical, kind, set(codes))
        found = iter(codes)
        return [None if each is None else known[next(found)] for each in ordinals.of_rows]


class _Pages(NamedTuple):
    """A column chunk that is a dictionary and one page of rows: each as it lies there, and its size unpacked."""

    dictionary: memoryview
    dictionary_bytes: int
    distinct: int
    page: memoryview
    page_bytes: int
    compression: str

    @classmethod
    def of(cls, packed: bytes, rows_at: int, compression: str, rows: int) -> _Pages | None:
        """Take a column chunk apart; None if it is something else."""
        dictionary, page = _DICTIONARY_HEADER.match(packed), _ROWS_HEADER.match(packed, rows_at)
        if dictionary is None or page is None or _number(page[3]) != rows:
            return None
        # a page with all rows is the last, and ends with the chunk: so much of a header need not be read
        whole = memoryview(packed)
        return cls(
            *(whole[rows_at - _number(dictionary[2]) : rows_at], _number(dictionary[1]), _number(dictionary[3])),
            *(whole[len(packed) - _number(page[2]) :], _number(page[1]), compression),
        )

    def rows(self) -> tuple[bytes, bytes]:
        """Which rows have a value, as levels of definition; and the codes of values, behind how many bits they have."""
        content = unpacked(self.page, self.compression, self.page_bytes)
        end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
        return content[_LENGTH_BYTES:end], content[end:]

    def values(self, physical: str, kind: pa.DataType, codes: Collection[int]) -> Mapping[int, Any]:
        """The values of some codes."""
        content = unpacked(self.dictionary, self.compression, self.dictionary_bytes)
        if physical != "BYTE_ARRAY":
            number = _NUMBERS[physical][pa.types.is_unsigned_integer(kind)]
            return {code: number.unpack_from(content, code * number.size)[0] for code in codes}
        if self.distinct > _FEW_TEXTS:
            starts, ends = places_of_texts(content)
            return {code: content[starts[code] : ends[code]] for code in codes}
        texts = list(_texts(content, max(codes)))
        return {code: texts[code] for code in codes}


def _number(varint: bytes) -> int:
    if len(varint) == 1:
        return varint[0] >> 1
    if len(varint) == 2:  # noqa: PLR2004 - as nearly all numbers have at most
        return (varint[0] & 127 | varint[1] << 7) >> 1
    return varint_at(varint, 0)[0] >> 1


def _texts(content: bytes, last: int) -> Iterator[bytes]:
    """The texts of a dictionary up to one of them."""
    at = 0
    for _ in range(last + 1):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(content[at:start], "little")
        yield content[start:at]


def _ordinals(levels: bytes, places: Sequence[int]) -> list[int | None]:
    """How many rows with a value lie before each place, by their levels of one bit; None where there is no value."""
    found: list[int | None] = []
    wanted = iter(places)
    place, last = next(wanted), places[-1]
    at = row = before = 0
    for _ in range(_RUNS_MOST):
        head = levels[at]
        at += 1
        if head >= _ONE_BYTE:
            head, at = _long_head(levels, at)
        if head & 1:  # a bit a row
            size = head >> 1
            bits = int.from_bytes(levels[at : at + size], "little")
            at, end = at + size, row + 8 * size
            while place < end:
                offset = place - row
                has_one = bits >> offset & 1
                found.append(before + (bits & (1 << offset) - 1).bit_count() if has_one else None)
                place = next(wanted, _NO_PLACE)
            before += bits.bit_count()
        else:  # all rows have one, or none
            end, have = row + (head >> 1), levels[at]
            at += 1
            while place < end:
                found.append(before + place - row if have else None)
                place = next(wanted, _NO_PLACE)
            if have:
                before += end - row
        if end > last:
            return found
        row = end
    raise ValueError("too many runs")


def _codes(runs: bytes, places: Sequence[int]) -> list[int]:
    """The codes that stand at some places, ascending, of runs of equal ones and packed ones; first how many bits."""
    width = runs[0]
    if not width:
        return [0] * len(places)
    found: list[int] = []
    wanted = iter(places)
    place, last = next(wanted), places[-1]
    mask, code_bytes = (1 << width) - 1, (width + 7) // 8
    at, row = 1, 0
    for _ in range(_RUNS_MOST):
        head = runs[at]
        at += 1
        if head >= _ONE_BYTE:
            head, at = _long_head(runs, at)
        if head & 1:  # packed, eight by eight
            size = head >> 1
            end = row + 8 * size
            while place < end:
                bit = (place - row) * width
                first = at + (bit >> 3)
                found.append(int.from_bytes(runs[first : first + _CODE_BYTES], "little") >> (bit & 7) & mask)
                place = next(wanted, _NO_PLACE)
            at += size * width
        else:
            end = row + (head >> 1)
            while place < end:
                found.append(int.from_bytes(runs[at : at + code_bytes], "little"))
                place = next(wanted, _NO_PLACE)
            at += code_bytes
        if end > last:
            return found
        row = end
    raise ValueError("too many runs")


def _long_head(runs: bytes, at: int) -> tuple[int, int]:
    """The head of a run that has more than one byte, the second of which stands at a place; and where it ends."""
    second = runs[at]
    return (runs[at - 1] & 127 | second << 7, at + 1) if second < _ONE_BYTE else varint_at(runs, at - 1)
