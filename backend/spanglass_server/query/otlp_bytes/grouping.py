"""Records below their scopes below their resources: one request of OTLP out of columns of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from spanglass_server.query.otlp_bytes.repeating import rows_alike
from spanglass_server.query.otlp_bytes.values import Attributes
from spanglass_server.query.otlp_bytes.wire import Messages, block, blocks, coded, joined, numbers, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


#: What writes the records of one lowest group: of what they have in common, and their bytes.
Make: TypeAlias = "Callable[[bytes, bytes], bytes]"


class Below(NamedTuple):
    """What records of one scope have in common, for each of them, and what writes those with the same."""

    heads: pa.DictionaryArray
    make: Make


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

    def each(self, write: Callable[[int, pa.Array], pa.Array], **fields: int) -> list[pa.Array]:
        """What ``write`` makes of columns by their names, each with the number of its field; those that are there."""
        return [write(field, found) for name, field in fields.items() if (found := self.get(name)) is not None]


class Group(NamedTuple):
    """Rows that follow each other and have the same three numbers."""

    first: int
    second: int
    third: int
    start: int
    end: int


def resources(table: pa.Table, attributes: Attributes) -> pa.DictionaryArray:
    """What stands in a resource's entry before its scopes."""
    return _of_position(table, attributes, "resource", _resource)


def scopes(table: pa.Table, attributes: Attributes) -> pa.DictionaryArray:
    """What stands in a scope's entry before its records."""
    return _of_position(table, attributes, "scope", _scope)


def _of_position(
    table: pa.Table, attributes: Attributes, position: str, write: Callable[[Columns, Attributes], pa.Array]
) -> pa.DictionaryArray:
    if attributes.has_overflow(position):
        return write(Columns(table), attributes).dictionary_encode()
    return once(table, (f"{position}.", f"{position}_"), lambda few: write(Columns(few), Attributes.of_rows(few)))


def once(table: pa.Table, prefixes: tuple[str, ...], write: Callable[[pa.Table], pa.Array]) -> pa.DictionaryArray:
    """Write what depends on columns that begin so, once for all rows that have the same in them."""
    names = [name for name in table.column_names if name.startswith(prefixes)]
    alike = rows_alike([whole(table.column(name)) for name in names], table.num_rows)
    few = table.select(names or table.column_names[:1]).take(alike.first)  # a table without columns has no rows
    written = write(few).dictionary_encode()
    return pa.DictionaryArray.from_arrays(written.indices.take(alike.kinds), written.dictionary)


def _resource(columns: Columns, attributes: Attributes) -> pa.Array:
    parts = attributes.at("resource", 1) + columns.each(numbers, resource_dropped_attributes_count=2)
    if (refs := columns.get("resource_entity_refs")) is not None:
        parts.append(coded(refs, _entity_refs))
    return _entry(blocks(1, joined(parts, columns.rows)), columns, "resource_schema_url")


def _scope(columns: Columns, attributes: Attributes) -> pa.Array:
    parts = columns.each(blocks, scope_name=1, scope_version=2) + attributes.at("scope", 3)
    parts += columns.each(numbers, scope_dropped_attributes_count=4)
    return _entry(blocks(1, joined(parts, columns.rows)), columns, "scope_schema_url")


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


class Records:
    """Records with what stands above each, to be written as requests.

    ``messages`` are those of records, each a field already. ``below``, if there is one, is what records of one scope
    have in common, and ``make`` writes those with the same, of that and their bytes.
    """

    def __init__(
        self, above: pa.DictionaryArray, middle: pa.DictionaryArray, messages: Messages, below: Below | None = None
    ) -> None:
        levels = [above, middle] + ([] if below is None else [below.heads])
        self._messages = messages
        self._make: Make = below.make if below else lambda _, content: content
        self._heads = [each.dictionary.to_pylist() for each in levels] + ([] if below else [[b""]])
        self._keys = np.zeros(len(messages.sizes), np.int64)
        #: Bytes of each row as if it stood alone.
        self.sizes = messages.sizes.copy()
        for each in levels:
            codes = each.indices.to_numpy(zero_copy_only=False).astype(np.int64)
            self._keys = self._keys * len(each.dictionary) + codes
            self.sizes += pc.binary_length(each.dictionary).to_numpy(zero_copy_only=False)[codes]

    def request(self, start: int, end: int) -> bytes:
        """Write rows from ``start`` to before ``end`` as one request."""
        keys = self._keys[start:end]
        order = np.argsort(keys, kind="stable")
        buffer, edges = self._messages.taken(start + order)
        content, offsets = memoryview(buffer or b""), edges.tolist()
        written: dict[int, dict[int, list[bytes]]] = {}
        for group in _groups(keys[order], len(self._heads[1]), len(self._heads[2])):
            made = self._make(self._heads[2][group.third], bytes(content[offsets[group.start] : offsets[group.end]]))
            written.setdefault(group.first, {}).setdefault(group.second, []).append(made)
        return b"".join([block(1, self._heads[0][first] + self._scopes(of)) for first, of in written.items()])

    def _scopes(self, written: dict[int, list[bytes]]) -> bytes:
        return b"".join([block(2, self._heads[1][second] + b"".join(made)) for second, made in written.items()])


def _groups(keys: np.ndarray, scope_count: int, third_count: int) -> Iterator[Group]:
    edges = np.flatnonzero(np.diff(keys)) + 1
    starts = [0, *edges.tolist()] if len(keys) else []
    ends = [*edges.tolist(), len(keys)]
    for start, end in zip(starts, ends, strict=False):
        above, third = divmod(int(keys[start]), third_count)
        yield Group(*divmod(above, scope_count), third, start, end)
