"""FastAPI's own export and Sentry's OTLP integration beside Spanglass: nothing twice, unscrubbed or untraced."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from fastapi import FastAPI
from fastapi.telemetry import _runtime
from opentelemetry.sdk.trace import TracerProvider

from spanglass.instrumentors.other_exporters import install_beside
from spanglass.settings.table import Settings

needs_sentry = pytest.mark.skipif(not find_spec("sentry_sdk"), reason="sentry-sdk is not installed")

SENTRY = """
import http.server, json, sys, threading, warnings
bodies = {}
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        bodies[self.path] = bodies.get(self.path, b"") + self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
threading.Thread(target=sink.serve_forever, daemon=True).start()
port = sink.server_port
import sentry_sdk, spanglass
from sentry_sdk.integrations.otlp import OTLPIntegration
from opentelemetry import propagate, trace
def sentry(**options):
    sentry_sdk.init(dsn=f"http://key@localhost:{port}/42", integrations=[OTLPIntegration(**options)],
                    default_integrations=False, auto_enabling_integrations=False)
def ours():
    spanglass.configure(service_name="shop", endpoint=f"http://127.0.0.1:{port}", in_progress=False)
if sys.argv[1] == "sentry first":
    sentry()
ours()
if sys.argv[1] == "spanglass first":
    sentry()
if sys.argv[1] == "same collector":
    sentry(collector_url=f"http://127.0.0.1:{port}/v1/other/traces")
incoming = {"traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"}
with trace.get_tracer("shop").start_as_current_span("pay", propagate.extract(incoming)) as span:
    span.set_attribute("password", "hunter2hunter2")
    outgoing = {}
    propagate.inject(outgoing)
provider = trace.get_tracer_provider()
provider.force_flush()
spanglass.force_flush()
found = {path: (b"pay" in body, b"hunter2hunter2" in body) for path, body in bodies.items() if "traces" in path}
print(json.dumps([found, outgoing["traceparent"][:35], sorted(outgoing)]))
"""


def run(order):
    """Run a process with both, set up in this order; gives what was sent where, and the log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SENTRY_"))}
    made = {**kept, "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "SPANGLASS_RUNTIME_METRICS": "false"}
    done = subprocess.run(
        [sys.executable, "-c", SENTRY, order], env=made, capture_output=True, text=True, timeout=120, check=True
    )
    return *json.loads(done.stdout.splitlines()[-1]), done.stderr


@needs_sentry
def test_sentry_after_spanglass():
    """Sentry gets the spans too, scrubbed; traceparent is read and sent, beside Sentry's own header."""
    sent, traceparent, headers, log = run("spanglass first")

    assert set(map(tuple, sent.values())) == {(True, False)}
    assert len(sent) == 2
    assert traceparent == f"00-{'1' * 32}"
    assert headers == ["sentry-trace", "traceparent"]
    assert "Sentry" not in log


@needs_sentry
def test_sentry_before_spanglass():
    """What can no longer be scrubbed is said, with what to do; traceparent is kept all the same."""
    sent, traceparent, headers, log = run("sentry first")

    assert len(sent) == 2
    assert (traceparent, headers) == (f"00-{'1' * 32}", ["sentry-trace", "traceparent"])
    assert "call spanglass.configure() before sentry_sdk.init()" in log


@needs_sentry
def test_sentry_that_sends_to_spanglass():
    """The same server does not get everything twice, and that is said."""
    sent, _, _, log = run("same collector")

    assert list(sent) == ["/v1/traces"]
    assert "OTLPIntegration(setup_otlp_traces_exporter=False)" in log


@pytest.fixture
def beside():
    """Spanglass beside others, without anything else of it."""
    undo = install_beside(Settings(), None)
    yield undo
    undo()


def test_fastapis_own_export(beside, monkeypatch, caplog):
    """FastAPI adds no exporter of its own to a provider, and one line says so; afterwards it does again."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
    provider, added = TracerProvider(shutdown_on_exit=False), []
    monkeypatch.setattr(provider, "add_span_processor", added.append)

    def start():
        app = FastAPI(telemetry={"auto_configure": True, "tracer_provider": provider})
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def serve():
            async def receive():
                return next(messages)

            async def send(message):
                del message

            await app({"type": "lifespan", "state": {}}, receive, send)

        asyncio.run(serve())

    start()
    assert (added, "FASTAPI_OTEL_AUTO_CONFIGURE" in caplog.text) == ([], True)
    beside()
    start()
    _runtime._shutdown()
    assert len(added) == 1
