"""Error tracking beside Bugsink 2.6, the lightest of its kind: occurrences a second, processor time, how soon seen.

    python benchmarks/errors_beside_bugsink.py [--ours 40000] [--bugsink 1000]

Bugsink is installed from PyPI into a temporary folder, runs as its documentation says (gunicorn, snappea, SQLite) and
is fed by sentry-sdk; Spanglass takes the same exceptions as OTLP, as a batching exporter sends them. Each runs alone,
on loopback, one after the other. Every exception is raised in one of 200 functions, 20 calls deep, and has a message of
its own. Time runs until all are counted in issues. Results go to benchmarks/out/bugsink.json.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadgen.process import clean_up_on_sigterm, cpu_seconds
from loadgen.report import table, write
from loadgen.scenario import fresh_server
from loadgen.sending import Ready, Sender
from loadgen.server import HOST, free_ports
from loadgen.transports import factory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loadgen.server import ServerProcess

PINNED = ("bugsink==2.6.2", "sentry-sdk==2.75.0")
SPANS_PER_BODY = 100
FUNCTIONS, DEPTH = 200, 20
_PATIENCE_S = 600.0

#: The module that both sides raise in, written to a file: one of many functions, some calls deep.
RAISING = """
def call(depth, number):
    if depth:
        return call(depth - 1, number)
    return FUNCTIONS[number % len(FUNCTIONS)](number)
"""
ONE_OF_MANY = """
def price_{index}(number):
    raise ValueError(f"no price for {{number}} in list")
"""
SENDER = """
import sys
import sentry_sdk
from raising import call
sentry_sdk.init(dsn=sys.argv[1], default_integrations=False, transport_queue_size=100_000)
for number in range(int(sys.argv[2])):
    try:
        call(int(sys.argv[3]), number)
    except ValueError:
        sentry_sdk.capture_exception()
sentry_sdk.flush(600)
"""

PROJECT = """
from projects.models import Project
project = Project.objects.create(name="shop")
print("DSN", project.sentry_key, project.id)
"""


def write_raising(folder: Path) -> None:
    """Write the module that raises."""
    functions = "".join(ONE_OF_MANY.format(index=index) for index in range(FUNCTIONS))
    names = ", ".join(f"price_{index}" for index in range(FUNCTIONS))
    (folder / "raising.py").write_text(f"{RAISING}{functions}\nFUNCTIONS = [{names}]\n")


def bodies(count: int, seed: int, call: Callable[[int, int], None]) -> list[bytes]:
    """Make requests of failing spans, each a trace of its own."""
    rng, now_ns = random.Random(seed), time.time_ns()
    made = []
    for start in range(0, count, SPANS_PER_BODY):
        request = ExportTraceServiceRequest()
        around = request.resource_spans.add()
        around.resource.attributes.add(key="service.name").value.string_value = "shop"
        spans = around.scope_spans.add().spans
        for number in range(start, start + SPANS_PER_BODY):
            try:
                call(DEPTH, number)
            except ValueError as error:
                _put(spans.add(trace_id=rng.randbytes(16), span_id=rng.randbytes(8)), error, now_ns)
        made.append(request.SerializeToString())
    return made


def _put(span: Any, error: ValueError, now_ns: int) -> None:
    span.name, span.kind, span.status.code = "GET /price", 2, 2
    span.start_time_unix_nano, span.end_time_unix_nano = now_ns, now_ns + 1_000_000
    event = span.events.add(name="exception", time_unix_nano=now_ns + 900_000)
    told = {"type": "ValueError", "message": str(error), "stacktrace": "".join(traceback.format_exception(error))}
    for key, value in told.items():
        event.attributes.add(key=f"exception.{key}").value.string_value = value


def of_spanglass(count: int, folder: Path) -> dict[str, Any]:
    """Measure ours."""
    sys.path.insert(0, str(folder))
    call = importlib.import_module("raising").call
    requests = bodies(count, 1, call)
    with fresh_server() as server:
        seen_ms = [_seen_after_ms(server, body) for body in bodies(10 * SPANS_PER_BODY, 2, call)]
        before, cpu_before, begun = _events(server), cpu_seconds(server.pid), time.monotonic()
        connect = factory("http", server.port, server.grpc_port, "traces")
        Sender(connect, Ready(requests, SPANS_PER_BODY)).run()
        _wait(lambda: _events(server) >= before + count)
        seconds, cpu = time.monotonic() - begun, cpu_seconds(server.pid) - cpu_before
    return {**_row("Spanglass", count, seconds, cpu), "seen_after_ms": sorted(seen_ms)[len(seen_ms) // 2]}


def _seen_after_ms(server: ServerProcess, body: bytes) -> float:
    """How long after its acknowledgement a request's exceptions are counted in issues."""
    before = _events(server)
    server.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
    begun = time.monotonic()
    _wait(lambda: _events(server) > before)
    return (time.monotonic() - begun) * 1000


