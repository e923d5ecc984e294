#!/usr/bin/env bash
# uvicorn and OpenTelemetry's SDK: after a graceful shutdown by SIGTERM, the last spans are lost.
#
# Guess:    uvicorn ends gracefully on SIGTERM: requests are finished, the lifespan's end runs, the interpreter exits,
#           and the SDK's atexit handler sends what waits.
# Instead:  having shut down, uvicorn restores the signal's handler and raises the signal again. The process dies of it:
#           no atexit handler runs, nor anything behind uvicorn.run(), not even a `finally`. With SIGINT, as one tries
#           it in a terminal, all of them run (uvicorn.run takes the KeyboardInterrupt). Only the lifespan's end is
#           reached with both.
# Versions: uvicorn 0.54.0, opentelemetry-sdk 1.45.1, starlette 1.10.0.
# Matters:  SIGTERM is how containers and systemd stop a server. Every deployment loses up to five seconds of spans and
#           a minute of metrics, those of the shutdown itself always. Flush in the lifespan, not behind run().
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check uvicorn==0.54.0 starlette==1.10.0 opentelemetry-sdk==1.45.1

cat > app.py <<'EOF'
import contextlib

import uvicorn
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


class Printer(SpanExporter):
    """Prints what it exports."""

    def export(self, spans):
        print("exported:", *(span.name for span in spans), flush=True)
        return SpanExportResult.SUCCESS


trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(Printer()))


async def home(_):
    with trace.get_tracer("finding").start_as_current_span("request"):
        return PlainTextResponse("done")


@contextlib.asynccontextmanager
async def lifespan(_):
    yield
    print("lifespan ends", flush=True)


if __name__ == "__main__":
    try:
        uvicorn.run(Starlette(routes=[Route("/", home)], lifespan=lifespan), port=0, access_log=False)
        print("behind run()", flush=True)
    finally:
        print("finally", flush=True)
EOF

cat > try.py <<'EOF'
import re
import signal
import subprocess
import sys
import urllib.request
from importlib.metadata import version


def stop_with(number):
    """Start the application, make one request, send the signal: what it printed from then on, and its exit status."""
    with subprocess.Popen([sys.executable, "app.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as app:
        address = next(found[0] for line in app.stderr if (found := re.search(r"http://[0-9.:]+", line)))
        assert urllib.request.urlopen(address).read() == b"done"
        app.send_signal(number)
        printed = app.communicate(timeout=60)[0].splitlines()
    print(f"  {signal.Signals(number).name}: exit status {app.returncode}, printed {printed}")
    return printed, app.returncode


print("uvicorn", version("uvicorn"), "with opentelemetry-sdk", version("opentelemetry-sdk"))
everything = ["lifespan ends", "behind run()", "finally", "exported: request"]
assert stop_with(signal.SIGTERM) == (["lifespan ends"], -signal.SIGTERM), "ends in another way now"
assert stop_with(signal.SIGINT) == (everything, 0), "ends in another way now"
EOF
venv/bin/python try.py
echo "As described."
