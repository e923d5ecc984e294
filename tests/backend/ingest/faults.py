"""A storage node whose operations fail when they are told to: by number, for a while or until the restart."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nodes import NOW_NS, Clock, Node, spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spanglass_server.ingest.journal.flushing import FlushPace
from spanglass_server.settings.table import Retention
from spanglass_server.signals import SENT, Signal
from spanglass_server.store.disk import Disk
from spanglass_server.store.ports import ALL_TIME
from spanglass_server.supervision import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PACE = FlushPace(Backoff(0.001, 0.004), Backoff(0.002, 0.004), defects_max=3)
NAME_COLUMN = {Signal.SPANS: "name", Signal.LOGS: "event_name", Signal.METRICS: "metric_name"}


class Faults:
    """Counts steps, and lets ``times`` of them fail from the ``first`` on (1 is the first)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.disarm()

    def arm(self, first: int = 0, times: float = 0, error: type[Exception] = OSError) -> None:
        """Begin to count anew."""
        with self._lock:
            self.names, self.failed, self._first, self._times, self._error = [], 0, first, times, error
            self._armed = True

    def disarm(self) -> None:
        """Let everything succeed."""
        with self._lock:
            self._armed = False
            self.names: list[str] = []
            self.failed = 0

    def step(self, name: str) -> None:
        """Count a step, and fail if it is to."""
        with self._lock:
            if not self._armed:
                return
            self.names.append(name)
            if not self._first or len(self.names) < self._first or self.failed >= self._times:
                return
            self.failed += 1
        raise self._error(5, f"Input/output error in {name}")


class FaultyDisk(Disk):
    """The real disk, but that nothing waits for syncs."""

    def __init__(self, faults: Faults) -> None:
        self._step = faults.step

    def sync(self, path: Path) -> None:
        """See ``Disk``."""
        self._step(f"sync {path.suffix or 'directory'}")

    def unlink(self, path: Path) -> None:
        """See ``Disk``."""
        self._step(f"unlink {path.suffix}")
        super().unlink(path)

    def rename(self, old: Path, new: Path) -> None:
        """See ``Disk``; it may fail before and after the name has changed."""
        self._step("rename")
        super().rename(old, new)

    def make_directory(self, path: Path) -> None:
        """See ``Disk``."""
        self._step("make directory")
        super().make_directory(path)

    def create(self, path: Path) -> int:
        """See ``Disk``."""
        self._step(f"create {path.suffix}")
        return super().create(path)

    def write(self, descriptor: int, parts: Sequence[memoryview]) -> int:
        """See ``Disk``; a failed write leaves some bytes behind."""
        try:
            self._step("write")
        except Exception:
            super().write(descriptor, [parts[0][:7]])
            raise
        return super().write(descriptor, parts)

    def sync_data(self, descriptor: int) -> None:
        """See ``Disk``."""
        del descriptor
        self._step("sync data")

    def truncate(self, descriptor: int, size: int) -> None:
        """See ``Disk``."""
        self._step("truncate")
        super().truncate(descriptor, size)

    def close(self, descriptor: int) -> None:
        """See ``Disk``; a file is closed whatever it says."""
        super().close(descriptor)
        self._step("close")

    @contextmanager
    def parquet(self, path: Path, schema: Any, options: Any) -> Iterator[Any]:
        """See ``Disk``."""
        self._step(f"begin {path.parent.parent.name} {path.parent.name}")
        with super().parquet(path, schema, options) as writer:
            yield writer
            self._step(f"footer {path.parent.parent.name} {path.parent.name}")

    def write_table(self, writer: Any, table: Any, row_group_rows: int) -> None:
        """See ``Disk``."""
        super().write_table(writer, table, row_group_rows)
        self._step("write table")

    def write_streams(self, path: Path, tables: Any) -> list[int]:
        """See ``Disk``; the file is there."""
        places = super().write_streams(path, tables)
        self._step("write streams")
        return places


