"""From columns of spans and log records to the exceptions that they tell of, one ``Told`` each.

Whole columns are looked at with Arrow and numpy; Python sees only what tells of an exception.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from spanglass_core.attribute_names import EXCEPTION_FINGERPRINT, EXCEPTION_HANDLED, EXCEPTION_OCCURRENCE_ID
from spanglass_server.error_text import as_text, parsed
from spanglass_server.issues.occurrences.overflowed import with_overflowed
from spanglass_server.service_names import service_name
from spanglass_server.signals import (
    OVERFLOW_COLUMNS,
    POSITIONS,
    TIME_COLUMN,
    AttributeColumn,
    Signal,
    ValueType,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_TYPE, _MESSAGE, _STACK = "exception.type", "exception.message", "exception.stacktrace"
_PLACE_BITS = 32  # offsets of lists have no more
_TELLS = (_TYPE, _MESSAGE, _STACK)
#: Where the attributes of an exception stand, by signal.
_POSITION = {Signal.SPANS: "event", Signal.LOGS: "log"}
#: Keys of release, environment and user; of several the first that is there counts.
_CONTEXT_KEYS = (
    ("service.version",),
    ("deployment.environment.name", "deployment.environment"),
    ("user.id", "enduser.id", "user.email", "user.name"),
)


class Told(NamedTuple):
    """What one span event or log record tells of an exception. Texts are empty, others None, where nothing is said.

    A tuple: a frozen dataclass of so many fields takes five times as long to make.
    """

    is_span_event: bool
    type: str
    message: str
    stacktrace: str
    occurrence_id: str
    fingerprint: tuple[str, ...]
    handled: bool | None
    service: str
    release: str
    environment: str
    user: str
    trace_id: bytes | None
    span_id: bytes | None
    parent_span_id: bytes | None
    record_time_ns: int
    time_ns: int
    event_index: int | None
    record_order: int | None
    attributes: Mapping[str, str]  # those that rules of grouping ask for


def told(signal: Signal, table: Any, keys: Sequence[str] = ()) -> Iterator[Told]:
    """Return what the rows of a table of spans or log records tell of exceptions, in their order.

    ``keys`` are attributes that are wanted beside. An event or record tells of an exception if it has its type, message
    or stack trace, whatever its name is.
    """
    if signal not in _POSITION:
        return
    table = with_overflowed(table, _names(signal, tuple(keys)))
    places = _places(signal, table)
    if places is None:
        return
    columns = _Columns(table, *places)
    own, around, time = _POSITION[signal], POSITIONS[signal], TIME_COLUMN[signal]
    is_event = signal is Signal.SPANS
    started = columns.fixed(time)
    happened = columns.fixed("event_time_ns") if is_event else started
    fields: list[Iterable[Any]] = [
        [is_event] * columns.count,
        *(columns.texts([own], (key,)) for key in (*_TELLS, EXCEPTION_OCCURRENCE_ID)),
        map(_fingerprint, columns.values(around, (EXCEPTION_FINGERPRINT,))),
        (value if isinstance(value, bool) else None for value in columns.values([own], (EXCEPTION_HANDLED,))),
        map(service_name, columns.texts(["resource"], ("service.name",))),
        *(columns.texts(around, of) for of in _CONTEXT_KEYS),
        *(columns.fixed(name) for name in ("trace_id", "span_id", "parent_span_id")),
        started,
        (event_ns or span_ns for event_ns, span_ns in zip(happened, started, strict=True)),
        columns.offsets.tolist() if is_event else [None] * columns.count,
        columns.fixed("arrival_order"),
        columns.maps(around, keys),
    ]
    yield from map(Told._make, zip(*fields, strict=True))


def _fingerprint(value: Any) -> tuple[str, ...]:
    """Return what the sender wants grouped by: a list of texts, or one."""
    if value is None:
        return ()
    value = parsed(value)
    return tuple(map(as_text, value)) if isinstance(value, list) else (as_text(value),)


def _places(signal: Signal, table: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the rows that tell of an exception, and which of their events; None if there are none."""
    position = _POSITION[signal]
    names = _columns_of(table, [position], _TELLS)
    found = [_filled(table[name].combine_chunks(), is_list=position == "event") for name in names]
    if not any(len(rows) for rows, _ in found):
        return None
    places = np.unique(np.concatenate([rows << _PLACE_BITS | inside for rows, inside in found]))
    return places >> _PLACE_BITS, places & ((1 << _PLACE_BITS) - 1)


