"""A delivery put together as an application has it, and servers that behave, answer nonsense, or hang."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from loadgen.server import ServerProcess, free_ports
from spanglass.delivery.closing import Closing, shutdown_within
from spanglass.delivery.counts import DeliveryCounts
from spanglass.delivery.exporters import make_exporters
from spanglass.delivery.processors import SpanBatcher
from spanglass.settings.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 30  # how long a test waits for what must happen before it fails
RESOURCE = Resource({"service.name": "shop"})


@dataclass
class Canned:
    """A server on a real socket: one answer for all requests, which may wait for ``go``; and what came."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/x-protobuf"})
    go: threading.Event = field(default_factory=threading.Event)
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count):
        """Wait until so many requests have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, timeout=WAIT_S)

    def span_names(self):
        """Name the spans of all requests that were answered by 200, in this order."""
        return [
            span.name
            for body in self.taken
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that connections stay open

    def do_POST(self):
        canned = self.server.canned
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with canned.arrived:
            headers = {name.lower(): value for name, value in self.headers.items()}
            canned.received.append((self.path, headers, body))
            canned.connections.add(self.client_address)
            canned.arrived.notify_all()
        canned.go.wait(WAIT_S)
        status = canned.status
        if status == HTTPStatus.OK:
            canned.taken.append(body)
        self.send_response(status)
        for name, value in {**canned.headers, "Content-Length": str(len(canned.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(canned.body)

    def log_message(self, *_arguments):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    canned: Canned

    def handle_error(self, request, client_address):
        """A client that gave up is what some tests are about."""


@pytest.fixture
def canned() -> Iterator[Canned]:
    """Start a server that takes everything."""
    made = Canned()
    made.go.set()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.canned = made
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.go.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hanging(canned: Canned) -> Canned:
    """Start a server that takes requests and does not answer before ``go``."""
    canned.go.clear()
    return canned


@pytest.fixture
def nobody() -> str:
    """Name an address at which nobody listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture
def new_server(tmp_path) -> Iterator[object]:
    """Make real servers that are not started yet; they are killed at the end."""
    made: list[ServerProcess] = []

    def make() -> ServerProcess:
        made.append(ServerProcess(tmp_path / "data", log=tmp_path / "server.log"))
        return made[-1]

    yield make
    for server in made:
        server.kill()


class Delivery:
    """Tracer, queue and exporters over one set of settings; attempts are repeated after a hundredth of a second."""

    def __init__(self, endpoint, *, capacity=None, environ=None, timeout_ns=None, backoff_ns=10_000_000, **options):
        self.settings = load({"endpoint": endpoint, **options}, {})
        self.counts = DeliveryCounts(now_ns=lambda: 42)
        self.closing = Closing()
        self.exporters = make_exporters(
            self.settings, self.counts, self.closing, environ=environ or {}, backoff=lambda _attempt: backoff_ns
        )
        self.timeout_ns = timeout_ns or self.settings.flush_timeout_ns
        self.spans = SpanBatcher(
            self.exporters.spans,
            self.counts,
            self.closing,
            capacity=capacity or self.settings.max_queue_spans,
            timeout_ns=self.timeout_ns,
            rescue=self.settings.spool_dir is not None,
        )
        self.provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
        self.provider.add_span_processor(self.spans)
        self.tracer = self.provider.get_tracer("shop")

    def end_spans(self, *names):
        """End a span of each name and give the trace ids."""
        made = [self.tracer.start_span(name) for name in names]
        for span in made:
            span.end()
        return [f"{span.get_span_context().trace_id:032x}" for span in made]

    @property
    def traces(self):
        """What was counted of spans."""
        return self.counts.snapshot()["traces"]

    def flush(self):
        """Send what is queued."""
        return self.provider.force_flush(WAIT_S * 1000)

    def close(self):
        """End as a process does."""
        shutdown_within([self.provider], self.timeout_ns, self.closing)
        self.exporters.close()


@pytest.fixture
def new_delivery() -> Iterator[type[Delivery]]:
    """Make deliveries that end with the test."""
    made = []

    def make(*arguments, **options):
        made.append(Delivery(*arguments, **options))
        return made[-1]

    yield make
    for delivery in made:
        delivery.close()


def eventually(reached):
    """Wait until something holds that no event announces."""
    pause = threading.Event()
    for _ in range(WAIT_S * 100):
        if reached():
            return True
        pause.wait(0.01)
    return False


@pytest.fixture(name="eventually")
def _eventually():
    return eventually
