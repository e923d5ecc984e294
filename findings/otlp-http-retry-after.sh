#!/usr/bin/env bash
# OpenTelemetry Python's OTLP/HTTP exporter: a long Retry-After loses the batch at once, a short one makes a burst.
#
# Guess:    `Retry-After: 30` makes the client wait 30 s and send again; `0` means soon; a redirect is followed or an
#           error.
# Instead:  all attempts of one batch share ten seconds. A Retry-After beyond what is left of them is not waited for:
#           one attempt, then the batch is dropped. `0`, or a date that has passed by the client's clock, is obeyed
#           literally: six attempts within milliseconds, then dropped. `2` makes five attempts in 8 s, more than no
#           header at all. Every 3xx counts as delivered.
# Versions: opentelemetry-exporter-otlp-proto-http 1.45.1.
# Matters:  an overloaded backend that asks for half a minute's rest loses every batch that it answers so, and one that
#           sends 0 is hit six times. One to three seconds leave several attempts. A proxy's redirect loses all in
#           silence.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.1 opentelemetry-exporter-otlp-proto-http==1.45.1 protobuf==7.36.2 requests==2.34.2

cat > try.py <<'EOF'
import http.server
import logging
import threading
import time
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

logging.disable()
span = TracerProvider(shutdown_on_exit=False).get_tracer("finding").start_span("one")
span.end()
arrivals = []


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers every request with the status and header of the class."""

    status, retry_after = 200, None

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        arrivals.append(time.monotonic())
        self.send_response(self.status)
        if self.retry_after is not None:
            self.send_header("Retry-After", self.retry_after)
        if 300 <= self.status < 400:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()


def export(status, retry_after=None):
    """Outcome, number of attempts, and seconds between the first and the end."""
    Answer.status, Answer.retry_after = status, retry_after
    arrivals.clear()
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{server.server_port}/v1/traces")
    result = exporter.export([span]).name
    seconds = time.monotonic() - arrivals[0]
    print(f"  {status}, Retry-After {retry_after!s:29} {result:8} {len(arrivals)} attempts in {seconds:5.2f} s")
    return result, len(arrivals), seconds


print("exporter", version("opentelemetry-exporter-otlp-proto-http"))
result, attempts, seconds = export(429, "30")
assert (result, attempts) == ("FAILURE", 1) and seconds < 2, "a long Retry-After is treated differently now"
for value in ("0", "Sat, 21 Nov 2020 10:00:00 GMT"):
    result, attempts, seconds = export(503, value)
    assert (result, attempts) == ("FAILURE", 6) and seconds < 2, "0 is treated differently now"
result, attempts, seconds = export(503, "2")
assert result == "FAILURE" and attempts in (4, 5) and 5 < seconds < 11
result, without, seconds = export(503)
assert result == "FAILURE" and without in (3, 4) and 2 < seconds < 11
result, attempts, _ = export(302)
assert (result, attempts) == ("SUCCESS", 1), "a redirect is no success any more"
EOF
venv/bin/python try.py
echo "As described."
