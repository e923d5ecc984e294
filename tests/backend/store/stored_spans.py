"""A store with its engine, and tables of spans to put into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.signals import TIME_COLUMN, Signal, quote_identifier
from spanglass_server.store.contents import Chunk
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.store.segment_files.catalog import Digests, LocalCatalog
from spanglass_server.store.segment_files.retention import RetentionLimits
from spanglass_server.store.segment_files.segments import Segment
from spanglass_server.store.sessions.connections import EngineLimits
from spanglass_server.store.sessions.engine import Engine
from spanglass_server.store.store import Store, StoreLimits

Row = dict[str, Any]


def trace_id(number: int) -> bytes:
    """The id of a numbered trace."""
    return number.to_bytes(16, "big")


def table(rows: list[Row], **types: pa.DataType) -> pa.Table:
    """Span rows as ingest gives them: columns that no row has are absent. ``n`` numbers the trace and the time."""
    names = dict.fromkeys(name for row in rows for name in row if name != "n")
    columns = {
        "trace_id": pa.array([trace_id(row["n"]) for row in rows], pa.binary()),
        "start_time_ns": pa.array([row["n"] for row in rows], pa.int64()),
        "name": pa.array([str(row["n"]) for row in rows], pa.string()),
        **{name: pa.array([row.get(name) for row in rows], types.get(name)) for name in names},
    }
    return pa.table(columns)


def segment(number: int = 1, **fields: Any) -> Segment:
    """A segment as the catalog knows it, without a file."""
    facts: dict[str, Any] = {
        "signal": Signal.SPANS,
        "file": f"segments/spans/{number}.parquet",
        "rows": 10,
        "bytes": 1000,
        "min_time_ns": 0,
        "max_time_ns": 10,
        "arrived_ns": 10,
        "columns": frozenset({"name", "span.k:str"}),
    }
    return Segment(id=number, **(facts | fields))


class Bench:
    """Store and engine of one data directory."""

    def __init__(self, data_dir: Path, retention: RetentionLimits | None = None, **limits: int) -> None:
        data_dir.mkdir(exist_ok=True)
        self.data_dir = data_dir
        self.catalog = LocalCatalog(data_dir / "catalog.sqlite")
        self.store = Store(data_dir, self.catalog, StoreLimits(1000, retention or RetentionLimits({})), Telemetry())
        engine_limits = {"memory_bytes": 1 << 28, "threads": 2, "max_concurrent": 2} | limits
        self.engine = Engine(self.store.contents, data_dir, EngineLimits(**engine_limits), lambda _: None)
        self.generation = 0

    def buffer(self, rows: pa.Table, signal: Signal = Signal.SPANS, arrived_ns: int = 0) -> None:
        """Put a table into memory, as a generation of its own."""
        self.generation += 1
        self.store.contents.append({signal: Chunk.of(self.generation, signal, rows, arrived_ns)})

    def flush(self, generation: int = 0) -> None:
        """Make a segment of a generation, of the last one unless told."""
        number = generation or self.generation
        self.store.flush(number, Digests(number, 0, frozenset()), 0)

    def forget_recent(self) -> None:
        """Have rows of segments read from there, as a minute or two after they were written."""
        for _ in range(2):
            self.store.contents.discard(self.store.contents.recent.pass_turn())

    def write(self, rows: pa.Table, signal: Signal = Signal.SPANS, arrived_ns: int = 0) -> None:
        """Make a segment of a table."""
        self.buffer(rows, signal, arrived_ns)
        self.flush()

    def select(self, columns: list[str], signal: Signal = Signal.SPANS, window=ALL_TIME, **pruning: Any) -> list[Row]:
        """Columns of the rows within a window, ordered by time."""
        time = TIME_COLUMN[signal]

        def ask(session: Any) -> list[Row]:
            source = session.relation(signal, window, [*columns, time], **pruning)
            names = ", ".join(map(quote_identifier, columns))
            where = f"{time} >= {window.start_ns} AND {time} < {window.end_ns}"
            return session.rows(f"SELECT {names} FROM {source} WHERE {where} ORDER BY {time}")  # noqa: S608

        return self.engine.run_here(ask)

    def numbers(self, **pruning: Any) -> list[int]:
        """The numbers of all spans, in order."""
        return [int(row["name"]) for row in self.select(["name"], **pruning)]

    def files(self) -> list[str]:
        """The segments on disk, by their main files."""
        return [path for path in self.all_files() if path.startswith("segments/")]

    def all_files(self) -> list[str]:
        """Every file that segments may have left on disk."""
        return sorted(str(path.relative_to(self.data_dir)) for path in self.data_dir.glob("*/*/*"))

    def bytes_on_disk(self) -> int:
        """The size of all of them."""
        return sum((self.data_dir / path).stat().st_size for path in self.all_files())

    def strays(self) -> list[str]:
        """Files on disk of segments that the catalog does not know."""
        known = {str(held.id).rjust(12, "0") for held in self.catalog.segments()}
        return [path for path in self.all_files() if Path(path).stem not in known]

    def close(self) -> None:
        """Release everything."""
        self.engine.close()
        self.catalog.close()
