#!/usr/bin/env bash
# OpenTelemetry Python: a value that can't be encoded is left out as an attribute, and loses the batch as a body or name.
#
# Guess:    the exporter treats all values alike: it either leaves out the one field that protobuf refuses, or it loses
#           the one record, and force_flush() says so.
# Instead:  an integer past 64 bits, or text with a lone surrogate, as an attribute: this attribute alone is missing,
#           the other records arrive. The same value as a log record's body or inside it, as a span's name or an event's
#           name: no record of the whole batch arrives. A Decimal or datetime inside a body does it too, while as an
#           attribute it becomes text. force_flush() returns True every time.
# Versions: opentelemetry-sdk and -exporter-otlp-proto-http 1.45.1, protobuf 7.36.2.
# Matters:  bodies are the structured part of logs, and names of files and routes come from outside. One record of one
#           request takes up to 511 others along, of any request; on the backend nothing is missing that it could know
#           of.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.1 opentelemetry-exporter-otlp-proto-http==1.45.1 protobuf==7.36.2 requests==2.34.2

cat > try.py <<'EOF'
import decimal
import http.server
import logging
import threading
from datetime import datetime
from importlib.metadata import version

from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

logging.disable()
RECORDS = 100
arrived = []


class Receiver(http.server.BaseHTTPRequestHandler):
    """Counts the records that arrive."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/logs":
            scopes = [s for r in ExportLogsServiceRequest.FromString(body).resource_logs for s in r.scope_logs]
            arrived.extend(record for scope in scopes for record in scope.log_records)
        else:
            scopes = [s for r in ExportTraceServiceRequest.FromString(body).resource_spans for s in r.scope_spans]
            arrived.extend(span for scope in scopes for span in scope.spans)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/v1/"


def report(what, provider):
    """How many of the records arrived."""
    flushed = provider.force_flush()
    provider.shutdown()
    print(f"  {what:58} {len(arrived):3} of {RECORDS} arrive, force_flush() {flushed}")
    assert flushed is True
    return len(arrived)


def logs(what, **odd):
    """Send records of which one is odd."""
    arrived.clear()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=address + "logs")))
    for number in range(RECORDS):
        fields = odd if number == 50 else {"body": "sound"}
        provider.get_logger("finding").emit(LogRecord(timestamp=1, **fields))
    return report(what, provider)


def spans(what, spoil):
    """Send spans of which one is odd."""
    arrived.clear()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address + "traces")))
    for number in range(RECORDS):
        with provider.get_tracer("finding").start_as_current_span("sound") as span:
            if number == 50:
                spoil(span)
    return report(what, provider)


print("exporter", version("opentelemetry-exporter-otlp-proto-http"))
surrogate = b"caf\xe9".decode(errors="surrogateescape")  # as os.listdir() reads such a file name
for value in (2**63, surrogate, decimal.Decimal("1.5"), datetime(2026, 11, 29)):
    assert logs(f"log attribute {value!r}", body="x", attributes={"k": value}) == RECORDS
    assert logs(f"log body {{'k': {value!r}}}", body={"k": value}) == 0, "the others arrive now"
for value in (2**63, surrogate):
    assert spans(f"span attribute {value!r}", lambda span: span.set_attribute("k", value)) == RECORDS
assert spans(f"span name {surrogate!r}", lambda span: span.update_name(surrogate)) == 0, "the others arrive now"
assert spans(f"event name {surrogate!r}", lambda span: span.add_event(surrogate)) == 0, "the others arrive now"
EOF
venv/bin/python try.py
echo "As described."
