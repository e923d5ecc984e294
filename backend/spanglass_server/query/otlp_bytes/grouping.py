"""Records below their scopes below their resources: one request of OTLP out of columns of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.otlp_bytes.repeating import rows_alike, scattered
from spanglass_server.query.otlp_bytes.values import Attributes
from spanglass_server.query.otlp_bytes.wire import block, blocks, coded, joined, numbers, whole
from spanglass_server.signals import OVERFLOW_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


#: What writes the records of one lowest group: of what they have in common, and their bytes.
Make: TypeAlias = "Callable[[bytes, bytes], bytes]"


class Columns:
    """The fixed columns of a table, by name."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.rows = table.num_rows

    def get(self, name: str) -> pa.Array | None:
        """A column as one array; None if no row has a value in it."""
        place = self._table.schema.get_field_index(name)
        if place < 0:
            return None
        column = self._table.column(place)
        return None if column.null_count == self.rows else whole(column)


class Group(NamedTuple):
    """Rows that follow each other and have the same three numbers."""

    first: int
    second: int
    third: int
    start: int
    end: int


def resources(table: pa.Table, attributes: Attributes) -> pa.Array:
    """What stands in a resource's entry before its scopes."""
    return _once(table, attributes, "resource", _resource)


def scopes(table: pa.Table, attributes: Attributes) -> pa.Array:
    """What stands in a scope's entry before its records."""
    return _once(table, attributes, "scope", _scope)


def _once(
    table: pa.Table, attributes: Attributes, position: str, write: Callable[[Columns, Attributes], pa.Array]
) -> pa.DictionaryArray:
    """Write what is of a resource or scope once for all rows that have the same."""
    if attributes.has_overflow(position):
        return write(Columns(table), attributes).dictionary_encode()
    names = [name for name in table.column_names if name.startswith((f"{position}.", f"{position}_"))]
    alike = rows_alike([whole(table.column(name)) for name in names], table.num_rows)
    few = table.select(names or table.column_names[:1]).take(alike.first)  # a table without columns has no rows
    written = write(Columns(few), Attributes(few)).dictionary_encode()
    return pa.DictionaryArray.from_arrays(written.indices.take(alike.kinds), written.dictionary)


def _resource(columns: Columns, attributes: Attributes) -> pa.Array:
    parts = attributes.of_records("resource", 1)
    if (dropped := columns.get("resource_dropped_attributes_count")) is not None:
        parts.append(numbers(2, dropped))
    if (refs := columns.get("resource_entity_refs")) is not None:
        parts.append(coded(refs, _entity_refs))
    return _entry(blocks(1, joined(parts, columns.rows)), columns, "resource_schema_url")


def _scope(columns: Columns, attributes: Attributes) -> pa.Array:
    parts = [
        blocks(field, column)
        for field, name in ((1, "scope_name"), (2, "scope_version"))
        if (column := columns.get(name)) is not None
    ]
    parts += attributes.of_records("scope", 3)
    if (dropped := columns.get("scope_dropped_attributes_count")) is not None:
        parts.append(numbers(4, dropped))
    return _entry(blocks(1, joined(parts, columns.rows)), columns, "scope_schema_url")


def items_of(
    table: pa.Table, position: str, name: str, write: Callable[[pa.Table, Attributes], pa.Array]
) -> list[pa.Array]:
    """Fields with the events, links or exemplars of rows, written of those that have some; ``name`` is a column."""
    place = table.schema.get_field_index(name)
    if place < 0:
        return []
    rows = np.flatnonzero(pc.fill_null(pc.list_value_length(whole(table.column(place))), 0).to_numpy())
    if not len(rows):
        return []
    told = (f"{position}.", f"{position}_", *OVERFLOW_COLUMNS)
    few = table.select([each for each in table.column_names if each.startswith(told)]).take(pa.array(rows))
    return [scattered(write(few, Attributes(few)), rows, table.num_rows)]


def _entry(message: pa.Array, columns: Columns, schema_url: str) -> pa.Array:
    url = columns.get(schema_url)
    return message if url is None else joined([message, blocks(3, url)], columns.rows)


def _entity_refs(text: str) -> bytes:
    """``EntityRef`` messages: schema_url 1, type 2, id_keys 3, description_keys 4."""
    written = b""
    for ref in orjson.loads(text):
        content = b"".join(
            [
                block(1, ref["schemaUrl"].encode()) if ref.get("schemaUrl") else b"",
                block(2, ref["type"].encode()) if ref.get("type") else b"",
                *(block(3, key.encode()) for key in ref.get("idKeys", ())),
                *(block(4, key.encode()) for key in ref.get("descriptionKeys", ())),
            ]
        )
        written += block(3, content)
    return written


def request(above: pa.Array, middle: pa.Array, records: pa.Array) -> bytes:
    """Write a request of records, each a field of its scope's entry already; ``above`` and ``middle`` are theirs."""
    return grouped(above, middle, None, records, lambda _, content: content)


def grouped(above: pa.Array, middle: pa.Array, below: pa.Array | None, records: pa.Array, make: Make) -> bytes:
    """Write a request; ``make`` writes what has one value of ``below``, of that and the records' bytes."""
    resource, scope = above.dictionary_encode(), middle.dictionary_encode()
    lowest = None if below is None else below.dictionary_encode()
    heads = [resource.dictionary.to_pylist(), scope.dictionary.to_pylist()]
    thirds = [b""] if lowest is None else lowest.dictionary.to_pylist()
    codes = [each.indices.to_numpy(zero_copy_only=False).astype(np.int64) for each in (resource, scope)]
    third = np.zeros(len(records), np.int64) if lowest is None else lowest.indices.to_numpy().astype(np.int64)
    key = (codes[0] * len(heads[1]) + codes[1]) * len(thirds) + third
    order = np.argsort(key, kind="stable")
    ordered = records.take(pa.array(order))
    content, offsets = _content(ordered)
    written: dict[int, dict[int, list[bytes]]] = {}
    for group in _groups(key[order], len(heads[1]), len(thirds)):
        inside = content[offsets[group.start] : offsets[group.end]]
        made = make(thirds[group.third], inside)
        written.setdefault(group.first, {}).setdefault(group.second, []).append(made)
    return b"".join(
        [
            block(
                1,
                heads[0][first]
                + b"".join([block(2, heads[1][second] + b"".join(made)) for second, made in of.items()]),
            )
            for first, of in written.items()
        ]
    )


def _groups(keys: np.ndarray, scope_count: int, third_count: int) -> Iterator[Group]:
    edges = np.flatnonzero(np.diff(keys)) + 1
    starts = [0, *edges.tolist()] if len(keys) else []
    ends = [*edges.tolist(), len(keys)]
    for start, end in zip(starts, ends, strict=False):
        above, third = divmod(int(keys[start]), third_count)
        yield Group(*divmod(above, scope_count), third, start, end)


def _content(array: pa.Array) -> tuple[bytes, list[int]]:
    """All bytes of a column, and where each row begins in them."""
    _, places, content = array.buffers()
    offsets = np.frombuffer(places, np.int32)[array.offset : array.offset + len(array) + 1]
    return (content.to_pybytes() if content is not None else b""), offsets.tolist()
