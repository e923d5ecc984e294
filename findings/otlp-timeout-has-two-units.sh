#!/usr/bin/env bash
# OTEL_EXPORTER_OTLP_TIMEOUT: the same number is seconds in Python and milliseconds in Node.js.
#
# Guess:    one variable of one standard has one unit, so one value serves all services.
# Instead:  Python reads seconds. With 2, Python waits two seconds for a slow backend and succeeds, Node.js gives up
#           after milliseconds. With 10000, Python allows one export two and three quarter hours.
# Versions: opentelemetry-exporter-otlp-proto-http 1.45.1, @opentelemetry/exporter-trace-otlp-http 0.223.1.
# Needs:    Node.js 20.
# Matters:  the variable is set once for a cluster. Either all exports of one half time out, or the other half holds on
#           to a batch for hours while its queue overflows.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.1 opentelemetry-exporter-otlp-proto-http==1.45.1 protobuf==7.36.2 requests==2.34.2
npm install --silent --no-audit --no-fund --no-save @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.1 \
    @opentelemetry/exporter-trace-otlp-http@0.223.1 > npm.log

cat > export.js <<'EOF'
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
new OTLPTraceExporter({ url: process.argv[2] }).export([], (result) => {
  console.log(result.code === 0 ? "SUCCESS" : `FAILURE (${result.error.message})`);
  process.exit();
});
EOF
cat > try.py <<'EOF'
import http.server
import logging
import os
import subprocess
import threading
import time
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

logging.disable()
span = TracerProvider(shutdown_on_exit=False).get_tracer("finding").start_span("one")
span.end()


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers 200 after half a second."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(0.5)
        try:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except ConnectionError:
            pass  # the client gave up

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # a client that gave up


server = Server(("127.0.0.1", 0), Slow)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1/traces"

print("exporter of Python", version("opentelemetry-exporter-otlp-proto-http"), "and of Node.js 0.223.1; answers take 0.5 s")
for timeout, python_right, node_right in (("2", "SUCCESS", "FAILURE"), ("2000", "SUCCESS", "SUCCESS")):
    os.environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = timeout
    exporter = OTLPSpanExporter(endpoint=url)
    python = exporter.export([span]).name
    node = subprocess.run(["node", "export.js", url], capture_output=True, text=True, timeout=60).stdout.strip()
    print(f"  OTEL_EXPORTER_OTLP_TIMEOUT={timeout:5} Python {python}, Node.js {node}")
    assert python == python_right and node.startswith(node_right), "the unit has changed"

os.environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = "10000"
seconds = OTLPSpanExporter(endpoint=url)._client._timeout
print(f"  OTEL_EXPORTER_OTLP_TIMEOUT=10000 Python keeps {seconds} as seconds for one export")
assert seconds == 10000
EOF
venv/bin/python try.py
echo "As described."
