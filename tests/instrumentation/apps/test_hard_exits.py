"""Processes that end without running exit handlers: what waits is sent before, and the end looks as without us."""

# ruff: noqa: S608 - names of services of these tests stand in their statements

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from loadgen.process import tree
from loadgen.server import SPANGLASS

pytestmark = pytest.mark.slow
# so late that nothing is sent before the end
LATE = {"SPANGLASS_METRIC_INTERVAL": "1h", "OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_BLRP_SCHEDULE_DELAY": "600000"}
UVICORN = ["uvicorn", "--port", "{port}", "asgi_places:app"]
GUNICORN = ["gunicorn", "--bind", "127.0.0.1:{port}", "-k", "uvicorn.workers.UvicornWorker", "asgi_places:app"]

#: A program under spanglass run (True), by its interpreter (False) or by itself (None); where it configures; its code.
STOPPED = {
    "worker-run": (GUNICORN, True, "", 0),
    "worker-hook": ([*GUNICORN, "--config", "python:gunicorn_hook"], None, "", 0),
    "worker-lifespan": (GUNICORN, None, "lifespan", 0),
    "workers-module": ([*UVICORN, "--workers", "2"], None, "module", 0),
    "server-module": (UVICORN, None, "module", -signal.SIGTERM),
    "script": (["asgi_places.py"], False, "script", -signal.SIGTERM),
}


def test_uvicorn_stopped_by_sigterm_sends_what_waits(run, receiver):
    """In whatever way uvicorn runs and telemetry is turned on: log records and metrics arrive, the exit code stays."""
    programs = {
        name: run(*words, service=f"term-{name}", spanglass=spanglass, variables={**LATE, "PLACE": place})
        for name, (words, spanglass, place, _) in STOPPED.items()
    }
    pids = {name: program.get("/who")["pid"] for name, program in programs.items()}
    for program in programs.values():
        program.process.send_signal(signal.SIGTERM)
    codes = {name: program.stop() for name, program in programs.items()}

    assert codes == {name: code for name, (_, _, _, code) in STOPPED.items()}
    for name, pid in pids.items():
        logs = receiver.until(
            f"""SELECT body FROM logs WHERE service_name = 'term-{name}' AND "process.pid" = {pid}
            AND scope_name = 'shop' ORDER BY time_ns""",
            lambda rows: len(rows) == 2,
        )
        assert (name, logs) == (name, [("asked who I am",), ("at the end",)])
        assert pid in receiver.pids("metrics", f"term-{name}", {pid}), name


def test_recycled_children_of_celery_send_what_they_have(run, receiver, redis_server):
    """Tasks, log records and metrics of children that are replaced arrive, though their processes end by os._exit."""
    variables = {**LATE, "REDIS_URL": redis_server.url(4), "JOBS": "3"}
    words = ["celery", "-A", "jobs", "worker", "--concurrency=2", "--max-tasks-per-child=1"]
    run(*words, service="recycled", variables=variables)
    run("jobs.py", service="recycled-sender", variables=variables, spanglass=False).finish()
    tasks = receiver.until(
        """SELECT s."process.pid", l.body FROM spans s LEFT JOIN logs l USING (trace_id, span_id)
        WHERE s.service_name = 'recycled' AND s.name = 'run/jobs.add'""",
        lambda rows: len(rows) == 3 and all(body for _, body in rows),
    )
    children = {pid for pid, _ in tasks}

    assert (len(children), [body for _, body in tasks]) == (3, ["adding"] * 3)
    assert children <= receiver.pids("metrics", "recycled", children)


FIRST = """
import logging, os, pathlib, signal, time
logging.warning("I am %s", os.getpid())
pathlib.Path("begun").touch()
while not pathlib.Path("end").exists():
    time.sleep(0.02)
logging.warning("goes on")
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.raise_signal(signal.SIGTERM)
logging.warning("goes on and on")
"""


def test_the_first_process_of_a_container_goes_on_with_its_telemetry(run, receiver, tmp_path):
    """SIGTERM does not end a PID 1 without a handler: what waits is sent, and what it records later is, too."""
    inside = ["unshare", "--fork", "--pid"]
    if subprocess.run([*inside, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no PID namespace can be made here")
    program = tmp_path / "first.py"
    program.write_text(FIRST)
    begun = run("env", "-C", str(tmp_path), *inside, SPANGLASS, "run", "first.py",
                service="first", spanglass=None, variables=LATE)  # fmt: skip
    while not (tmp_path / "begun").exists():
        assert begun.process.poll() is None, begun.output
        time.sleep(0.02)
    os.kill(tree(begun.process.pid)[-1].pid, signal.SIGTERM)
    logs = "SELECT body FROM logs WHERE service_name = 'first' ORDER BY time_ns"
    sent = receiver.until(logs, lambda rows: rows != [])
    (tmp_path / "end").touch()
    begun.finish()

    assert sent == [("I am 1",)]
    assert receiver.until(logs, lambda rows: len(rows) == 3)[1:] == [("goes on",), ("goes on and on",)]
