#!/usr/bin/env bash
# OpenTelemetry Python's force_flush(500): takes as long as the exporter likes, and returns True though nothing arrived.
#
# Guess:    force_flush(timeout_millis) waits at most that long and returns whether the telemetry was handed over.
# Instead:  BatchSpanProcessor's waits for the exporter's own timeout and retries, six times the half second here, and
#           TracerProvider returns True after a server that never answers, after 503 until the retries end, and after 400.
#           MeterProvider's does the same with a periodic reader and OTLP over HTTP.
# Versions: opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http 1.45.1.
# Matters:  functions in clouds and command line tools call it before they are frozen or end. The bound that is to keep
#           the handler from being killed does not hold, and `if not force_flush(): warn()` never warns.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.1 opentelemetry-exporter-otlp-proto-http==1.45.1

cat > try.py <<'EOF'
import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

logging.disable()
answer, ended = None, threading.Event()


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if answer is None:
            ended.wait(20)
            return
        self.send_response(answer)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"


def traces():
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/traces", timeout=3)))
    provider.get_tracer("finding").start_span("work").end()
    return provider


def metrics():
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/metrics", timeout=3), export_interval_millis=1e7)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("finding").create_counter("work").add(1)
    return provider


for answer, least_s in ((None, 2.5), (503, 0.6), (400, 0.0)):
    for make in (traces, metrics):
        provider = make()
        began = time.monotonic()
        result = provider.force_flush(500)
        took = time.monotonic() - began
        what = "no answer" if answer is None else f"status {answer}"
        print(f"{make.__name__:8} {what:11} force_flush(500) returns {result} after {took:.1f} s")
        assert result is True, "a failure is told now"
        assert took >= least_s, "the timeout holds now"
ended.set()
EOF
venv/bin/python try.py
echo "As described."
