"""A trace in columns (docs/api.md) as the spans that pages draw; ``static/js/columns.js`` reads the same answer.

What a page and its script draw comes from one answer, so both show a trace at one moment, also while it goes on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, overload

import orjson

from spanglass_server.query.traces.time_spent import most_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spanglass_server.query.traces.time_spent import TimeSpent

#: Fields of a chosen span that its row says: it is drawn from them.
_OF_ROW = ("key", "depth", "offset_ns", "duration_ns", "self_time_ns", "skew_ns", "start_unknown", "orphan", "children",
           "state", "last_heard_time", "status", "parent_key")  # fmt: skip
#: What is shown of a span that could not be read in full.
_UNREAD: dict[str, Any] = {"parent_span_id": None, "resource": {}, "scope": {"name": "", "version": ""}, "links": []}


class Spans(Sequence[dict[str, Any]]):
    """The spans of an answer in columns, each made when it is first asked for; ``column`` has one field of all.

    A span has the fields of the answer, ``span_id``, ``parent_key``, and its query as an attribute.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self._packed = dict(answer["columns"])
        self._critical_whole = self._packed.pop("critical_whole", ())
        self._count: int = answer["span_count"]
        self._columns: dict[str, Sequence[Any]] = {}
        self._made: dict[int, dict[str, Any]] = {}

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the span of a row, or those of some."""
        if isinstance(place, slice):
            return [self[row] for row in range(*place.indices(self._count))]
        row = range(self._count)[place]
        if row not in self._made:
            self._made[row] = self._make(row)
        return self._made[row]

    def column(self, name: str) -> Sequence[Any]:
        """Return a field of all spans."""
        if name not in self._columns:
            self._columns[name] = self._unpacked(name)
        return self._columns[name]

    def others(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield rows and values of a field in which most spans have the same: of those that have another."""
        packed = self._packed[name]
        return zip(packed["rows"], packed["values"], strict=True)

    @cached_property
    def parents(self) -> Sequence[int]:
        """The row of each span's parent, -1 for none."""
        return parents_of(self.column("depth"))

    def row_of(self, key: str) -> int | None:
        """Return the row of the span that has a key, or first has it as its id."""
        keys = self.column("key")
        if key in keys:
            return keys.index(key)
        return next((row for row, own in enumerate(keys) if own.partition("-")[0] == key), None) if key else None

    def critical_ns(self) -> list[int]:
        """Return for how long the trace waited for each span itself."""
        found = [0] * self._count
        for row, parts in self.others("critical"):
            found[row] = sum(took_ns for _, took_ns in parts)
        durations = self.column("duration_ns")
        for row in accumulate(self._critical_whole):
            found[row] = durations[row]
        return found

    def _make(self, row: int) -> dict[str, Any]:
        span = {name: self._value(name, row) for name in self._packed}
        span["span_id"] = span["key"].partition("-")[0]
        depths = self.column("depth")
        parent = next((above for above in range(row - 1, -1, -1) if depths[above] < depths[row]), None)
        span["parent_key"] = None if parent is None else self.column("key")[parent]
        span["attributes"] = {"db.query.text": span["query"]} if span["query"] else {}
        return span

    def _value(self, name: str, row: int) -> Any:
        """Return a field of one span, without unpacking that of all others: of 100,000 spans that takes 0.1 s."""
        packed = self._packed[name]
        if isinstance(packed, list):
            return packed[row]
        if "at" in packed:
            return packed["values"][packed["at"][row]]
        place = bisect_left(packed["rows"], row)
        if packed["rows"][place : place + 1] == [row]:
            return packed["values"][place]
        if name == "critical" and row in self._whole_rows:
            return [[self._packed["offset_ns"][row], self._packed["duration_ns"][row]]]
        return packed["else"]

    @cached_property
    def _whole_rows(self) -> frozenset[int]:
        return frozenset(accumulate(self._critical_whole))

    def _unpacked(self, name: str) -> Sequence[Any]:
        packed = self._packed[name]
        if isinstance(packed, list):
            return packed
        if "at" in packed:
            values = packed["values"]
            return [values[at] for at in packed["at"]]
        found = [packed["else"]] * self._count
        for row, value in self.others(name):
            found[row] = value
        if name == "critical":
            offsets, durations = self.column("offset_ns"), self.column("duration_ns")
            for row in accumulate(self._critical_whole):
                found[row] = [[offsets[row], durations[row]]]
        return found


def parents_of(depths: Sequence[int]) -> list[int]:
    """Return for each row the last one above it that is less deep, -1 at the top."""
    above: list[int] = []
    found = []
    for row, depth in enumerate(depths):
        del above[depth:]
        found.append(above[-1] if above else -1)
        above.append(row)
    return found


def unpack(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trace with its ``spans``, which are made as they are asked for."""
    head = {name: value for name, value in answer.items() if name not in ("columns", "attributes")}
    return {**head, "spans": Spans(answer)}


def time_spent_of(spans: Spans) -> TimeSpent | None:
    """Say where most of a trace's time went (``query.traces.time_spent``)."""
    return most_of(zip(*map(spans.column, ("service", "name", "query", "self_time_ns")), strict=True))


def in_full(span: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return a span with all that was read of it, and with what its row says; without it, what the row says."""
    return {**_UNREAD, **span, **whole, **{name: span[name] for name in _OF_ROW}}


def as_data(value: Any) -> str:
    """Write a value as JSON for a ``script`` element of data, out of which no text can lead."""
    return as_bytes(value).decode()


def as_bytes(value: Any) -> bytes:
    """Write it so in UTF-8."""
    return orjson.dumps(value).replace(b"<", b"\\u003c")
