"""Traces of many kinds in a real store, and policies over them, judged on days that a test names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nodes import NOW_NS, Clock, Node
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass_server.retention.form import read_yaml
from spanglass_server.retention.model import Version
from spanglass_server.settings.table import Retention
from spanglass_server.signals import Signal
from spanglass_server.store.ports import ALL_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from spanglass_server.store.disk import Disk

DAY_NS = 86_400 * 10**9
#: Of every hundred traces: which are failed, which are slow, which are of a service of their own.
FAILED, SLOW, HEALTH = 7, 11, 50


def trace_id(number: int) -> bytes:
    """The id of a numbered trace: any bits, as those of senders."""
    return ((number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)).to_bytes(16, "big")


def request(numbers: Iterable[int], span: int = 0) -> bytes:
    """A request with a span of each trace: its request (0), or a call within it (1 ...)."""
    body = ExportTraceServiceRequest()
    scopes = {}
    for number in numbers:
        place = number % 100
        service = "probe" if place >= HEALTH + 40 else "shop"
        if service not in scopes:
            resource = body.resource_spans.add()
            resource.resource.attributes.add(key="service.name").value.string_value = service
            scopes[service] = resource.scope_spans.add()
        start_ns = NOW_NS + number * 1000
        sent = scopes[service].spans.add(
            trace_id=trace_id(number),
            span_id=(number * 8 + span + 1).to_bytes(8, "big"),
            name=f"/health {span}" if service == "probe" else f"/pay {span}",
            kind=3 if span else 2,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + (10**9 if place == SLOW else 10**6 + place),
        )
        sent.status.code = 2 if place == FAILED and span else 0
    return body.SerializeToString()


def log_lines(numbers: Iterable[int]) -> bytes:
    """A request with a log record of each trace."""
    body = ExportLogsServiceRequest()
    scope = body.resource_logs.add().scope_logs.add()
    for number in numbers:
        scope.log_records.add(trace_id=trace_id(number), event_name=str(number), time_unix_nano=NOW_NS + number * 1000)
    return body.SerializeToString()


class Attic:
    """A node that keeps everything for 30 days, housekeeping only when it is told."""

    def __init__(self, data_dir: Path, policies: str = "", disk: Disk | None = None, **retention: int) -> None:
        ages = {"traces_ns": 30 * DAY_NS, "logs_ns": 30 * DAY_NS} | retention
        quiet = {"compact_interval_ns": 10**18}
        more = {} if disk is None else {"disk": disk}
        self.clock = Clock()
        self.node = Node(data_dir, self.clock, quiet, {}, retention=Retention(**ages), **more)
        self.store = self.node.real.store
        self.evidence: frozenset[bytes] = frozenset()
        self.node.real.retention.keeper.evidence = lambda: self.evidence
        if policies:
            self.say(policies)

    def say(self, policies: str) -> None:
        """Have other policies in force."""
        book = self.node.real.retention.book
        book.replace(read_yaml(policies), Version(0, self.clock.now_ns, "Ada", "", ""), book.version)

    def put(self, *bodies: bytes, signal: Signal = Signal.SPANS) -> None:
        """Store requests, each a segment of its own."""
        for body in bodies:
            self.node.submit(body, signal=signal)
            self.node.real._generations.seal()
            self.node.until(lambda: not self.node.states())

    def age(self, days: float) -> int:
        """Let housekeeping look so many days later; returns how many segments were judged."""
        self.clock.now_ns = NOW_NS + int(days * DAY_NS) + 10**9
        judged = 0
        while self.store.judge_next(self.clock.now_ns):
            judged += 1
        self.store.retain(self.clock.now_ns)
        return judged

    def ask(self, query: Any) -> Any:
        """Ask storage."""
        return self.node.real.engine.run_here(query)

    def traces(self, signal: Signal = Signal.SPANS) -> dict[bytes, int]:
        """How many rows each stored trace has."""

        def ask(session: Any) -> list[dict[str, Any]]:
            relation = session.relation(signal, ALL_TIME, ["trace_id"])
            return session.rows(f"SELECT trace_id, count(*) AS n FROM {relation} GROUP BY 1")  # noqa: S608

        return {row["trace_id"]: row["n"] for row in self.ask(ask)}

    def bytes_of(self, signal: Signal = Signal.SPANS) -> int:
        """What its segments take."""
        return sum(segment.bytes for segment in self.store.contents.snapshot.segments[signal])

    def close(self) -> None:
        """Stop the node."""
        self.node.real.close()


def ids(numbers: Iterable[int]) -> set[bytes]:
    """The ids of traces."""
    return {trace_id(number) for number in numbers}


def of_place(numbers: Sequence[int], *places: int) -> list[int]:
    """Those of the numbered traces that are of a kind."""
    return [number for number in numbers if number % 100 in places]
