"""Small requests in which nothing is wrong, told from the buffers of their Arrow arrays in a few steps.

With ten requests a second each finds the processor's caches full of other things, and every step takes four times as
long as when it was just done, whatever it does. So all buffers are had in one call, and are compared as bytes where
that says enough. What may be wrong is not judged here: ``checks.py`` says what it is.
"""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spanglass_server.ingest.protobuf.otlp_schema import CHECK_HANDLERS, record_batch
from spanglass_server.ingest.records.checks import LATEST_NS, SPAN_ID_BYTES, TRACE_ID_BYTES
from spanglass_server.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_MOST = 4096  # records that are looked at here
_OFFSET_BYTES = 4
_TIME_BYTES = 8
_FEW = 32  # numbers, up to which calling numpy takes longer than comparing them one by one


class PlainRecords:
    """Finds requests of which every record can be stored, in whole batches of one of the ``CHECK_HANDLERS``.

    ``records`` is the way to the records. Of their fields, and those of items in lists of theirs, ``times`` must be
    possible; ``ids`` must have so many bytes, not all of them zeros; ``maybe_ids`` so many bytes or none.
    """

    def __init__(
        self,
        signal: Signal,
        records: tuple[str, str],
        times: Sequence[str],
        ids: Mapping[str, int] | None = None,
        maybe_ids: Mapping[str, int] | None = None,
    ) -> None:
        empty = record_batch(CHECK_HANDLERS[signal], [])
        place = {path: number for number, path in enumerate(_paths((), empty.schema.field(0).type))}
        scopes, whole = records[:1], records
        self._levels = [place["offsets", *path] for path in ((), scopes, whole)]
        self._times = [place["values", *whole, *name.split(".")] for name in times]
        self._ids = [
            (place["offsets", *whole, name], place["values", *whole, name], bytes(size), _offsets_of(size))
            for name, size in (ids or {}).items()
        ]
        self._maybe_ids = [(place["offsets", *whole, name], size) for name, size in (maybe_ids or {}).items()]

    def counts(self, batch: Any, latest_ns: int) -> list[int] | None:
        """How many records each request has; None if one may not be storable, or if there are many."""
        buffers = batch.column(0).buffers()
        first = buffers[self._times[0]]
        total = 0 if first is None else first.size // _TIME_BYTES
        if total > _MOST:
            return None
        if total and not (self._have_ids(buffers, total) and self._latest(buffers) <= min(latest_ns, LATEST_NS - 1)):
            return None
        return [total] if batch.num_rows == 1 else self._each(buffers, batch.num_rows, total)

    def _have_ids(self, buffers: list[Any], total: int) -> bool:
        for place, values, zeros, expected in self._ids:
            same = buffers[place].to_pybytes() == expected[: _OFFSET_BYTES * (total + 1)]
            if not same or zeros in buffers[values].to_pybytes():  # two that end and begin so are looked at again
                return False
        for place, size in self._maybe_ids:
            if total <= _FEW:
                few = memoryview(buffers[place]).cast("b").cast("i")
                if not {0, size}.issuperset(map(sub, few[1:], few)):
                    return False
                continue
            offsets = np.frombuffer(buffers[place], np.int32)
            if int(np.bitwise_or.reduce(offsets[1:] - offsets[:-1])) & ~size:
                return False
        return True

    def _latest(self, buffers: list[Any]) -> int:
        times = b"".join([buffers[place] for place in self._times if buffers[place] is not None])
        if len(times) <= _FEW * _TIME_BYTES:
            return max(memoryview(times).cast("Q"))
        return int(np.frombuffer(times, np.uint64).max())

    def _each(self, buffers: list[Any], rows: int, total: int) -> list[int] | None:
        if not total:
            return [0] * rows
        ends: NDArray[Any] = np.arange(rows + 1)
        for place in self._levels:
            ends = np.frombuffer(buffers[place], np.int32)[ends]
        return (ends[1:] - ends[:-1]).tolist()  # type: ignore[no-any-return]


def _offsets_of(size: int) -> bytes:
    """The offsets of ``_MOST`` values of one size."""
    return np.arange(0, size * (_MOST + 1), size, dtype=np.int32).tobytes()


def _paths(path: tuple[str, ...], kind: Any) -> Iterator[tuple[str, ...]]:
    """What each of ``Array.buffers()`` is, in their order: a word, and the fields on the way to it."""
    yield ("validity", *path)
    if pa.types.is_list(kind):
        yield ("offsets", *path)
        yield from _paths(path, kind.value_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _paths((*path, field.name), field.type)
    else:
        if pa.types.is_binary(kind):
            yield ("offsets", *path)
        yield ("values", *path)


#: For each signal that has them.
PLAIN = {
    Signal.SPANS: PlainRecords(
        Signal.SPANS,
        ("scope_spans", "spans"),
        ("start_time_unix_nano", "end_time_unix_nano", "events.time_unix_nano"),
        {"trace_id": TRACE_ID_BYTES, "span_id": SPAN_ID_BYTES},
        {"parent_span_id": SPAN_ID_BYTES},
    ),
    Signal.LOGS: PlainRecords(
        Signal.LOGS, ("scope_logs", "log_records"), ("time_unix_nano", "observed_time_unix_nano")
    ),
}