class FaultyNode(Node):
    """A node over a faulty disk, whose commits and swaps fail too; it looks after nothing by itself."""

    def __init__(self, data_dir: Path, faults: Faults, clock: Clock | None = None, **ages: int) -> None:
        storage = {"compact_interval_ns": 10**18}
        super().__init__(data_dir, clock or Clock(), storage, {}, FaultyDisk(faults), PACE, retention=Retention(**ages))
        self.faults = faults
        store = self.real.store
        self._fail_first(store.catalog, "commit")
        self._fail_last(store.catalog, "_apply", "middle of the commit")
        self._fail_first(store.contents, "replace", "swap")

    def _fail_first(self, owner: Any, name: str, step: str = "") -> None:
        real = getattr(owner, name)

        def failing(*arguments: Any, **named: Any) -> Any:
            self.faults.step(step or name)
            return real(*arguments, **named)

        setattr(owner, name, failing)

    def _fail_last(self, owner: Any, name: str, step: str) -> None:
        real = getattr(owner, name)

        def failing(*arguments: Any, **named: Any) -> Any:
            real(*arguments, **named)
            self.faults.step(step)

        setattr(owner, name, failing)

    def store_all(self, *names: str) -> None:
        """Send a request of each signal for each name, again until it is acknowledged, as exporters do."""
        left = [(signal, body) for name in names for signal, body in requests(name).items()]

        def taken() -> bool:
            for signal in SENT:
                bodies = [body for other, body in left if other is signal]
                for body, answer in zip(bodies, self.submit(*bodies, signal=signal), strict=True):
                    if not isinstance(answer, BaseException) and answer.accepted + answer.duplicate == 1:
                        left.remove((signal, body))
            if left:
                self.insist(self.real._generations.tick)
            return not left

        self.until(taken)

    def flush(self) -> None:
        """Seal, and wait until every generation is in segments and no file is left of it."""
        self.real._generations.seal()
        self.until(lambda: not self.states())

    def insist(self, work: Callable[[], object]) -> None:
        """Do something until it does not fail."""

        def succeeds() -> bool:
            try:
                work()
            except Exception:  # noqa: BLE001 - whatever was injected
                return False
            return True

        self.until(succeeds)

    def stored(self) -> dict[Signal, list[str]]:
        """The names of all records of each signal, sorted."""

        def ask(session: Any, signal: Signal) -> list[str]:
            column = NAME_COLUMN[signal]
            source = session.relation(signal, ALL_TIME, [column])
            return [row["n"] for row in session.rows(f"SELECT {column} AS n FROM {source} ORDER BY n")]  # noqa: S608

        return {signal: self.real.engine.run_here(lambda session, s=signal: ask(session, s)) for signal in SENT}

    def strays(self) -> list[str]:
        """Files of the data directory that nothing accounts for once all is flushed."""
        segments = self.real.store.contents.snapshot.segments
        known = {file for signal in Signal for segment in segments[signal] for file in segment.files}
        known |= {f"recent/spans/{segment.id:012d}.arrows" for segment in segments[Signal.SPANS]}
        found = {str(path.relative_to(self.data_dir)) for path in self.data_dir.rglob("*") if path.is_file()}
        own = ("catalog.sqlite", "issues.sqlite", "saved.sqlite", "retention.sqlite")
        return sorted(file for file in found - known if not file.startswith(own))

    def until_well(self) -> None:
        """Wait until nothing is wrong any more."""
        self.until(lambda: not self.real.problems and not self.real.store.contents._doomed)


@contextmanager
def faulty_node(data_dir: Path, faults: Faults, clock: Clock | None = None, **ages: int) -> Iterator[FaultyNode]:
    """Open a node, and close it at the end."""
    node = FaultyNode(data_dir, faults, clock, **ages)
    try:
        yield node
    finally:
        node.real.close()


def requests(name: str) -> dict[Signal, bytes]:
    """A request of each signal with one record of this name."""
    logs, metrics = ExportLogsServiceRequest(), ExportMetricsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=NOW_NS, event_name=name)
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    metric.gauge.data_points.add(time_unix_nano=NOW_NS, as_int=1)
    return {
        Signal.SPANS: spans(name),
        Signal.LOGS: logs.SerializeToString(),
        Signal.METRICS: metrics.SerializeToString(),
    }
