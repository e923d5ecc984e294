"""Making a segment's filter of values from its file."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from spanglass_server.signals import AttributeColumn, ValueType
from spanglass_server.store.values.dictionaries import Dictionary, places_of_texts
from spanglass_server.store.values.filter import ValueFilter
from spanglass_server.store.values.hashes import (
    LONGEST_TEXT,
    bits_of_doubles,
    number_hashes,
    seed_of,
    text_hashes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

#: So many rows pay for one value: a filter takes at most 0.25 bytes a row.
_ROWS_PER_VALUE = 4
#: A value that is in many row groups is in as many dictionaries; past this ratio a column has too many values for sure.
_REPEATED_MAX = 8
#: Texts of a column are left out when they are longer on average, beyond the first of them.
_MEAN_BYTES_MAX = 64
_TOGETHER = 16_384  # values that are hashed in one step
_SMALL_BYTES = 65_536
_FILTERED = frozenset({ValueType.STR, ValueType.INT, ValueType.DOUBLE})


def build_filter(path: Path, rows: int) -> ValueFilter:
    """The filter of a segment's file: of the attributes with the fewest values, as many as there is room for.

    ``OSError`` if the file can't be read.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        found = _dictionaries(descriptor, pq.read_metadata(path))
        room = rows // _ROWS_PER_VALUE
        hashes: dict[str, NDArray[np.uint64]] = {}
        for column in sorted(found, key=lambda name: sum(held.count for held in found[name])):
            values = _values(descriptor, column, found[column], room)
            if values is not None and len(values) <= room:
                hashes[column] = values
                room -= len(values)
    finally:
        os.close(descriptor)
    all_hashes = np.concatenate([np.zeros(0, np.uint64), *hashes.values()])
    return ValueFilter.build(map(seed_of, hashes), all_hashes)


def _dictionaries(descriptor: int, metadata: Any) -> Mapping[str, Sequence[Dictionary]]:
    """The dictionaries of each attribute, all its row groups; of those that have all values in dictionaries."""
    found: dict[str, list[Dictionary]] = defaultdict(list)
    wanted = [(number, name) for number, name in enumerate(_columns(metadata)) if _is_filtered(name)]
    for group in range(metadata.num_row_groups):
        chunks = metadata.row_group(group)
        for number, name in wanted:
            dictionary = Dictionary.find(descriptor, chunks.column(number))
            if dictionary is not None:
                found[name].append(dictionary)
    return {name: held for name, held in found.items() if len(held) == metadata.num_row_groups}


def _columns(metadata: Any) -> list[str]:
    """The columns' names, those of lists too."""
    paths = (metadata.schema.column(number).path for number in range(metadata.num_columns))
    return [path.removesuffix(".list.element") for path in paths]


def _is_filtered(name: str) -> bool:
    column = AttributeColumn.parse(name)
    return column is not None and column.type in _FILTERED


def _values(descriptor: int, column: str, dictionaries: Sequence[Dictionary], room: int) -> NDArray[np.uint64] | None:
    """The distinct hashes of a column's values; None if there are too many, or they are too long.

    Some dictionaries after the others: ids that are never the same twice are known to be too many after a few of them.
    """
    count, size = (sum(getattr(held, name) for held in dictionaries) for name in ("count", "size"))
    if count > room * _REPEATED_MAX or size > count * _MEAN_BYTES_MAX + _SMALL_BYTES:
        return None
    if max(held.count for held in dictionaries) > room:
        return None
    kind, seed = dictionaries[0].type, seed_of(column)
    found = np.zeros(0, np.uint64)
    for some in _together(dictionaries):
        hashes = _hashes(kind, b"".join(held.content(descriptor) for held in some), seed)
        if hashes is None:
            return None
        found = np.unique(np.concatenate([found, hashes]))
        if len(found) > room:
            return None
    return found


def _together(dictionaries: Sequence[Dictionary]) -> Iterator[Sequence[Dictionary]]:
    """Dictionaries in groups of about ``_TOGETHER`` values."""
    some: list[Dictionary] = []
    for held in dictionaries:
        some.append(held)
        if sum(each.count for each in some) >= _TOGETHER:
            yield some
            some = []
    if some:
        yield some


def _hashes(kind: str, content: bytes, seed: int) -> NDArray[np.uint64] | None:
    """The hashes of all values of dictionaries put together; None if a text is too long."""
    if kind == "DOUBLE":
        return number_hashes(bits_of_doubles(np.frombuffer(content, np.float64)), seed)
    if kind != "BYTE_ARRAY":
        return number_hashes(np.frombuffer(content, np.uint64), seed)
    starts, ends = places_of_texts(content)
    if (ends - starts).max(initial=0) > LONGEST_TEXT:
        return None
    return text_hashes(np.frombuffer(content, np.uint8), starts, ends, seed)
