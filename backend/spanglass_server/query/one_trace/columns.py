"""A trace in columns: what a waterfall draws and finds by, in a tenth of the bytes of whole spans.

Row *n* of every column is span *n* of the tree, depth first; its parent is the last one above it that is less deep.
Values that repeat are written once, values that are nearly always the same are left out (docs/api.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import compress, count
from operator import ne
from typing import TYPE_CHECKING, Any, TypedDict, cast

import numpy as np

from spanglass_server.overflow import overflow_entries
from spanglass_server.query.rows.attributes import plain_value
from spanglass_server.query.rows.plain_attributes import encoded
from spanglass_server.query.trace_tree.arrays import numbered
from spanglass_server.signals import AttributeColumn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from spanglass_server.query.rows.span_rows import SpanRows

Json = dict[str, Any]


class Coded(TypedDict):
    """A column of few different values: those, and for each row which of them it has."""

    values: list[str]
    at: list[int]


#: A column of which most rows have the value ``else``; ``rows`` have the others.
Sparse = TypedDict("Sparse", {"else": Any, "rows": list[int], "values": list[Any]})


class Columns(TypedDict):
    """The spans of a trace as one column a field."""

    key: list[str]
    depth: list[int]
    offset_ns: list[int]
    duration_ns: list[int]
    self_time_ns: list[int]
    name: Coded
    service: Coded
    kind: Coded
    status: Coded
    query: Coded
    target: Coded
    children: Sparse
    critical: Sparse
    awaited: Sparse
    orphan: Sparse
    skew_ns: Sparse
    start_unknown: Sparse
    state: Sparse
    last_heard_time: Sparse
    status_message: Sparse
    events: Sparse


class WaterfallColumns(Columns):
    """The same; ``critical`` lacks the spans all of whose time was waited for, which stand in ``critical_whole``.

    Those are rows, each written as the distance from the one before.
    """

    critical_whole: list[int]


class IndexedAttribute(TypedDict):
    """The values of a key, and for each the rows that have it."""

    key: str
    values: list[str]
    rows: list[list[int]]


#: Columns of which most rows have a value of their own.
_LISTED = ("key", "depth", "offset_ns", "duration_ns", "self_time_ns")
#: Columns of few different values.
_CODED = ("name", "service", "kind", "status", "query", "target")
#: Columns of which most rows have the value that stands here.
_SPARSE: Json = {
    "children": 0,
    "critical": [],
    "awaited": True,
    "orphan": False,
    "skew_ns": 0,
    "start_unknown": False,
    "state": "ended",
    "last_heard_time": None,
    "status_message": "",
    "events": [],
}
#: What all spans that have ended say alike.
_ALIKE = frozenset({"state", "last_heard_time"})
#: Characters of a value by which a span is found; what comes after them is in the span itself.
MOST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a field by number: the number of each row's, and all texts, each once."""

    numbers: NDArray[np.int64]
    texts: Sequence[str]

    @classmethod
    def of(cls, numbers: NDArray[np.int64], texts: Sequence[str]) -> Texts:
        """Make it of texts some of which may be the same; -1 stands for the last."""
        of_text, different = numbered(texts)
        return cls(np.asarray(of_text, dtype=np.int64)[numbers], different)

    def taken(self, rows: NDArray[np.int64]) -> Texts:
        """Return those of some rows."""
        return Texts(self.numbers[rows], self.texts)

    def coded(self) -> Coded:
        """Write them in the order in which they first come."""
        rows = len(self.numbers)
        firsts = np.full(len(self.texts), rows)
        firsts[self.numbers[::-1]] = np.arange(rows)[::-1]  # the first row is written last
        order = np.argsort(firsts)[: np.count_nonzero(firsts < rows)]
        places = np.empty(len(self.texts), dtype=np.int64)
        places[order] = np.arange(len(order))
        return {"values": [self.texts[number] for number in order.tolist()], "at": places[self.numbers].tolist()}


