"""An application with a span that stays open, as a process of its own: running, ended, and lost when it is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loadgen.server import ServerProcess

#: Opens a span and ends its child; ends it when told. Announces it after 0.05 s, and again after as long as it is told.
APPLICATION = """
import sys
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from spanglass.in_progress import InProgressProcessor

resource = Resource.create({"service.name": "worker"})
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(sys.argv[1] + "/v1/logs")))
traces = TracerProvider(resource=resource)
watch = InProgressProcessor(logs, after_ns=50_000_000, repeat_ns=int(sys.argv[2]), tick_s=0.05)
traces.add_span_processor(watch)
traces.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(sys.argv[1] + "/v1/traces")))
tracer = traces.get_tracer("jobs")
with tracer.start_as_current_span("import orders") as span:
    with tracer.start_as_current_span("read file"):
        pass
    print(f"{span.get_span_context().trace_id:032x}", flush=True)
    sys.stdin.readline()
    span.set_attribute("rows", 7)
traces.shutdown()
logs.shutdown()
"""
PATIENCE_S = 60


@pytest.fixture
def start(server: ServerProcess) -> Iterator[Callable[[float], tuple[subprocess.Popen[str], str]]]:
    """Start applications that announce every so many seconds; each is returned with the id of its trace."""
    processes = []

    def start_one(repeat_s: float) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", APPLICATION, server.url, str(round(repeat_s * 10**9))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


def until(state, server):
    """Wait until the server lists one span, and in this state; return the answer."""
    ends = time.monotonic() + PATIENCE_S
    answer = None
    while time.monotonic() < ends:
        answer = server.get("/running")
        if [span["state"] for span in answer["spans"]] == [state]:
            return answer
        time.sleep(0.05)
    raise AssertionError(answer)


def spans(server, trace_id):
    """Return name, depth and state of the spans of a trace."""
    return [(span["name"], span["depth"], span["state"]) for span in server.get(f"/traces/{trace_id}")["spans"]]


def test_a_span_that_ends(server, start):
    """While it is open it stands in its trace above what has ended; when it ends it is a span as any other."""
    process, trace_id = start(60)
    (running,) = until("running", server)["spans"]
    assert (running["trace_id"], running["name"], running["service"]) == (trace_id, "import orders", "worker")
    assert spans(server, trace_id) == [("import orders", 0, "running"), ("read file", 1, "ended")]
    assert server.get(f"/traces/{trace_id}")["warnings"] == []
    assert server.get("/logs")["logs"] == []
    assert server.get("/logs", filter="event_name = spanglass.span.running")["logs"][0]["trace_id"] == trace_id

    process.communicate("end\n", timeout=PATIENCE_S)

    assert process.returncode == 0
    assert server.get("/running") == {"running": 0, "lost": 0, "spans": []}
    trace = server.get(f"/traces/{trace_id}")
    assert [(span["state"], span["attributes"]) for span in trace["spans"]] == [("ended", {"rows": 7}), ("ended", {})]


def test_a_process_that_is_killed(server, start):
    """Its open span is lost once the process has been silent for three times the pause it announced."""
    process, trace_id = start(0.5)
    until("running", server)

    process.kill()

    lost = until("lost", server)
    assert (lost["running"], lost["lost"]) == (0, 1)
    assert spans(server, trace_id) == [("import orders", 0, "lost"), ("read file", 1, "ended")]
    server.stop()
    server.start()
    assert server.get("/running")["lost"] == 1, "from segments as from memory"
    assert spans(server, trace_id) == [("import orders", 0, "lost"), ("read file", 1, "ended")]