def _filled(values: Any, *, is_list: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows, and places in their lists, that hold a value."""
    values = values.chunk(0) if isinstance(values, pa.ChunkedArray) else values
    if not is_list:
        rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        return rows, np.zeros_like(rows)
    starts = values.offsets.to_numpy()
    inside = np.flatnonzero(values.values.is_valid().to_numpy(zero_copy_only=False))
    inside = inside[(inside >= starts[0]) & (inside < starts[-1])]
    rows = np.searchsorted(starts, inside, side="right") - 1
    return rows, inside - starts[rows]


def _columns_of(table: Any, positions: Iterable[str], keys: Iterable[str]) -> list[str]:
    """Return the columns of a table that hold one of these keys, the likeliest first."""
    present = set(table.column_names)
    return [name for name in _column_names(tuple(positions), tuple(keys)) if name in present]


@lru_cache
def _column_names(positions: tuple[str, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(AttributeColumn(place, key, kind).name for key in keys for place in positions for kind in ValueType)


@lru_cache
def _names(signal: Signal, keys: tuple[str, ...]) -> frozenset[str]:
    """Return every column that may be read."""
    return frozenset(_column_names(tuple(POSITIONS[signal]), tuple(_keys_read(keys))))


def _keys_read(keys: Iterable[str]) -> set[str]:
    own = {*_TELLS, EXCEPTION_OCCURRENCE_ID, EXCEPTION_FINGERPRINT, EXCEPTION_HANDLED, "service.name"}
    return own.union(keys, *_CONTEXT_KEYS)


class _Columns:
    """Values of the chosen rows, and of one event of each."""

    def __init__(self, table: Any, rows: NDArray[np.int64], offsets: NDArray[np.int64]) -> None:
        self._table = table
        self._rows = pa.array(rows)
        self.offsets = offsets
        self.count = len(rows)

    def fixed(self, name: str) -> list[Any]:
        """Return the values of a fixed column; of a list those of the event."""
        if name not in self._table.column_names:
            return [None] * self.count
        taken = self._table[name].take(self._rows).combine_chunks()
        taken = taken.chunk(0) if isinstance(taken, pa.ChunkedArray) else taken
        if pa.types.is_dictionary(taken.type):
            taken = taken.dictionary_decode()  # a list of what a dictionary holds takes 1.1 us each, one of texts 0.02
        if not pa.types.is_list(taken.type):
            return list(taken.to_pylist())
        starts = taken.offsets.to_numpy()
        lengths = np.diff(starts)
        has = (self.offsets < lengths) & taken.is_valid().to_numpy(zero_copy_only=False)
        places = pa.array(np.where(has, starts[:-1] + self.offsets, 0), mask=~has)
        return list(taken.values.take(places).to_pylist())

    def values(self, positions: Sequence[str], keys: Sequence[str]) -> list[Any]:
        """Return the first value that each row has under these keys, None where it has none."""
        found: list[Any] = [None] * self.count
        for name in _columns_of(self._table, positions, keys):
            found = [old if old is not None else new for old, new in zip(found, self.fixed(name), strict=True)]
        return found

    def texts(self, positions: Sequence[str], keys: Sequence[str]) -> list[str]:
        """Return them as text, empty where there are none; of lists and maps, which some send, what they say."""
        found = [""] * self.count
        for name in _columns_of(self._table, positions, keys):
            text = as_text if name.endswith(f":{ValueType.JSON}") else _plain
            found = [old or text(new) for old, new in zip(found, self.fixed(name), strict=True)]
        return found

    def maps(self, positions: Sequence[str], keys: Sequence[str]) -> list[dict[str, str]]:
        """Return those of these attributes that each row has."""
        several = [self.texts(positions, (key,)) for key in keys]
        return [
            {key: values[i] for key, values in zip(keys, several, strict=True) if values[i]} for i in range(self.count)
        ]


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else as_text(value)


def exception_columns(columns: Iterable[str], keys: Iterable[str] = ()) -> list[str]:
    """Return which columns of attributes, and of their overflow, ``told`` reads when it is asked for ``keys`` too."""
    read = _keys_read(keys)
    parsed_names = ((name, AttributeColumn.parse(name)) for name in columns)
    return [
        name for name, attribute in parsed_names if (attribute.key in read if attribute else name in OVERFLOW_COLUMNS)
    ]