def _events(server: ServerProcess) -> int:
    answer = server.request("GET", "/api/v1/issues?last=1h&limit=500&state=all").json()
    return sum(issue["events"] for issue in answer["issues"])


def of_bugsink(count: int, folder: Path) -> dict[str, Any]:
    """Measure Bugsink."""
    python = folder / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PINNED], check=True)
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    tools = folder / "venv" / "bin"
    _tool(tools, folder, "bugsink-create-conf", "--template=singleserver", f"--host={url}", f"--base-dir={folder}")
    _tool(tools, folder, "bugsink-manage", "migrate")
    _tool(tools, folder, "bugsink-manage", "migrate", "snappea", "--database=snappea")
    made = _tool(tools, folder, "bugsink-manage", "shell", "-c", PROJECT)
    _, key, project = next(line for line in made.splitlines() if line.startswith("DSN")).split()
    serving = [
        _start(folder, [tools / "gunicorn", f"--bind={HOST}:{port}", "--workers=2", "bugsink.wsgi"]),
        _start(folder, [tools / "bugsink-runsnappea"]),
    ]
    try:
        time.sleep(5)
        cpu_before, begun = sum(cpu_seconds(one.pid) for one in serving), time.monotonic()
        script = folder / "sender.py"
        script.write_text(SENDER)
        dsn = f"http://{key.replace('-', '')}@{HOST}:{port}/{project}"
        subprocess.run([python, script, dsn, str(count), str(DEPTH)], check=True)
        _wait(lambda: _counted(folder) >= count)
        seconds = time.monotonic() - begun
        cpu = sum(cpu_seconds(one.pid) for one in serving) - cpu_before
    finally:
        for one in serving:
            os.killpg(one.pid, signal.SIGTERM)
            one.wait()
    return _row("Bugsink 2.6.2", count, seconds, cpu)


def _tool(tools: Path, folder: Path, name: str, *arguments: str) -> str:
    done = subprocess.run([tools / name, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def _start(folder: Path, command: Sequence[Any]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)


def _counted(folder: Path) -> int:
    with sqlite3.connect(f"file:{folder / 'db.sqlite3'}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM events_event").fetchone()[0])


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not all was counted within {_PATIENCE_S:.0f} s")
        time.sleep(0.02)


def _row(name: str, count: int, seconds: float, cpu: float) -> dict[str, Any]:
    return {
        "what": name,
        "occurrences": count,
        "per_s": round(count / seconds, 1),
        "cpu_us_each": round(cpu / count * 1e6),
    }


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=int, default=40_000, help="exceptions sent to Spanglass")
    parser.add_argument("--bugsink", type=int, default=1000, help="exceptions sent to Bugsink")
    options = parser.parse_args()
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="bugsink-") as name:
        folder = Path(name)
        write_raising(folder)
        ours = of_spanglass(options.ours, folder)
        theirs = of_bugsink(options.bugsink, folder)
    ratio = {
        "times_as_many_per_s": round(ours["per_s"] / theirs["per_s"], 1),
        "share_of_its_cpu": round(ours["cpu_us_each"] / theirs["cpu_us_each"], 4),
    }
    print(table([ours, theirs]))
    print(json.dumps(ratio))
    write("bugsink", {"rows": [ours, theirs], "ratio": ratio})


if __name__ == "__main__":
    main()