def pack(fields: Mapping[str, Sequence[Any] | Texts]) -> Columns:
    """Write spans, given as a list for each field of ``Columns``, or as texts by number, as columns."""
    columns: Json = {name: fields[name] for name in _LISTED}
    for name in _CODED:
        columns[name] = _coded(fields[name])
    for name, usual in _SPARSE.items():
        values = cast("Sequence[Any]", fields[name])
        is_all = values.count(usual) == len(values)  # in a fifth of the time, and nearly always so
        rows = [] if is_all else [*compress(count(), map(partial(ne, usual), values))]
        columns[name] = {"else": usual, "rows": rows, "values": [values[row] for row in rows]}
    return cast("Columns", columns)


def taken(columns: Mapping[str, Sequence[Any] | Texts], rows: Sequence[int]) -> dict[str, Sequence[Any] | Texts]:
    """Return the columns of spans that have ended in another order."""
    places, found = np.asarray(rows), dict(columns)
    for name, column in columns.items():
        if isinstance(column, Texts):
            found[name] = column.taken(places)
        elif name not in _ALIKE:
            found[name] = [column[row] for row in rows]
    return found


def _coded(texts: Sequence[str] | Texts) -> Coded:
    if isinstance(texts, Texts):
        return texts.coded()
    at, values = numbered(texts)
    return {"values": values, "at": at}


def attribute_index(
    spans: SpanRows, places: Sequence[int], opened: Sequence[tuple[int, Mapping[str, Any]]]
) -> list[IndexedAttribute]:
    """Which rows of the answer have which attribute: one entry a key, with ``values`` and, for each, ``rows``.

    ``places`` are the rows of the answer of the stored spans, -1 for those that are not in it; ``opened`` the rows and
    attributes of spans that are not stored. Rows rise; each is written as the distance from the one before.
    """
    found: dict[str, dict[str, list[int]]] = {}
    rows_of = np.asarray(places, dtype=np.int64)
    for attribute, column in _columns(spans.table):
        values = found.setdefault(attribute.key, {})
        for value, rows in _postings(column, rows_of):
            values.setdefault(_text(plain_value(attribute.type, value)), []).extend(rows)
    others = [
        (places[row], attribute.key, plain_value(attribute.type, value))
        for row, _, attribute, value in overflow_entries(spans.table)
        if attribute.position == "span"
    ]
    others += [(row, key, value) for row, attributes in opened for key, value in attributes.items()]
    for row, key, value in others:
        if row >= 0:
            found.setdefault(key, {}).setdefault(_text(value), []).append(row)
    return [_entry(key, found[key]) for key in sorted(found)]


def _columns(table: pa.Table) -> Iterator[tuple[AttributeColumn, Any]]:
    for name in table.column_names:
        attribute = AttributeColumn.parse(name)
        if attribute is not None and attribute.position == "span" and table[name].null_count < table.num_rows:
            yield attribute, table[name]


def _postings(column: Any, rows_of: np.ndarray[Any, Any]) -> Iterator[tuple[Any, list[int]]]:
    """Each value of a column with the rows of the answer that have it."""
    codes, dictionary = encoded(column)
    shown = (codes >= 0) & (rows_of >= 0)
    codes, rows = codes[shown], rows_of[shown]
    order = np.lexsort((rows, codes))
    codes, rows = codes[order], rows[order]
    kinds, starts = np.unique(codes, return_index=True)
    listed, ends = rows.tolist(), [*starts.tolist()[1:], len(rows)]
    values = dictionary.to_pylist()
    for kind, start, end in zip(kinds.tolist(), starts.tolist(), ends, strict=True):
        yield values[kind], listed[start:end]


def _text(value: Any) -> str:
    """A value as it is searched in."""
    text = value if isinstance(value, str) else _plain_text(value)
    return text[:MOST_TEXT]


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_text(item)}' for key, item in value.items())}}}"
    return "null" if value is None else str(value)


def _entry(key: str, values: Mapping[str, list[int]]) -> IndexedAttribute:
    return {"key": key, "values": list(values), "rows": [distances(sorted(set(rows))) for rows in values.values()]}


def distances(rows: Sequence[int]) -> list[int]:
    """Write rows that rise each as the distance from the one before."""
    return [row - before for before, row in zip([0, *rows], rows, strict=False)]
