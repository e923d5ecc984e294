"""What the tests of the test kit share: a configuration, and a server that takes OTLP."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanglass.start import setup


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.bodies.append((self.path, body))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *args):
        """Do nothing."""


class OtlpSink:
    """Listens on a free port while it is open."""

    def __enter__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.bodies = []
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def spans(self):
        """Return all spans: ids as hex, ``parent_id`` empty for a root, status as its number."""
        found = []
        for path, body in self._server.bodies:
            if path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        found += [_span(span) for span in scope.spans]
        return found


def _span(span):
    return {
        "name": span.name,
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_id": span.parent_span_id.hex(),
        "status": span.status.code,
        "attributes": {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes},
    }


@pytest.fixture
def sink():
    """Run a server that takes OTLP over HTTP."""
    with OtlpSink() as running:
        yield running


@pytest.fixture
def configured():
    """Configure Spanglass with an address at which nobody answers, and take it back."""
    setup.configure(
        service_name="shop",
        endpoint="http://127.0.0.1:9",
        instrument=False,
        runtime_metrics=False,
        flush_timeout="10ms",
    )
    yield setup.running()
    setup.shutdown()
