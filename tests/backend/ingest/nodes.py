"""Storage nodes for tests: real files, a clock that stands still until it is told, and questions in one line."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.process.storage_node import StorageNode
from spanglass_server.self_metrics.registry import Telemetry
from spanglass_server.settings.table import Data, Ingest, Retention, Settings, Storage
from spanglass_server.signals import Signal
from spanglass_server.store.disk import DISK, Disk
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spanglass_server.ingest.journal.flushing import FlushPace
    from spanglass_server.ingest.ports import Accepted

NOW_NS = 1_800_000_000_000_000_000
_PATIENCE_S = 60.0


class Clock:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.now_ns = NOW_NS

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ns


class Node:
    """A storage node with the few questions that tests ask."""

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        storage: dict[str, Any],
        ingest: dict[str, Any],
        disk: Disk = DISK,
        pace: FlushPace | None = None,
        retention: Retention | None = None,
    ) -> None:
        settings = Settings(
            data=Data(dir=data_dir),
            retention=retention or Retention(),
            storage=Storage(**({"min_free_disk_bytes": 0} | storage)),
            ingest=Ingest(**ingest),
        )
        self.data_dir = data_dir
        self.clock = clock
        self.telemetry = Telemetry()
        self.real = StorageNode(settings, self.telemetry, clock, disk, pace)

    def submit(self, *bodies: bytes, signal: Signal = Signal.SPANS) -> list[Accepted | BaseException]:
        """Submit bodies at once, and return each one's answer or error."""

        async def all_of_them() -> list[Accepted | BaseException]:
            waiting = [self.real.ingest.submit(signal, body) for body in bodies]
            return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), _PATIENCE_S)

        return asyncio.run(all_of_them())

    def names(self) -> list[str]:
        """The names of all stored spans, sorted."""

        def ask(session: Any) -> list[str]:
            spans = session.relation(Signal.SPANS, ALL_TIME, ["name"])
            return [row["name"] for row in session.rows(f"SELECT name FROM {spans} ORDER BY name")]  # noqa: S608

        return self.real.engine.run_here(ask)

    def journals(self) -> list[str]:
        """The files of the journal."""
        return sorted(path.name for path in (self.data_dir / "journal").iterdir())

    def states(self) -> dict[str, int]:
        """How many sealed generations are in each state."""
        return {str(state): count for state, count in self.real._flushing.counts.items() if count}

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the node's threads do; fail after a minute."""
        end = time.monotonic() + _PATIENCE_S
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.002)


@contextmanager
def open_node(
    data_dir: Path,
    clock: Clock | None = None,
    ingest: dict[str, Any] | None = None,
    pace: FlushPace | None = None,
    **storage: Any,
) -> Iterator[Node]:
    """Open a node, and close it at the end; ``storage`` and ``ingest`` change its settings."""
    node = Node(data_dir, clock or Clock(), storage, ingest or {}, pace=pace)
    try:
        yield node
    finally:
        node.real.close()


def spans(*names: str) -> bytes:
    """A request with a span of each name."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for name in names:
        trace_id, span_id = name.encode().rjust(16, b"0"), name.encode().rjust(8, b"0")
        scope.spans.add(trace_id=trace_id, span_id=span_id, name=name, start_time_unix_nano=NOW_NS)
    return request.SerializeToString()
