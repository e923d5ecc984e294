"""Columns of a few thousand rows in memory, in the form in which comparing and picking rows takes least time.

A function of Arrow takes some 5 microseconds to be called, numpy 1, and a row group is looked at with a dozen of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Places: TypeAlias = NDArray[np.intp]

#: Texts of a column that are looked up in a table of Python; of more, Arrow looks through all of them.
_LISTED_MAX = 1024
_BYTES_A_TEXT = 150


class Texts:
    """Texts or ids: row n has ``values[codes[n]]``, the last of which is null; no other value is there twice."""

    def __init__(self, codes: NDArray[Any], values: Any) -> None:
        self.codes = codes
        self.values = values

    @property
    def size(self) -> int:
        """About how much memory it takes."""
        listed = _BYTES_A_TEXT * len(self.values) if len(self.values) <= _LISTED_MAX else 0
        return int(self.codes.nbytes + self.values.nbytes + listed)

    def code_of(self, value: str | bytes) -> int | None:
        """The code of a value, None if no row has it."""
        if len(self.values) > _LISTED_MAX:
            code = self.values.index(value).as_py()
            return None if code < 0 else int(code)
        return self._code_of.get(value)

    @cached_property
    def listed(self) -> list[Any]:
        """The values; to be asked of few only."""
        found: list[Any] = self.values.to_pylist()
        return found

    @cached_property
    def _code_of(self) -> dict[Any, int]:
        return {value: code for code, value in enumerate(self.values.to_pylist()) if value is not None}

    def take(self, places: Places) -> Any:
        """The values of some rows, as an array."""
        return self.values.take(pa.array(self.codes[places]))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers; ``absent`` are the rows without one, None if all have one."""

    numbers: NDArray[Any]
    absent: NDArray[np.bool_] | None = None

    @property
    def size(self) -> int:
        """About how much memory they take."""
        return self.numbers.nbytes + (0 if self.absent is None else self.absent.nbytes)

    def take(self, places: Places) -> Any:
        """The values of some rows, as an array."""
        return pa.array(self.numbers[places], mask=None if self.absent is None else self.absent[places])


@dataclass(frozen=True, slots=True)
class Plain:
    """Anything else, as it is in Arrow."""

    array: Any

    @property
    def size(self) -> int:
        """About how much memory it takes."""
        return int(self.array.get_total_buffer_size())

    def take(self, places: Places) -> Any:
        """The values of some rows, as an array."""
        return self.array.take(pa.array(places))


Column: TypeAlias = Texts | Numbers | Plain


def column_of(array: Any, *, coded: bool = False) -> Column:
    """A column in the form that suits its type; ``coded``: texts get a dictionary that has each once."""
    if coded and not _has_distinct_codes(array):
        plain = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
        array = plain.dictionary_encode()
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _texts(array)
    if pa.types.is_integer(kind):
        absent = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
        return Numbers((array.fill_null(0) if array.null_count else array).to_numpy(), absent)
    return Plain(array)


def _has_distinct_codes(array: Any) -> bool:
    """Whether an array needs no other dictionary: numbers never do."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return bool(pc.count_distinct(array.dictionary).as_py() == len(array.dictionary))
    return not (pa.types.is_string(kind) or pa.types.is_binary(kind))


def _texts(array: Any) -> Texts:
    null = len(array.dictionary)
    codes = array.indices.fill_null(null) if array.indices.null_count else array.indices
    values = pa.concat_arrays([array.dictionary, pa.nulls(1, array.dictionary.type)])
    return Texts(codes.to_numpy().astype(np.min_scalar_type(null)), values)


def joined(chunks: Sequence[Any]) -> Any:
    """Arrays of one type as one."""
    if len(chunks) == 1:
        return chunks[0]
    whole = pa.chunked_array(chunks).combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
